// Old ranges: a stale access to a range that a stack moved away from is redirected, or reported.
//
// An old slot names its stack, and a position is the distance to the base: so an access is forwarded to wherever the
// stack is *now*, and chains of moves collapse by themselves. Each forward changes at least one register that held an
// address of the old range, so an instruction is retried at most as often as it has registers.
#include "shim_code.h"

#include "forwarding.h"

#include "address_space.h"
#include "relocation.h"
#include "stack_table.h"
#include "statistics.h"

bool fl_forward(ucontext_t *context, uintptr_t address) {
    fl_slot_handle handle = fl_slot_of(address);
    if (!handle.arena) return false;
    fl_stack *stack = fl_slot_owner(fl_slot_entry(handle));
    // Only the thread that runs the stack may forward: elsewhere the stack could move again meanwhile.
    if (!stack || stack->fiber.thread != fl_thread_id()) return false;
    fl_relocation relocation = {
        .low = fl_slot_low(handle),
        .base = fl_slot_base(handle),
        .delta = stack->base - fl_slot_base(handle),
    };
    greg_t *registers = context->uc_mcontext.gregs;
    for (int i = 0; i <= REG_RSP; i++) registers[i] = (greg_t)fl_relocate(&relocation, (uintptr_t)registers[i]);
    if (relocation.relocated == 0) return false;
    FL_COUNT(stack, forwards, 1);
    FL_COUNT(stack, words_relocated, relocation.relocated);
    return true;
}

#pragma clang attribute pop
