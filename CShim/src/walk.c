// From one frame of a stack to the next, and the frames of a stack that does not run.
#include "shim_code.h"

#include "walk.h"

#include <stdlib.h>

#include "hibernation.h"

bool fl_stack_part_of(const fl_stack *stack, uintptr_t address, uintptr_t *low, uintptr_t *high) {
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
        fl_slot_handle handle = fl_slot_of(address);
        if (!handle.arena || fl_slot_owner(fl_slot_entry(handle)) != stack) return false;
        *low = fl_slot_address(handle, fl_slot_entry(handle)->low);
        *high = fl_slot_base(handle);
        return true;
    }
    // The kernel extends a grows-down stack silently; what lies above the stack pointer is mapped.
    *low = stack->strategy == FL_STRATEGY_GROWS_DOWN ? fl_stack_slot_low(stack) : stack->low;
    *high = stack->base;
    return true;
}

fl_unwind_result fl_walk_step_within(const fl_unwind_rule *rule, fl_unwind_registers *registers, fl_unwind_frame *frame,
                                     fl_unwind_cache *cache, uintptr_t low, uintptr_t high) {
    return rule->kind == FL_UNWIND_NO_RULES ? fl_frame_pointer_step(rule, registers, frame, cache, low, high)
                                            : fl_unwind_step(registers, frame, cache, low, high);
}

fl_unwind_result fl_walk_step(const fl_stack *stack, const fl_unwind_rule *rule, fl_unwind_registers *registers,
                              fl_unwind_frame *frame, fl_unwind_cache *cache) {
    uintptr_t low, high;
    fl_unwind_result result = FL_UNWIND_OUT_OF_BOUNDS;
    if (fl_stack_part_of(stack, registers->rsp, &low, &high)) {
        result = fl_walk_step_within(rule, registers, frame, cache, low, high);
    }
    if (result != FL_UNWIND_OUT_OF_BOUNDS || stack->strategy != FL_STRATEGY_CHECK_SEGMENT) return result;
    // __morestack's own frame is in the segment before, where its frame pointer leads.
    return fl_stack_part_of(stack, registers->rbp, &low, &high) ? fl_unwind_step(registers, frame, cache, low, high)
                                                                : result;
}

// A suspended stack's live words, where they lie or in a copy.
typedef struct place {
    uintptr_t low, high; // of the words as they are read
    uintptr_t delta;     // from where the stack's code put them
} place;

// Registers that a frame has saved say where the stack was.
static uintptr_t placed(const place *place, uintptr_t value) {
    return value + place->delta - place->low < place->high - place->low ? value + place->delta : value;
}

static void put_in_place(const place *place, fl_unwind_registers *registers) {
    registers->rsp = placed(place, registers->rsp);
    registers->rbp = placed(place, registers->rbp);
    registers->rbx = placed(place, registers->rbx);
    registers->r12 = placed(place, registers->r12);
    registers->r13 = placed(place, registers->r13);
    registers->r14 = placed(place, registers->r14);
    registers->r15 = placed(place, registers->r15);
}

static size_t walk(const fl_stack *stack, const place *copy, uintptr_t *addresses, size_t maximum) {
    fl_unwind_cache cache;
    memset(&cache, 0, sizeof cache);
    const fl_context *own = &stack->fiber.own;
    fl_unwind_registers registers = {.rip = (uintptr_t)own->ip, .rsp = (uintptr_t)own->sp, .rbp = (uintptr_t)own->bp};
    size_t frames = 0;
    while (frames < maximum && registers.rip - (uintptr_t)fl_fiber_entry >= FL_ENTRY_BYTES) {
        addresses[frames++] = registers.rip;
        if (copy) put_in_place(copy, &registers);
        const fl_unwind_rule *rule = fl_unwind_rule_at(&cache, fl_unwind_lookup(&registers));
        fl_unwind_frame frame;
        if (!rule) break;
        fl_unwind_result result = copy ? fl_walk_step_within(rule, &registers, &frame, &cache, copy->low, copy->high)
                                       : fl_walk_step(stack, rule, &registers, &frame, &cache);
        if (result != FL_UNWIND_STEPPED) break;
    }
    return frames;
}

size_t fl_stack_backtrace(const fl_stack *stack, uintptr_t *addresses, size_t maximum) {
    switch (stack->fiber.state) {
    case FL_FIBER_SUSPENDED:
    case FL_FIBER_IDLE: return walk(stack, NULL, addresses, maximum);
    case FL_FIBER_HIBERNATED: break;
    case FL_FIBER_CREATED:
    case FL_FIBER_RUNNING:
    case FL_FIBER_FINISHED:
    case FL_FIBER_FAULTED: return 0;
    }
    size_t bytes;
    void *words;
    if (!fl_hibernated_copy(stack, &words, &bytes)) return walk(stack, NULL, addresses, maximum);
    if (!words) return 0;
    uintptr_t low = (uintptr_t)words;
    place copy = {.low = low, .high = low + bytes, .delta = low + bytes - stack->base};
    size_t frames = walk(stack, &copy, addresses, maximum);
    free(words);
    return frames;
}

#pragma clang attribute pop
