/// From one frame of a stack to the next, whatever it takes.
#ifndef FAULTLINE_INTERNAL_WALK_H
#define FAULTLINE_INTERNAL_WALK_H

#include "frame_pointer.h"
#include "stack.h"

#pragma clang assume_nonnull begin

/// fl_fiber_entry has a line of the cache for itself.
enum { FL_ENTRY_BYTES = 64 };

/// The part of the stack that holds `address`: further segments are slots of their own. Signal context: callable.
bool fl_stack_part_of(const fl_stack *stack, uintptr_t address, uintptr_t *low, uintptr_t *high);

/// The step by `rule`, on a stack that lies in [low, high). Signal context: callable.
fl_unwind_result fl_walk_step_within(const fl_unwind_rule *rule, fl_unwind_registers *registers, fl_unwind_frame *frame,
                                     fl_unwind_cache *cache, uintptr_t low, uintptr_t high);

/// The step by `rule`, on a stack where it lies. Signal context: callable.
fl_unwind_result fl_walk_step(const fl_stack *stack, const fl_unwind_rule *rule, fl_unwind_registers *registers,
                              fl_unwind_frame *frame, fl_unwind_cache *cache);

#pragma clang assume_nonnull end
#endif
