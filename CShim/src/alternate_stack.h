/// What each thread has before a coroutine runs on it.
#ifndef FAULTLINE_INTERNAL_ALTERNATE_STACK_H
#define FAULTLINE_INTERNAL_ALTERNATE_STACK_H

#include "common.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

typedef struct fl_thread {
    uintptr_t morestack_base; ///< of the stack that __morestack's work runs on; read by src/arch
    uintptr_t tls_low;        ///< static TLS block [tls_low, tls_high)
    uintptr_t tls_high;
    uintptr_t signal_low;  ///< of the alternate stack that was in force at the last look: its own or another's
    uintptr_t signal_size; ///< bytes
    uintptr_t signal_top;  ///< highest address of its own, which the handler uses where it is given a smaller one
    uint32_t entries;      ///< stacks that were entered on this thread
    uint64_t looked;       ///< when it was looked at last, in nanoseconds of a coarse clock
    void *mapping;
    size_t mapping_size;
    uint8_t ends; ///< rounds of destructors that have asked for its end
} fl_thread;

/// An alternate stack of another owner that is at least this large is left in force: a chained crash reporter may need
/// it.
enum { FL_SIGNAL_STACK_MINIMUM = 64 << 10 };

/// Looks whether the thread still has an alternate stack that is large enough, and gives it its own again where it has
/// not. EBUSY: code runs on it right now. Signal context: forbidden.
fl_failure fl_alternate_stack_restore(fl_thread *thread);

/// Bytes below the thread pointer that static TLS takes, as far as it is known. Signal context: callable.
uintptr_t fl_static_tls_size(void);

extern __thread fl_thread *_Nullable fl_this_thread __attribute__((tls_model("initial-exec")));

/// Whether this may be the thread's alternate stack. A handler that runs there has interrupted anything: it gets no
/// stack, and the thread's pool is left alone. Signal context: callable.
static inline bool fl_may_be_signal_stack(const fl_thread *_Nullable thread) {
    return thread && (uintptr_t)__builtin_frame_address(0) - thread->signal_low < thread->signal_size;
}

/// This thread if it may enter a stack without a further look (fl_thread_enter), else null. Signal context: callable.
static inline fl_thread *_Nullable fl_thread_not_due(void) {
    fl_thread *thread = fl_this_thread;
    bool is_due = !thread || fl_may_be_signal_stack(thread) || thread->entries % FL_ENTRIES_BETWEEN_CLOCKS == 0;
    return is_due ? NULL : thread;
}

#pragma clang assume_nonnull end
#endif
