// Runs a Swift closure that does not escape on another stack.
//
// Swift passes such a closure as two words, its function and its context, and never counts references to the context,
// which lives in the caller's frame. So frames that a stack fault abandons leave nothing behind that the caller could
// notice. What the thread keeps for the caller's code (fl_thread_word) is the closure's as well, as in any call:
// nothing is exchanged, and after a stack fault it is put back as it was. This file is not part of the shim's
// no-abandon section: its entry is the outermost frame of every stack it starts, and a coroutine must be able to end
// above it.
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#include "CSwitch.h"

typedef __attribute__((swiftcall)) void closure_function(__attribute__((swift_context)) void *context);

struct closure {
    closure_function *function;
    void *_Nullable context;
};

static void run_closure(void *argument) {
    const struct closure *closure = argument;
    closure->function(closure->context);
}

bool fl_fiber_runs_closure(const fl_fiber *fiber) { return fiber->frame->body == run_closure; }

// Declared to Swift by @_silgen_name: (UnsafeMutablePointer<fl_fiber>, () -> Void) -> Void.
__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context);

__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context) {
    struct closure closure = {.function = function, .context = context};
    fl_outermost_frame *frame = fiber->frame;
    frame->body = run_closure;
    frame->argument = &closure;
    if (__builtin_expect(!fl_has_thread_words(), 1)) {
        if (__builtin_expect(fl_fiber_status(fiber) == FL_FIBER_CREATED, 1)) {
            fl_fiber *running = fl_current_fiber;
            (void)fl_enter(fiber, frame, FL_FIBER_RUNNING); // without flags nothing is exchanged
            fl_current_fiber = running;
        } else {
            (void)fl_resume(fiber);
        }
        return;
    }
    uintptr_t head = fl_bindings_head(), locals = FL_THREAD_WORD(fl_thread_offsets.task_locals);
    fl_lend_words(fiber);
    fiber = fl_resume(fiber).fiber;
    if (fiber->state == FL_FIBER_FAULTED) fl_bindings_restore(head);
    // What was lent is not the coroutine's to end.
    if (fiber->frame->words[FL_WORD_TASK_LOCALS] == locals) fiber->frame->words[FL_WORD_TASK_LOCALS] = 0;
}

#pragma clang attribute pop
