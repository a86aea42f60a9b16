// Stands before the C library's allocator behind a lock, as an allocator does that is linked statically. Its entries
// jump to what does the work, so that an overflow there finds no frame of theirs on the stack.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "LockingAllocator.h"

#include <stdatomic.h>

// The C library's own names for what this hides.
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static _Atomic(uint64_t) is_locked, locks;

uint64_t la_locks(void) { return atomic_load(&locks); }

static void lock(void) {
    while (atomic_exchange(&is_locked, 1)) {
    } // for ever, where it was left behind
    atomic_fetch_add(&locks, 1);
}

static void unlock(void) { atomic_store(&is_locked, 0); }

static __attribute__((noinline)) void *locked_malloc(size_t size) {
    lock();
    void *memory = __libc_malloc(size);
    unlock();
    return memory;
}

static __attribute__((noinline)) void *locked_realloc(void *memory, size_t size) {
    lock();
    void *moved = __libc_realloc(memory, size);
    unlock();
    return moved;
}

static __attribute__((noinline)) void locked_free(void *memory) {
    lock();
    __libc_free(memory);
    unlock();
}

void *malloc(size_t size) { __attribute__((musttail)) return locked_malloc(size); }
void *realloc(void *memory, size_t size) { __attribute__((musttail)) return locked_realloc(memory, size); }
void free(void *memory) { __attribute__((musttail)) return locked_free(memory); }

uint64_t la_allocate_forever(size_t size) {
    void *volatile memory = malloc(size);
    free(memory);
    volatile uint64_t one = 1;
    return la_allocate_forever(size) + one;
}
