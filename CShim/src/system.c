// Every system call of the shim, each with the name of its site, so that a test can make any of them fail. A handler
// makes them by `syscall`: where a sanitizer is, libc's other functions are the sanitizer's, with locks and notes of
// their own.
#include "shim_code.h"

#include "system.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Armed failure: error in the upper half, calls to let pass in the lower; 0 when disarmed.
static _Atomic(uint64_t) armed[FL_SITE_COUNT];
static _Atomic(uint64_t) calls[FL_SITE_COUNT];

static const char *const names[FL_SITE_COUNT] = {
    "arena-map",         "arena-trim",      "arena-open",        "arena-unlock",    "arena-grow",
    "arena-guard",       "core-omit",       "core-show",         "core-handler",    "arena-table",
    "arena-advice",      "stack-table",     "guard-install",     "guard-remove",    "grow-install",
    "grow-remove",       "grow-tables",     "protect-none",      "protect-write",   "grow-protect",
    "populate",          "release",         "old-range-guard",   "quarantine",      "userfaultfd",
    "uffdio-api",        "uffdio-register", "uffdio-move",       "mremap",          "grows-down-probe",
    "grows-down-map",    "alternate-map",   "alternate-protect", "alternate-set",   "handler-set",
    "hibernate-protect", "hibernate-close", "hibernate-open",    "hibernate-guard", "hibernate-release",
    "restore-copy",      "restore-unguard", "store-map",         "store-release",   "hibernate-mask",
    "stack-memory",      "pool-trim",       "idle-resident",     "shrink-release",  "shrink-guard",
    "shrink-mask",       "words-thread",    "words-mask",        "signal-mask",     "thread-bounds",
    "initialize-thread", "announce",
};

const char *fl_site_name(fl_site site) { return site < FL_SITE_COUNT ? names[site] : "unknown"; }

void fl_debug_fail(fl_site site, int error, uint32_t after) {
    uint64_t value = error ? ((uint64_t)(uint32_t)error << 32) | after : 0;
    atomic_store_explicit(&armed[site], value, memory_order_relaxed);
}

uint64_t fl_debug_calls(fl_site site) { return atomic_load_explicit(&calls[site], memory_order_relaxed); }

int fl_injected(fl_site site) {
    atomic_fetch_add_explicit(&calls[site], 1, memory_order_relaxed);
    uint64_t value = atomic_load_explicit(&armed[site], memory_order_relaxed);
    if (value == 0) return 0;
    if ((uint32_t)value == 0) return (int)(value >> 32);
    // A lost race lets one call more pass, which a test of one thread cannot see.
    atomic_compare_exchange_strong_explicit(&armed[site], &value, value - 1, memory_order_relaxed,
                                            memory_order_relaxed);
    return 0;
}

// Signal context: callable.
static uint64_t read_clock(clockid_t clock) {
    struct timespec now = {0};
    // Cannot fail with these clocks and this address.
#if FL_SANITIZED
    (void)syscall(SYS_clock_gettime, clock, &now);
#else
    (void)clock_gettime(clock, &now); // the vDSO's: async-signal-safe by POSIX, and no system call
#endif
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t fl_now(void) { return read_clock(CLOCK_MONOTONIC); }
uint64_t fl_coarse_now(void) { return read_clock(CLOCK_MONOTONIC_COARSE); }

// The time that system calls take is added up only on request: reading the clock costs a tenth of a call.
static _Atomic(bool) timing;
static _Atomic(uint64_t) time_in_calls;

void fl_debug_time_calls(bool on) { atomic_store_explicit(&timing, on, memory_order_relaxed); }

uint64_t fl_debug_time_in_calls(void) { return atomic_load_explicit(&time_in_calls, memory_order_relaxed); }

// Signal context: callable.
static uint64_t begin(void) { return atomic_load_explicit(&timing, memory_order_relaxed) ? fl_now() : 0; }

// Passes the result of a call on; `error` was taken from errno before the clock was read. Signal context: callable.
static int end(uint64_t began, int error) {
    if (began) atomic_fetch_add_explicit(&time_in_calls, fl_now() - began, memory_order_relaxed);
    return error;
}

fl_failure fl_failure_none(void) { return (fl_failure){.error = 0, .site = 0}; }
fl_failure fl_failure_at(fl_site site, int error) { return (fl_failure){.error = error, .site = site}; }

int fl_system_map(fl_site site, void **address, size_t length, int protection, int flags) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    long mapped = syscall(SYS_mmap, *address, length, (long)protection, (long)flags, -1L, 0L);
    if (mapped == -1) return end(began, errno);
    *address = (void *)mapped;
    return end(began, 0);
}

int fl_system_unmap(fl_site site, uintptr_t address, size_t length) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_munmap, address, length) ? errno : 0);
}

int fl_system_protect(fl_site site, uintptr_t address, size_t length, int protection) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_mprotect, address, length, (long)protection) ? errno : 0);
}

