// Runs a Swift closure that does not escape on another stack.
//
// Swift passes such a closure as two words, its function and its context, and never counts references to the context,
// which lives in the caller's frame. So frames that a stack fault abandons leave nothing behind that the caller
// could notice. This file is not part of the shim's no-abandon section: its entry is the outermost frame of every
// stack it starts, and a coroutine must be able to end above it.
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

// Declared to Swift by @_silgen_name: (UnsafeMutablePointer<fl_fiber>, () -> Void) -> Void.
__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context);

__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context) {
    struct closure closure = {.function = function, .context = context};
    fiber->frame->body = run_closure;
    fiber->frame->argument = &closure;
    (void)fl_resume(fiber);
}
