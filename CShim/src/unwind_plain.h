/// The step that nearly every frame takes: rules from the cache, and loads at offsets from the CFA. Inline, because a
/// walk over an overflow takes tens of thousands of them.
#ifndef FAULTLINE_INTERNAL_UNWIND_PLAIN_H
#define FAULTLINE_INTERNAL_UNWIND_PLAIN_H

#include "common.h"
#include "unwind_expressions.h"

#pragma clang assume_nonnull begin

/// The offset of a register that a frame leaves alone.
static const int32_t FL_SAME_VALUE = INT32_MIN;

/// A call may be the last instruction of its function, so a return address is looked up one byte before.
/// Signal context: callable.
static inline uintptr_t fl_unwind_lookup(const fl_unwind_registers *registers) {
    return registers->is_signal_frame ? registers->rip : registers->rip - 1;
}

/// Where the cache has the rule of `address`, if it has it. Signal context: callable.
static inline fl_unwind_rule *fl_unwind_cached(fl_unwind_cache *cache, uintptr_t address) {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
    _Static_assert(FL_UNWIND_CACHE_ENTRIES == 1 << 7, "the shift keeps seven bits");
    return &cache->rules[(uint64_t)address * 0x9e3779b97f4a7c15u >> 57];
}

/// Whether a step to `cfa` leads nowhere. On one stack the caller's stack pointer lies above the callee's, so a damaged
/// stack cannot lead a walk in circles. A frame that spans two stacks (a stack segment and the one before) may lead
/// either way: there the stack pointer lies outside [low, high), the part that the caller's frame is in.
/// Signal context: callable.
static inline bool fl_is_step_back(uintptr_t cfa, uintptr_t rsp, uintptr_t low, uintptr_t high) {
    return cfa <= rsp && rsp >= low && rsp < high;
}

/// The word of another function's frame, whose bounds were checked. Signal context: callable.
__attribute__((no_sanitize("address", "thread"))) static inline uintptr_t fl_saved_word(uintptr_t cfa, int32_t offset,
                                                                                        uintptr_t otherwise) {
    return offset == FL_SAME_VALUE ? otherwise : *(const unaligned_word *)(cfa + (uintptr_t)(intptr_t)offset);
}

/// The step by a rule of the kinds FL_UNWIND_FROM_RSP and FL_UNWIND_FROM_RBP. Signal context: callable.
static inline fl_unwind_result fl_unwind_step_plain(const fl_unwind_rule *rule, fl_unwind_registers *registers,
                                                    fl_unwind_frame *frame, uintptr_t low, uintptr_t high) {
    uintptr_t base = rule->kind == FL_UNWIND_FROM_RBP ? registers->rbp : registers->rsp;
    uintptr_t cfa = base + (uintptr_t)(intptr_t)rule->cfa_offset;
    // All that is read lies in [cfa + lowest, cfa).
    uintptr_t size = (uintptr_t)-(intptr_t)rule->lowest;
    if (cfa > high || cfa < low || cfa - low < size) return FL_UNWIND_OUT_OF_BOUNDS;
    if (fl_is_step_back(cfa, registers->rsp, low, high)) return FL_UNWIND_OUT_OF_BOUNDS;
    *frame = (fl_unwind_frame){.cfa = cfa, .return_address_slot = cfa - FL_WORD};
    uintptr_t rip = fl_saved_word(cfa, -(int32_t)FL_WORD, 0);
    if (rip == 0) return FL_UNWIND_END;
    registers->rip = rip;
    registers->rsp = cfa;
    registers->rbp = fl_saved_word(cfa, rule->rbp_offset, registers->rbp);
    registers->rbx = fl_saved_word(cfa, rule->rbx_offset, registers->rbx);
    registers->r12 = fl_saved_word(cfa, rule->r12_offset, registers->r12);
    registers->r13 = fl_saved_word(cfa, rule->r13_offset, registers->r13);
    registers->r14 = fl_saved_word(cfa, rule->r14_offset, registers->r14);
    registers->r15 = fl_saved_word(cfa, rule->r15_offset, registers->r15);
    registers->is_signal_frame = false;
    return FL_UNWIND_STEPPED;
}

/// What holds at `address`; null where no object holds it, or its description cannot be read.
/// Signal context: callable.
const fl_unwind_rule *_Nullable fl_unwind_rule_at(fl_unwind_cache *cache, uintptr_t address);

#pragma clang assume_nonnull end
#endif
