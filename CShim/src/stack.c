// One stack in its slot: how much of it is usable at first, how far it may grow, how it is given back.
#include "shim_code.h"

#include "stack.h"

#include <sys/mman.h>

#include "capabilities.h"
#include "grows_down.h"
#include "system.h"

uintptr_t fl_stack_slot_low(const fl_stack *stack) {
    fl_slot_handle handle = fl_stack_slot(stack);
    return handle.arena ? fl_slot_low(handle) : stack->base - fl_stack_maximum(stack);
}

uintptr_t fl_stack_room_low(const fl_stack *stack) {
    uintptr_t maximum = fl_stack_maximum(stack);
    bool moves = stack->strategy == FL_STRATEGY_FAULT_MOVE || stack->strategy == FL_STRATEGY_CHECK_MOVE;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT || (moves && stack->base - stack->low < maximum)) {
        return fl_stack_slot_low(stack);
    }
    return stack->base - maximum - (stack->flags & FL_STACK_OVERFLOWING ? fl_stack_reserve(stack) : 0);
}

fl_slot_handle fl_stack_leave_segment(fl_stack *stack) {
    fl_segment_link link = *(fl_segment_link *)(stack->base - sizeof(fl_segment_link));
    fl_slot_handle left = fl_stack_slot(stack);
    fl_stack_details_of(stack)->segment_bytes -= stack->base - stack->low;
    stack->base = link.base;
    stack->low = link.low;
    return left;
}

fl_failure fl_stack_make_ready(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) return fl_grows_down_map(stack);
    uintptr_t usable = fl_stack_usable_at_first(stack);
    fl_slot_handle handle = fl_stack_slot(stack);
    if (!handle.arena) {
        fl_failure failure = fl_slot_take((fl_slot_size)stack->slot, (fl_guard)stack->guard, stack, &handle);
        if (failure.error) return failure;
        stack->base = fl_slot_base(handle);
    }
    fl_failure failure = fl_slot_make_usable(handle, stack->base - usable);
    if (failure.error) return failure;
    stack->low = stack->base - usable;
    if (stack->strategy == FL_STRATEGY_FIXED) {
        int error = ENOSYS;
        if (fl_capabilities_get()->populate_write) {
            error = fl_system_advise(FL_SITE_POPULATE, stack->low, usable, MADV_POPULATE_WRITE);
        }
        if (error == ENOSYS || error == EINVAL) { // before Linux 5.14: touch each page, which is what it does
            for (uintptr_t page = stack->low; page < stack->base; page += FL_PAGE) *(volatile char *)page = 0;
            error = 0;
        }
        if (error) return fl_failure_at(FL_SITE_POPULATE, error);
    }
    return fl_failure_none();
}

void fl_stack_discard(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        fl_grows_down_unmap(stack);
    } else {
        fl_slot_release(fl_stack_slot(stack), (stack->flags & FL_STACK_PROVOKED) != 0);
    }
    stack->base = 0;
    fl_stack_entry_give(stack);
}

const fl_fault_report *fl_stack_fault(const fl_stack *stack) { return &fl_stack_details_of(stack)->fault; }

void fl_contained_finish(void) {
    // What an abandoned frame, or the result of the last one, left in x87 registers. The control word stays.
    __asm__ volatile("emms");
    fl_stack *stack = fl_stack_running();
    stack->fiber.state = FL_FIBER_FAULTED;
    fl_exchange_if_needed(&stack->fiber);
    (void)fl_switch(&stack->fiber.own, &stack->fiber.frame->resumer);
    __builtin_unreachable();
}

#pragma clang attribute pop
