// Ending a coroutine instead of the process.
//
// Frames of libc, ld.so, the Swift runtime and this shim are never abandoned: they may hold a lock. So the whole stack
// is walked once, from the fault to the entry of the coroutine:
//
//     fault -> frames -> … -> outermost no-abandon frame -> user frames only -> fl_fiber_entry
//
// Without a no-abandon frame the coroutine ends at once. Otherwise the return address of the outermost one is replaced
// by fl_contained_return, the reserve is opened, and the code runs on until control comes there: then every frame that
// is left is the user's. A walk that meets a frame it cannot describe proves nothing, and the process ends.
#include "containment.h"

#include "capabilities.h"
#include "message.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"

#pragma clang section text = "fl_text"

enum { OWNER_CACHE = 64, ENTRY_BYTES = 64 };

typedef struct owner_cache {
    uintptr_t address[OWNER_CACHE];
    uint8_t owner[OWNER_CACHE];
} owner_cache;

// Signal context: callable.
static fl_code_owner owner_of(owner_cache *cache, uintptr_t address) {
    size_t slot = (address >> 1) % OWNER_CACHE;
    if (cache->address[slot] != address) {
        cache->address[slot] = address;
        cache->owner[slot] = (uint8_t)fl_code_owner_of(address);
    }
    return (fl_code_owner)cache->owner[slot];
}

// The part of the stack that holds `address`: further segments are slots of their own. Signal context: callable.
static bool part_of(const fl_stack *stack, uintptr_t address, uintptr_t *low, uintptr_t *high) {
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

// Nearly half of the Swift runtime's functions, and user code that was compiled without -g, have no frame description;
// Swift code keeps frame pointers, so the saved one leads on. Where a function has not stored it yet, the instruction
// that faulted tells: `push %rbp` at its entry, or the pushes of a lazy-binding stub. A function without a frame
// pointer would make this skip its caller, which errs on the safe side: the coroutine ends later than it might.
// Signal context: callable.
static fl_unwind_result step_by_frame_pointer(fl_unwind_registers *registers, fl_unwind_frame *frame, uintptr_t low,
                                              uintptr_t high) {
    enum { PUSH_RBP = 0x55, PUSH_IMMEDIATE = 0x68, PUSH_GROUP = 0xff, PUSH_RIP_RELATIVE = 0x35 };
    const uint8_t *code = (const uint8_t *)registers->rip;
    uintptr_t slot, rbp = registers->rbp;
    if (registers->is_signal_frame && (code[0] == PUSH_RBP || code[0] == PUSH_IMMEDIATE)) {
        slot = registers->rsp;
    } else if (registers->is_signal_frame && code[0] == PUSH_GROUP && code[1] == PUSH_RIP_RELATIVE) {
        slot = registers->rsp + FL_WORD;
    } else {
        if (rbp < registers->rsp || rbp < low || rbp > high - 2 * FL_WORD || rbp % FL_WORD) {
            return FL_UNWIND_OUT_OF_BOUNDS;
        }
        slot = rbp + FL_WORD;
        rbp = *(const uintptr_t *)rbp;
    }
    // The faulting instruction of a leaf may stand with its stack pointer just below what is committed, where only the
    // return address above it may be read.
    if (slot < low || slot > high - FL_WORD || slot % FL_WORD) return FL_UNWIND_OUT_OF_BOUNDS;
    registers->rip = *(const uintptr_t *)slot;
    registers->rsp = slot + FL_WORD;
    registers->rbp = rbp;
    registers->is_signal_frame = false;
    frame->cfa = registers->rsp;
    frame->return_address_slot = slot;
    return FL_UNWIND_STEPPED;
}

// Signal context: callable.
static fl_unwind_result step(const fl_stack *stack, fl_unwind_registers *registers, fl_unwind_frame *frame,
                             fl_unwind_cache *cache) {
    uintptr_t low, high;
    fl_unwind_registers before = *registers;
    fl_unwind_result result = FL_UNWIND_OUT_OF_BOUNDS;
    if (part_of(stack, registers->rsp, &low, &high)) {
        result = fl_unwind_step(registers, frame, cache, low, high);
        if (result == FL_UNWIND_NO_ENTRY) {
            *registers = before;
            result = step_by_frame_pointer(registers, frame, low, high);
        }
    }
    if (result != FL_UNWIND_OUT_OF_BOUNDS || stack->strategy != FL_STRATEGY_CHECK_SEGMENT) return result;
    // __morestack's own frame is in the segment before, where its frame pointer leads.
    *registers = before;
    if (part_of(stack, registers->rbp, &low, &high)) result = fl_unwind_step(registers, frame, cache, low, high);
    return result;
}

fl_containment fl_contain(fl_stack *stack, const fl_unwind_registers *at, bool now_only) {
    fl_unwind_cache cache;
    owner_cache owners;
    memset(&cache, 0, sizeof cache);
    memset(&owners, 0, sizeof owners);
    fl_fault_report *report = &fl_stack_details_of(stack)->fault;
    report->frames = 0;
    if (!fl_capabilities_get()->unwinds) return FL_CONTAIN_NEVER;

    fl_unwind_registers registers = *at;
    uintptr_t entry = (uintptr_t)fl_fiber_entry, replaced = 0;
    // A frame takes at least the word of its return address, which bounds the walk.
    uintptr_t maximum = (fl_stack_maximum(stack) + fl_stack_reserve(stack)) / FL_WORD;
    for (uintptr_t walked = 0; walked < maximum; walked++) {
        if (registers.rip - entry < ENTRY_BYTES) {
            if (!replaced) return FL_CONTAIN_NOW;
            if (!now_only) *(uintptr_t *)replaced = (uintptr_t)fl_contained_return;
            return FL_CONTAIN_LATER;
        }
        if (report->frames < FL_BACKTRACE_MAXIMUM) report->backtrace[report->frames++] = registers.rip;
        // A call may be the last instruction of its function: its return address then lies in the next one.
        fl_code_owner owner = owner_of(&owners, registers.is_signal_frame ? registers.rip : registers.rip - 1);
        if (owner == FL_CODE_UNKNOWN) return FL_CONTAIN_NEVER;
        fl_unwind_frame frame = {.cfa = 0, .return_address_slot = 0};
        if (step(stack, &registers, &frame, &cache) != FL_UNWIND_STEPPED) return FL_CONTAIN_NEVER;
        if (owner == FL_CODE_NO_ABANDON) {
            if (!frame.return_address_slot) return FL_CONTAIN_NEVER;
            replaced = frame.return_address_slot;
        }
    }
    return FL_CONTAIN_NEVER;
}

// Signal context: callable.
static fl_failure open_reserve(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) return fl_failure_none(); // more segments are allowed from now on
    uintptr_t low = stack->base - fl_stack_maximum(stack) - fl_stack_reserve(stack);
    fl_failure failure = fl_slot_extend(fl_stack_slot(stack), low);
    if (failure.error) return failure;
    stack->low = low;
    return failure;
}

