// Stands before the C library's allocator and counts. The program's own definition comes first when a library looks for
// malloc, so the Swift runtime's allocations are counted too.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "AllocationCounter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The C library's own names for what this hides.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic(uint64_t) allocations;

uint64_t ac_allocations(void) { return atomic_load(&allocations); }

uint64_t ac_bytes_in_use(void) { return mallinfo2().uordblks; }

void *malloc(size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *found = memalign(alignment, size);
    if (!found) return ENOMEM;
    *memory = found;
    return 0;
}

int ac_forbid_system_calls(void) { return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) ? errno : 0; }

void ac_report(const char *name, uint64_t count) {
    char text[64], digits[24];
    size_t length = 0, left = 0;
    while (*name && length < 30) text[length++] = *name++;
    text[length++] = '=';
    do digits[left++] = (char)('0' + count % 10);
    while ((count /= 10) > 0);
    while (left > 0) text[length++] = digits[--left];
    text[length++] = '\n';
    if (write(STDERR_FILENO, text, length) < 0) ac_end_thread(8);
}

_Noreturn void ac_end_thread(int status) {
    for (;;) syscall(SYS_exit, status);
}

int ac_take_thread_keys(void) {
    int count = 0;
    pthread_key_t key;
    while (pthread_key_create(&key, NULL) == 0) count++;
    return count;
}
