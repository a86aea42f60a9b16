// What unwinding does that arrives at the outermost frame of a coroutine: its personality routine.
//
// The frames of the resumer are the next ones there, for backtraces. For a C++ exception they are not: the code that
// resumed the coroutine did not call it, and the thread's words would be left as they are. So the process ends, as at
// the outermost frame of a thread, and says why. pthread_cancel and pthread_exit end the thread with all that stands on
// it: the unwinding goes on through the resumer's frames, with the thread's words put back, and the slot is given back
// when the thread has left the stack, which is when its destructors run.
#include "shim_code.h"

#include "fl_stack.h"

#include <pthread.h>
#include <stdlib.h>
#include <unwind.h>

#include "create.h"
#include "message.h"
#include "stack.h"

/// std::terminate, absent from a program without C++.
extern _Noreturn void cxx_terminate(void) __asm__("_ZSt9terminatev") __attribute__((weak));

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error;

static void thread_ends(void *argument) {
    for (fl_stack *stack = argument; stack;) {
        fl_stack *next = stack->next;
        fl_stack_give_slot(stack);
        uint8_t before = __atomic_fetch_and(&stack->flags, (uint8_t)~FL_STACK_LEFT, __ATOMIC_ACQ_REL);
        if (before & FL_STACK_UNOWNED) fl_stack_entry_give(stack);
        stack = next;
    }
}

static void make_key(void) { key_error = pthread_key_create(&key, thread_ends); }

static void leave(fl_stack *stack) {
    fl_fiber *fiber = &stack->fiber;
    // Whoever called a closure on this stack is gone; a coroutine's object may still be destroyed, on any thread, as
    // soon as the state says that it finished: the slot must be the thread's by then.
    uint8_t flags = fl_fiber_runs_closure(fiber) ? FL_STACK_LEFT | FL_STACK_UNOWNED : FL_STACK_LEFT;
    (void)__atomic_fetch_or(&stack->flags, flags, __ATOMIC_ACQ_REL);
    // From now on a fault of this stack would be nobody's, and the unwinder goes on here.
    fl_reach_down_far();
    fiber->state = FL_FIBER_FINISHED;
    fl_exchange_if_needed(fiber);
    if (fl_announcer) fl_announcer(fiber);
    fl_outermost_frame *frame = fiber->frame;
    // What was lent is the resumer's.
    if (frame->words[FL_WORD_TASK_LOCALS] == FL_THREAD_WORD(fl_thread_offsets.task_locals)) {
        frame->words[FL_WORD_TASK_LOCALS] = 0;
    }
    fl_current_fiber = frame->resumer_fiber;
    pthread_once(&key_once, make_key);
    if (key_error) return; // the slot is lost with the thread, as where the value is refused below
    stack->next = pthread_getspecific(key);
    (void)pthread_setspecific(key, stack);
}

extern _Unwind_Reason_Code fl_entry_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                struct _Unwind_Exception *exception, struct _Unwind_Context *context);

_Unwind_Reason_Code fl_entry_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                         struct _Unwind_Exception *exception, struct _Unwind_Context *context) {
    (void)version, (void)class, (void)exception, (void)context;
    fl_stack *stack = fl_stack_running();
    if (actions & _UA_FORCE_UNWIND) {
        if (stack) leave(stack);
        return _URC_CONTINUE_UNWIND;
    }
    const char *parts[] = {"a C++ exception left a coroutine: catch it in the coroutine's body"};
    fl_message(parts, 1);
    if (cxx_terminate) cxx_terminate();
    abort();
}

#pragma clang attribute pop
