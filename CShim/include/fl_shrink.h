/// Shrinking: a suspended stack gives back what it used and left below its stack pointer.
#ifndef FAULTLINE_SHRINK_H
#define FAULTLINE_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

#include "fl_stack.h"

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_shrinking : uint32_t {
    FL_SHRINKING_DONE = 0,
    FL_SHRINKING_NOT_SUSPENDED, ///< it never started, runs, or has ended
    FL_SHRINKING_STRATEGY,      ///< fixed keeps its memory; where a grows-down mapping ends only the kernel knows
    FL_SHRINKING_SEGMENTS,      ///< its frames are in several segments
    FL_SHRINKING_OVERFLOWING,   ///< it finishes on its reserve, or a debug knob has guarded part of it
    FL_SHRINKING_FAILED,        ///< the kernel refused; the result says what
} fl_shrinking;

/// What shrinking a stack did.
typedef struct fl_shrink_result {
    uint64_t released; ///< bytes of pages that were in memory and are not any more
    bool moved;        ///< to a smaller slot
    bool must_stay;    ///< it would have moved, but keeps as many old ranges as it may
    fl_failure failure;
} fl_shrink_result;

/// Gives the pages below a suspended stack's live part back to the kernel. Where a trap makes room, the guard comes up
/// again. A stack that moves goes back to a smaller slot when it used less than a quarter of its room at two calls in a
/// row and in between. After a refusal the stack is sound, and what was released is gone. Signal context: forbidden.
fl_shrinking fl_stack_shrink(fl_stack *stack, fl_shrink_result *result);

#pragma clang assume_nonnull end
#endif
