// What each thread needs before a coroutine runs on it, in one mapping:
//
//     | guard | alternate signal stack | guard | stack of __morestack |
//
// The alternate stack is for the handlers: at a trap the coroutine's own stack has no room. 64 KiB and more, because a
// chained crash reporter may need them (Swift's own installs 29,888 B, which is too small for one that symbolizes). A
// larger one that the thread already has is respected. It is the thread's and not this library's: what becomes of it is
// looked at now and then (enter.c), and the handler does not count on its size (fault_handler.c).
//
// Safety of the thread-local words in a handler: both are initial-exec, so they lie in the static TLS block, which
// exists before the thread runs; reading them is one instruction.
#include "shim_code.h"

#include "alternate_stack.h"

#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>

#include "system.h"

enum { GUARD = 64 << 10, SIGNAL_STACK = 128 << 10, MORESTACK_STACK = 64 << 10 };

__thread fl_thread *_Nullable fl_this_thread __attribute__((tls_model("initial-exec")));
static _Atomic(uint64_t) threads; // that were ever prepared

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error;

static void thread_ends(void *argument) {
    fl_thread *thread = argument;
    // Destructors of other keys may end coroutines, whose stacks fault and move: not before the last round. That one is
    // ThreadSanitizer's own end, after which instrumented code must not run.
    int last = PTHREAD_DESTRUCTOR_ITERATIONS - (fl_announcer != NULL);
    if (++thread->ends < last && pthread_setspecific(key, thread) == 0) return;
    stack_t now, disabled = {.ss_flags = SS_DISABLE};
    // In use, or not known to be another's: it must stay mapped.
    if (fl_system_sigaltstack(FL_SITE_ALTERNATE_SET, NULL, &now)) return;
    if (!(now.ss_flags & SS_DISABLE) && (uintptr_t)now.ss_sp == thread->signal_top - SIGNAL_STACK &&
        fl_system_sigaltstack(FL_SITE_ALTERNATE_SET, &disabled, NULL)) {
        return;
    }
    fl_this_thread_id = 0;
    fl_thread_note_limit();
    fl_this_thread = NULL;
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)thread->mapping, thread->mapping_size);
}

static void make_key(void) { key_error = pthread_key_create(&key, thread_ends); }

// How far static TLS reaches below the thread pointer. A block's distance is the same on every thread, so the largest
// that any thread has seen serves all. The main thread looks first, before main: a later thread's table of blocks
// may be out of date, and dl_iterate_phdr then reports none of them. Blocks further away than STATIC_TLS_REACH were
// allocated on the heap: they are dynamic and not scanned.
#define STATIC_TLS_REACH ((uintptr_t)1 << 20)
static _Atomic(uintptr_t) static_tls;

static int farthest_block(struct dl_phdr_info *info, size_t size, void *argument) {
    uintptr_t *farthest = argument, pointer = (uintptr_t)fl_thread_pointer();
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof(void *)) return 0;
    uintptr_t block = (uintptr_t)info->dlpi_tls_data;
    if (!block || block >= pointer || pointer - block >= STATIC_TLS_REACH) return 0;
    *farthest = fl_maximum(*farthest, pointer - block);
    return 0;
}

__attribute__((constructor)) static void find_static_tls(void) {
    uintptr_t farthest = 0;
    dl_iterate_phdr(farthest_block, &farthest);
    uintptr_t known = atomic_load_explicit(&static_tls, memory_order_relaxed);
    // Each failed exchange means that another thread raised it.
    while (known < farthest && !atomic_compare_exchange_weak_explicit(&static_tls, &known, farthest,
                                                                      memory_order_relaxed, memory_order_relaxed)) {
    }
}

uintptr_t fl_static_tls_size(void) { return atomic_load_explicit(&static_tls, memory_order_relaxed); }

fl_failure fl_alternate_stack_restore(fl_thread *thread) {
    stack_t now = {.ss_flags = SS_DISABLE};
    int error = fl_system_sigaltstack(FL_SITE_ALTERNATE_SET, NULL, &now);
    if (error) return fl_failure_at(FL_SITE_ALTERNATE_SET, error);
    if (now.ss_flags & SS_ONSTACK) return fl_failure_at(FL_SITE_ALTERNATE_SET, EBUSY);
    if (now.ss_flags & SS_DISABLE || now.ss_size < FL_SIGNAL_STACK_MINIMUM) {
        now = (stack_t){.ss_sp = (void *)(thread->signal_top - SIGNAL_STACK), .ss_size = SIGNAL_STACK};
        error = fl_system_sigaltstack(FL_SITE_ALTERNATE_SET, &now, NULL);
        if (error) return fl_failure_at(FL_SITE_ALTERNATE_SET, error);
    }
    thread->signal_low = (uintptr_t)now.ss_sp;
    thread->signal_size = now.ss_size;
    return fl_failure_none();
}

fl_failure fl_thread_prepare(void) {
    if (fl_this_thread) return fl_failure_none();
    pthread_once(&key_once, make_key);
    if (key_error) return fl_failure_at(FL_SITE_ALTERNATE_MAP, key_error);

    size_t length = 2 * GUARD + SIGNAL_STACK + MORESTACK_STACK + FL_PAGE;
    void *mapping = NULL;
    int error =
        fl_system_map(FL_SITE_ALTERNATE_MAP, &mapping, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (error) return fl_failure_at(FL_SITE_ALTERNATE_MAP, error);
    uintptr_t low = (uintptr_t)mapping, signal_low = low + GUARD, morestack_low = signal_low + SIGNAL_STACK + GUARD;
    error = fl_system_protect(FL_SITE_ALTERNATE_PROTECT, signal_low, SIGNAL_STACK, PROT_READ | PROT_WRITE);
    if (!error) {
        error = fl_system_protect(FL_SITE_ALTERNATE_PROTECT, morestack_low, MORESTACK_STACK + FL_PAGE,
                                  PROT_READ | PROT_WRITE);
    }
    fl_failure failure = error ? fl_failure_at(FL_SITE_ALTERNATE_PROTECT, error) : fl_failure_none();
    fl_thread *thread = (fl_thread *)(morestack_low + MORESTACK_STACK);
    if (!error) {
        thread->signal_top = signal_low + SIGNAL_STACK;
        failure = fl_alternate_stack_restore(thread);
    }
    if (failure.error) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        return failure;
    }
    thread->morestack_base = morestack_low + MORESTACK_STACK;
    thread->mapping = mapping;
    thread->mapping_size = length;
    find_static_tls();
    thread->tls_high = (uintptr_t)fl_thread_pointer();
    thread->tls_low = (thread->tls_high - atomic_load_explicit(&static_tls, memory_order_relaxed)) & ~(FL_WORD - 1);
    fl_this_thread = thread;
    fl_this_thread_id = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1;
    fl_thread_note_limit();
    pthread_setspecific(key, thread);
    return fl_failure_none();
}

#pragma clang attribute pop