fl_ending fl_overflow(fl_stack *stack, const fl_unwind_registers *at, uintptr_t address, fl_failure failure) {
    stack->touched_details = 1;
    fl_fault_report *report = &fl_stack_details_of(stack)->fault;
    FL_COUNT(stack, overflows, 1);
    uintptr_t used = stack->base - at->rsp;
    // Base and low are those of the segment in use, and the first one is not among the bytes of the others.
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
        used = fl_stack_initial(stack) + fl_stack_details_of(stack)->segment_bytes - (at->rsp - stack->low);
    }
    fl_statistics_used(stack, used);
    report->verdict = FL_VERDICT_OVERFLOW;
    report->error = failure.error;
    report->site = failure.site;
    report->address = address;
    report->ip = at->rip;
    report->used = used;
    report->limit = fl_stack_maximum(stack);
    report->frames = 0;

    const char *reason = NULL;
    // The reserve lies below the maximum; room that could not be made for another reason has none.
    bool reserve = fl_stack_reserve(stack) != 0 && failure.error == 0 &&
                   (stack->strategy == FL_STRATEGY_CHECK_SEGMENT ||
                    (stack->strategy != FL_STRATEGY_GROWS_DOWN &&
                     fl_slot_room((fl_slot_size)stack->slot) >= fl_stack_maximum(stack) + fl_stack_reserve(stack)));
    if (!(stack->flags & FL_STACK_CONTAINS_OVERFLOW)) {
        reason = failure.error ? "could not be given more room" : "overflowed";
    } else if (stack->flags & FL_STACK_OVERFLOWING) {
        reason = "overflowed inside code that may not be abandoned, and used up its reserve";
    } else {
        switch (fl_contain(stack, at, !reserve)) {
        case FL_CONTAIN_NOW: return FL_END_COROUTINE;
        case FL_CONTAIN_LATER:
            if (reserve) {
                failure = open_reserve(stack);
                if (!failure.error) {
                    stack->flags |= FL_STACK_OVERFLOWING;
                    fl_stack_set_limit(stack);
                    return FL_END_CONTINUE;
                }
                report->error = failure.error;
                report->site = failure.site;
            }
            reason = "overflowed inside code that may not be abandoned, and has no reserve";
            break;
        case FL_CONTAIN_NEVER: reason = "overflowed, and its frames could not be unwound"; break;
        }
    }
    fl_message_overflow(stack, report, reason);
    return FL_END_PROCESS;
}
