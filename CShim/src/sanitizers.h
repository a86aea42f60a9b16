/// What the sanitizers and valgrind are told of stacks.
#ifndef FAULTLINE_INTERNAL_SANITIZERS_H
#define FAULTLINE_INTERNAL_SANITIZERS_H

#include "stack_table.h"

#pragma clang assume_nonnull begin

/// Looks for them. Signal context: forbidden.
void fl_sanitizers_find(void);

/// Says that the outermost frame from `low` to `high` is about to be written. Signal context: forbidden.
void fl_sanitizers_expect_frame(uintptr_t low, uintptr_t high);

/// Announces a stack that is about to be handed out. Fails with EAGAIN where ThreadSanitizer can hold no more, and with
/// ENOTSUP where a sanitizer is present and the stack may move. Signal context: forbidden.
fl_failure fl_sanitizers_announce(fl_stack *stack);

/// Ends what was announced, while the stack still has its slot. Signal context: forbidden.
void fl_sanitizers_forget(fl_stack *stack);

/// Whether a fault at `address` says that ThreadSanitizer can note no more calls of the running coroutine. Then there
/// is room for those on the way to its end. Signal context: handler only.
bool fl_sanitizers_open_calls(uintptr_t address);

#pragma clang assume_nonnull end
#endif
