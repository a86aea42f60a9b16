// Frames without a description: two in five of the Swift runtime's functions, and user code that was compiled without
// -g or with -fno-asynchronous-unwind-tables.
//
// Swift code keeps frame pointers, so the saved one leads to its caller. C code without tables may keep none. Then rbp
// still is an outer function's, and a step by it skips every frame between: harmless while those are the user's, as
// the coroutine ends all the same, but a skipped frame of libc, say of the `tsearch` that called this comparator,
// would be abandoned with what it holds. Code that keeps frame pointers lets no such frame stand between, so:
//
//  - in no-abandon code that is not Swift's nothing is stepped over without a description: the walk ends;
//  - in the user's code, the frame (from the stack pointer to where rbp points) holds no return address of such code.
//    A caller that was skipped would have left one. A value that looks like one by chance ends the walk, too.
#include "shim_code.h"

#include "frame_pointer.h"

#include "code_owner.h"
#include "loaded_object.h"

enum { CALL_NEAR = 0xe8, GROUP_5 = 0xff, LONGEST_CALL = 7 };

typedef enum call_kind : uint32_t { NO_CALL = 0, DIRECT_CALL, INDIRECT_CALL } call_kind;

/// Bytes of `call *operand`, of which the opcode is the first: 0 for any other instruction. Signal context: callable.
static unsigned indirect_call_length(const uint8_t *code) {
    enum { CALL_EXTENSION = 2, SIB = 4, NO_BASE = 5 };
    if (code[0] != GROUP_5 || (code[1] >> 3 & 7) != CALL_EXTENSION) return 0;
    unsigned mode = code[1] >> 6, base = code[1] & 7;
    if (mode == 3) return 2;
    unsigned length = 2 + (base == SIB);
    if (mode == 1) return length + 1;
    bool is_wide = mode == 2 || base == NO_BASE || (base == SIB && (code[2] & 7) == NO_BASE);
    return length + (is_wide ? 4 : 0);
}

/// Whether the instruction that ends at `address` in `object` is a call. Signal context: callable.
static call_kind call_before(const fl_loaded_object *object, uintptr_t address) {
    if (!fl_object_has_code(object, address, LONGEST_CALL)) return NO_CALL;
    const uint8_t *end = (const uint8_t *)address;
    for (unsigned length = 2; length <= LONGEST_CALL; length++) {
        if (indirect_call_length(end - length) == length) return INDIRECT_CALL;
    }
    return end[-5] == CALL_NEAR ? DIRECT_CALL : NO_CALL;
}

/// Whether `address` is one that a call returns to. Signal context: callable.
static bool follows_call(uintptr_t address) {
    fl_loaded_object object;
    return fl_loaded_object_of(address - 1, &object) && call_before(&object, address) != NO_CALL;
}

/// Whether the word at `slot` may be the return address into a frame of no-abandon code that keeps no frame pointer,
/// all of which lies below `end`. Signal context: callable.
static bool may_be_skipped(uintptr_t slot, const fl_unwind_registers *registers, fl_unwind_cache *cache, uintptr_t low,
                           uintptr_t end) {
    fl_unwind_registers inside = *registers;
    inside.rip = fl_saved_word(slot, 0, 0);
    inside.rsp = slot + FL_WORD;
    inside.is_signal_frame = false;
    // No code is in the first page, on this stack, or in the kernel's half.
    if (inside.rip < FL_PAGE || inside.rip - low < end - low || (intptr_t)inside.rip < 0) return false;
    fl_loaded_object object;
    fl_code code = fl_code_at(inside.rip - 1);
    if (code.owner != FL_CODE_NO_ABANDON || code.keeps_frame_pointer) return false;
    if (!fl_loaded_object_of(inside.rip - 1, &object)) return false;
    call_kind call = call_before(&object, inside.rip);
    // A library comes to the user's code through a pointer; an allocator in the executable is part of it.
    if (call == NO_CALL || (call == DIRECT_CALL && !object.is_executable)) return false;
    // What a frame that ended has left behind seldom has a caller as well.
    fl_unwind_frame frame;
    fl_unwind_result result = fl_unwind_step(&inside, &frame, cache, low, end);
    return result != FL_UNWIND_OUT_OF_BOUNDS && (result != FL_UNWIND_STEPPED || follows_call(inside.rip));
}

// Signal context: callable.
static bool skips_none(const fl_unwind_registers *registers, fl_unwind_cache *cache, uintptr_t low, uintptr_t end) {
    uintptr_t first = fl_maximum(registers->rsp, low);
    for (uintptr_t slot = (first + FL_WORD - 1) & ~(FL_WORD - 1); slot < end; slot += FL_WORD) {
        if (may_be_skipped(slot, registers, cache, low, end)) return false;
    }
    return true;
}

fl_unwind_result fl_frame_pointer_step(const fl_unwind_rule *rule, fl_unwind_registers *registers,
                                       fl_unwind_frame *frame, fl_unwind_cache *cache, uintptr_t low, uintptr_t high) {
    enum { PUSH_RBP = 0x55, PUSH_IMMEDIATE = 0x68, PUSH_RIP_RELATIVE = 0x35 };
    bool is_user = rule->owner == FL_CODE_USER;
    const uint8_t *code = (const uint8_t *)registers->rip;
    uintptr_t slot, rbp = registers->rbp;
    // Where a function has not stored it yet, the instruction that faulted tells: `push %rbp` at its entry, or the
    // pushes of a lazy-binding stub, which lld makes without a description.
    if (registers->is_signal_frame && code[0] == PUSH_IMMEDIATE) {
        slot = registers->rsp;
    } else if (registers->is_signal_frame && code[0] == GROUP_5 && code[1] == PUSH_RIP_RELATIVE) {
        slot = registers->rsp + FL_WORD;
    } else if (!is_user && !rule->keeps_frame_pointer) {
        return FL_UNWIND_NO_ENTRY;
    } else if (registers->is_signal_frame && code[0] == PUSH_RBP) {
        slot = registers->rsp;
    } else {
        if (rbp < registers->rsp || rbp < low || rbp > high - 2 * FL_WORD || rbp % FL_WORD) {
            return FL_UNWIND_OUT_OF_BOUNDS;
        }
        if (is_user && !rule->keeps_frame_pointer && !skips_none(registers, cache, low, rbp)) return FL_UNWIND_NO_ENTRY;
        slot = rbp + FL_WORD;
        rbp = fl_saved_word(rbp, 0, 0);
    }
    // The faulting instruction of a leaf may stand with its stack pointer just below what is committed, where only the
    // return address above it may be read.
    if (slot < low || slot > high - FL_WORD || slot % FL_WORD) return FL_UNWIND_OUT_OF_BOUNDS;
    uintptr_t rip = fl_saved_word(slot, 0, 0);
    if (!follows_call(rip)) return FL_UNWIND_OUT_OF_BOUNDS;
    registers->rip = rip;
    registers->rsp = slot + FL_WORD;
    registers->rbp = rbp;
    registers->is_signal_frame = false;
    *frame = (fl_unwind_frame){.cfa = registers->rsp, .return_address_slot = slot};
    return FL_UNWIND_STEPPED;
}

#pragma clang attribute pop
