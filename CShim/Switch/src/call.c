// Runs Swift's functions on another stack: a closure that does not escape, or what a coroutine's mailbox begins with.
//
// Swift passes such a closure as two words, its function and its context, and never counts references to the context,
// which lives in the caller's frame. So frames that a stack fault abandons leave nothing behind that the caller could
// notice. What the thread keeps for the caller's code (fl_thread_word) is the closure's as well, as in any call:
// nothing is exchanged, and after a stack fault it is put back as it was. This file is not part of the shim's
// no-abandon section: fl_run_mailbox stands below every coroutine's body, and a coroutine must be able to end above it.
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#include "CSwitch.h"

typedef __attribute__((swiftcall)) void closure_function(__attribute__((swift_context)) void *context);

typedef __attribute__((swiftcall)) void witness_function(uint8_t operation, fl_fiber *fiber, void *mailbox,
                                                         __attribute__((swift_context)) void *context);

enum mailbox_operation { RUN, DEINITIALIZE };

// Nobody counts a reference to the context meanwhile: the mailbox has one.
static inline void call_witness(enum mailbox_operation operation, fl_fiber *fiber, void *mailbox) {
    const struct fl_mailbox_header *header = mailbox;
    ((witness_function *)header->function)((uint8_t)operation, fiber, mailbox, header->context);
}

void fl_run_mailbox(void *_Nullable mailbox) { call_witness(RUN, fl_current_fiber, mailbox); }
void fl_end_mailbox(fl_fiber *fiber, void *mailbox) { call_witness(DEINITIALIZE, fiber, mailbox); }

bool fl_fiber_runs_closure(const fl_fiber *fiber) { return fiber->frame->body != fl_run_mailbox; }

// What the thread keeps for the caller's code is lent, if there is anything.
static __attribute__((noinline)) void call_otherwise(fl_fiber *fiber) {
    if (!fl_has_thread_words()) {
        (void)fl_resume(fiber);
        return;
    }
    uintptr_t head = fl_bindings_head(), locals = FL_THREAD_WORD(fl_thread_offsets.task_locals);
    fl_lend_words(fiber);
    fiber = fl_resume(fiber).fiber;
    if (fiber->state == FL_FIBER_FAULTED) fl_bindings_restore(head);
    // What was lent is not the coroutine's to end.
    if (fiber->frame->words[FL_WORD_TASK_LOCALS] == locals) fiber->frame->words[FL_WORD_TASK_LOCALS] = 0;
}

// Declared to Swift by @_silgen_name: (UnsafeMutablePointer<fl_fiber>, () -> Void) -> Void.
__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context);

__attribute__((swiftcall)) void fl_fiber_call_closure(fl_fiber *fiber, closure_function *function, void *context) {
    fl_outermost_frame *frame = fiber->frame;
    frame->body = (void (*)(void *))(void *)function; // the entry hands on the context as Swift wants it, too
    frame->argument = context;
    bool is_plain = fl_fiber_status(fiber) == FL_FIBER_CREATED && !fl_has_words_or_limit();
    if (__builtin_expect(is_plain, 1)) {
        fl_fiber *running = fl_current_fiber;
        (void)fl_enter(fiber, frame, FL_FIBER_RUNNING); // without flags and words nothing is exchanged
        fl_current_fiber = running;
    } else {
        call_otherwise(fiber);
    }
}

#pragma clang attribute pop
