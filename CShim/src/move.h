/// A stack continues in another slot.
#ifndef FAULTLINE_INTERNAL_MOVE_H
#define FAULTLINE_INTERNAL_MOVE_H

#include "fl_stack.h"
#include "relocation.h"

#pragma clang assume_nonnull begin

/// Continues `stack` in a slot of `size` with `usable` bytes. The stack pointer is `sp`; registers and TLS are the
/// caller's to relocate by `*relocation`. Signal context: callable, not on the stack that moves.
fl_failure fl_stack_move(fl_stack *stack, uintptr_t sp, fl_slot_size size, uintptr_t usable, fl_relocation *relocation);

/// Continues a suspended stack in the smallest slot, from its first size on, that holds `need` bytes. Does nothing
/// where its own is the smallest, or, with `*must_stay`, where it could only go at the price of an old range more than
/// it may keep. As fl_stack_move otherwise. Signal context: callable, not on the stack that moves.
fl_failure fl_stack_move_back(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                              bool *must_stay);

typedef enum fl_growth_result : uint32_t { FL_GREW = 0, FL_AT_MAXIMUM, FL_GROWTH_FAILED } fl_growth_result;

/// Picks the next slot for a moving stack that needs `need` bytes below its base, and moves it.
/// Signal context: callable.
fl_growth_result fl_stack_grow_by_move(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                                       fl_failure *failure);

#pragma clang assume_nonnull end
#endif
