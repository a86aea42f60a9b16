/// One stack: its slot, its bounds, its end.
#ifndef FAULTLINE_INTERNAL_STACK_H
#define FAULTLINE_INTERNAL_STACK_H

#include "slot.h"
#include "stack_table.h"

#pragma clang assume_nonnull begin

/// What stands at the top of each further segment: the segment that control returns to.
typedef struct fl_segment_link {
    uintptr_t base, low;
} fl_segment_link;

/// The slot that the stack is in now; arena null for one of its own mapping (grows-down) or without a slot.
/// Signal context: callable.
static inline fl_slot_handle fl_stack_slot(const fl_stack *stack) { return fl_slot_of(stack->base - 1); }

/// Lowest address that growth may reach in the slot, by the maximum. Signal context: callable.
uintptr_t fl_stack_room_low(const fl_stack *stack);

/// Sets the limit that checked code compares with: of the thread while the stack runs, else in its frame. Signal
/// context: callable.
static inline void fl_stack_set_limit(fl_stack *stack) {
    if (stack->strategy < FL_STRATEGY_CHECK_MOVE) return;
    uintptr_t limit = stack->low + fl_headroom(stack->base - stack->low);
    if (fl_stack_running() == stack) {
        FL_THREAD_WORD(FL_LIMIT_OFFSET) = limit;
    } else {
        stack->fiber.frame->words[FL_WORD_LIMIT] = limit;
        stack->fiber.has_words = true;
    }
}

/// Goes back from a further segment of a check-segment stack to the one before, whose link stands at its top, and
/// returns the slot that it leaves. Signal context: callable.
fl_slot_handle fl_stack_leave_segment(fl_stack *stack);

/// Bytes usable at first. Signal context: callable.
static inline uintptr_t fl_stack_usable_at_first(const fl_stack *stack) {
    switch ((fl_strategy)stack->strategy) {
    case FL_STRATEGY_FIXED:
    case FL_STRATEGY_DEMAND:
    case FL_STRATEGY_CHECK_FIXED: return fl_stack_maximum(stack);
    case FL_STRATEGY_FAULT_MOVE:
    case FL_STRATEGY_CHECK_MOVE:
        // From the largest slot there is nowhere to go.
        return stack->first_slot == FL_SLOT_1GIB ? fl_stack_maximum(stack) : fl_stack_initial(stack);
    case FL_STRATEGY_FAULT:
    case FL_STRATEGY_CHECK_SEGMENT:
    case FL_STRATEGY_GROWS_DOWN: return fl_stack_initial(stack);
    }
}

/// Gives a configured stack a slot, unless it has one, with its first usable part and its guard.
/// Signal context: forbidden.
fl_failure fl_stack_make_ready(fl_stack *stack);

/// Gives the slot and the entry of a stack back. Signal context: forbidden.
void fl_stack_discard(fl_stack *stack);

/// Ends the running coroutine: its frames are abandoned. Runs on any stack.
/// Signal context: forbidden; a handler makes the interrupted context run it.
_Noreturn void fl_contained_finish(void);

#pragma clang assume_nonnull end
#endif