int fl_system_advise(fl_site site, uintptr_t address, size_t length, int advice) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_madvise, address, length, advice) ? errno : 0);
}

int fl_system_advise_retrying(fl_site site, uintptr_t low, uintptr_t high, int advice) {
    int error = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
        error = fl_system_advise(site, low, high - low, advice);
        if (error != EINTR && error != EAGAIN) return error;
    }
    return error;
}

int fl_system_ioctl(fl_site site, int descriptor, unsigned long request, void *argument) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_ioctl, descriptor, request, argument) ? errno : 0);
}

int fl_system_mremap(fl_site site, uintptr_t from, size_t length, int flags, uintptr_t to) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_mremap, from, length, length, (long)flags, to) == -1 ? errno : 0);
}

int fl_system_grow(fl_site site, uintptr_t low, size_t from, size_t to) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_mremap, low, from, to, 0L) == -1 ? errno : 0);
}

int fl_system_unlock(fl_site site, uintptr_t low, size_t length) {
    int error = fl_injected(site);
    if (error) return error;
    uint64_t began = begin();
    return end(began, syscall(SYS_munlock, low, length) ? errno : 0);
}

int fl_system_userfaultfd(fl_site site, int *descriptor) {
    int error = fl_injected(site);
    if (error) return error;
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
    long opened = syscall(SYS_userfaultfd, 02000000 /* O_CLOEXEC */ | 04000 /* O_NONBLOCK */ | UFFD_USER_MODE_ONLY);
    if (opened < 0) return errno;
    *descriptor = (int)opened;
    return 0;
}

// The kernel fills variables of the caller and of libc here. It does not make a stack grow for that (EFAULT), so it has
// grown before.

int fl_system_sigaltstack(fl_site site, const stack_t *_Nullable stack, stack_t *_Nullable old) {
    fl_reach_down();
    int error = fl_injected(site);
    if (error) return error;
    return sigaltstack(stack, old) ? errno : 0;
}

int fl_system_sigaction(fl_site site, int signal, const struct sigaction *action, struct sigaction *old) {
    fl_reach_down();
    int error = fl_injected(site);
    if (error) return error;
    return sigaction(signal, action, old) ? errno : 0;
}

int fl_system_signal_mask(fl_site site, int how, const sigset_t *_Nullable set, sigset_t *_Nullable before) {
    fl_reach_down();
    int error = fl_injected(site);
    return error ? error : pthread_sigmask(how, set, before);
}

int fl_system_block_signals(fl_site site, sigset_t *before) {
    fl_reach_down();
    int error = fl_injected(site);
    if (error) return error;
    sigset_t blocked;
    sigfillset(&blocked);
    // An instruction's own faults cannot wait.
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(&blocked, synchronous[i]);
    return pthread_sigmask(SIG_BLOCK, &blocked, before);
}

// Signal context: callable.
static uint64_t limit_of(__rlimit_resource_t resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
}

uint64_t fl_system_mapping_limit(bool writable) {
    uint64_t all = limit_of(RLIMIT_AS), data = writable ? limit_of(RLIMIT_DATA) : UINT64_MAX;
    return all < data ? all : data;
}

// Not inlined: the pages would stand in the caller's frame.
__attribute__((noinline)) uint64_t fl_system_resident_pages(uintptr_t low, uintptr_t high, uintptr_t *lowest) {
    unsigned char pages[2048];
    uint64_t resident = 0;
    *lowest = high;
    for (uintptr_t from = low; from < high; from += sizeof pages * FL_PAGE) {
        size_t count = fl_minimum(sizeof pages, (high - from) / FL_PAGE);
        if (syscall(SYS_mincore, from, count * FL_PAGE, pages)) {
            *lowest = fl_minimum(*lowest, from);
            continue;
        }
        for (size_t page = 0; page < count; page++) {
            if (!(pages[page] & 1)) continue;
            resident++;
            *lowest = fl_minimum(*lowest, from + page * FL_PAGE);
        }
    }
    return resident;
}

int fl_system_resident(fl_site site, uint64_t *bytes) {
    int error = fl_injected(site);
    if (error) return error;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    char text[128];
    ssize_t length = read(file, text, sizeof text);
    error = length < 0 ? errno : 0;
    (void)close(file);
    if (error) return error;
    // Pages: of address space, and in memory.
    uint64_t numbers[2] = {0, 0};
    int number = 0;
    for (ssize_t at = 0; at < length && number < 2; at++) {
        if (text[at] >= '0' && text[at] <= '9') {
            numbers[number] = numbers[number] * 10 + (uint64_t)(text[at] - '0');
        } else {
            number++;
        }
    }
    if (number < 2) return EPROTO;
    *bytes = numbers[1] * FL_PAGE;
    return 0;
}

#pragma clang attribute pop
