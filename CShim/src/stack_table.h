/// The table of stacks: their control blocks.
#ifndef FAULTLINE_INTERNAL_STACK_TABLE_H
#define FAULTLINE_INTERNAL_STACK_TABLE_H

#include "address_space.h"

#pragma clang assume_nonnull begin

/// The part of a stack that is seldom touched: kept apart so that an idle stack pays no memory for it.
typedef struct fl_stack_details {
    fl_slot_handle old[FL_OLD_RANGES]; ///< oldest first
    fl_fault_report fault;
    fl_counters counters;
    uintptr_t segment_bytes;     ///< check-segment: usable bytes of all segments but the first
    void *_Nullable allocations; ///< of checked code for which the stack had no room, linked by their first word
} fl_stack_details;

/// Signal context: callable.
static inline uintptr_t fl_stack_initial(const fl_stack *stack) { return stack->initial_pages * FL_PAGE; }
/// Signal context: callable.
static inline uintptr_t fl_stack_maximum(const fl_stack *stack) { return stack->maximum_pages * FL_PAGE; }
/// Signal context: callable.
static inline uintptr_t fl_stack_reserve(const fl_stack *stack) { return stack->reserve_pages * FL_PAGE; }

/// The stack that runs on this thread, null on a thread's own stack. Signal context: callable.
static inline fl_stack *_Nullable fl_stack_running(void) { return (fl_stack *)(void *)fl_current_fiber; }

/// The lowest word of a suspended stack that is live. A red zone that reaches into the guard was never used that far.
/// Signal context: callable.
static inline uintptr_t fl_stack_first_word(const fl_stack *stack) {
    return fl_maximum((uintptr_t)stack->fiber.own.sp - FL_RED_ZONE, stack->low) & ~(uintptr_t)(FL_WORD - 1);
}

/// Signal context: callable.
fl_stack_details *fl_stack_details_of(const fl_stack *stack);
/// The stack whose slot this is, or null. Signal context: callable.
fl_stack *_Nullable fl_slot_owner(fl_slot *slot);

/// A free entry. Returns 0 or an errno value. Signal context: forbidden.
int fl_stack_entry_take(fl_stack *_Nonnull *_Nonnull stack);
/// Signal context: forbidden.
void fl_stack_entry_give(fl_stack *stack);
/// Entries of the table of stacks that were ever handed out. Signal context: callable.
uint32_t fl_stack_entries(void);
/// One of them; null while another thread makes it. Signal context: callable.
fl_stack *_Nullable fl_stack_entry(uint32_t index);

#pragma clang assume_nonnull end
#endif
