// Whether a thread can take a stack fault: looked at when a stack is entered.
//
// The signal mask, the alternate stack and the handlers are the program's as much as this library's, and nothing tells
// when they change. A fault that finds one of them changed kills the process, mostly without a word. So they are looked
// at when a thread enters its first stack, and later after a number of entries, or fewer after some time: four system
// calls.
#include "shim_code.h"

#include "fl_stack.h"

#include <signal.h>

#include "alternate_stack.h"
#include "system.h"

#define MILLISECOND ((uint64_t)1000000)

// sigfillset is usual in servers, whose threads mean the signals that are sent to them and not their own faults.
static fl_failure unblock_faults(void) {
    sigset_t mask, faults;
    int error = fl_system_signal_mask(FL_SITE_SIGNAL_MASK, SIG_BLOCK, NULL, &mask);
    if (!error && (sigismember(&mask, SIGSEGV) || sigismember(&mask, SIGBUS))) {
        sigemptyset(&faults);
        sigaddset(&faults, SIGSEGV);
        sigaddset(&faults, SIGBUS);
        error = fl_system_signal_mask(FL_SITE_SIGNAL_MASK, SIG_UNBLOCK, &faults, NULL);
    }
    return error ? fl_failure_at(FL_SITE_SIGNAL_MASK, error) : fl_failure_none();
}

static __attribute__((noinline)) fl_failure look(fl_thread *thread) {
    fl_failure failure = fl_failure_none();
    if (!fl_handler_is_installed()) failure = fl_failure_at(FL_SITE_HANDLER_SET, EBUSY);
    if (!failure.error) failure = fl_alternate_stack_restore(thread);
    if (!failure.error) failure = unblock_faults();
    fl_thread_note_limit(); // code with split stacks of its own may have set one
    // A thread that was refused is looked at again at its next entry.
    if (failure.error) thread->entries = 0;
    return failure;
}

static _Atomic(bool) looks = true;

void fl_debug_look(bool on) { atomic_store_explicit(&looks, on, memory_order_relaxed); }

static bool is_due(fl_thread *thread) {
    uint32_t entry = thread->entries++;
    if (entry % FL_ENTRIES_BETWEEN_CLOCKS) return false;
    uint64_t now = fl_coarse_now();
    if (entry % FL_ENTRIES_BETWEEN_LOOKS && now - thread->looked < FL_LOOK_MILLISECONDS * MILLISECOND) return false;
    thread->looked = now;
    return true;
}

bool fl_fiber_bind_at_once(fl_fiber *fiber) {
    fl_thread *thread = fl_thread_not_due();
    if (!thread) return false;
    thread->entries++;
    fiber->thread = fl_thread_id();
    return true;
}

fl_failure fl_thread_enter(void) {
    fl_thread *thread = fl_this_thread;
    if (!thread) {
        fl_failure failure = fl_thread_prepare();
        if (failure.error) return failure;
        thread = fl_this_thread;
    }
    // A fault would put its frame over those of a handler that runs there, if that is what runs: the kernel knows.
    if (fl_may_be_signal_stack(thread)) {
        fl_failure failure = fl_alternate_stack_restore(thread);
        if (failure.error) return failure;
    }
    bool is_looked_at = is_due(thread) && atomic_load_explicit(&looks, memory_order_relaxed);
    return is_looked_at ? look(thread) : fl_failure_none();
}

#pragma clang attribute pop
