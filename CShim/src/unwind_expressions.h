/// What the expressions among a frame's unwind rules give. Invariants: unwind_cursor.h.
#ifndef FAULTLINE_INTERNAL_UNWIND_EXPRESSIONS_H
#define FAULTLINE_INTERNAL_UNWIND_EXPRESSIONS_H

#include "fl_unwind.h"
#include "unwind_cursor.h"

#pragma clang assume_nonnull begin

/// DWARF register numbers of the System V ABI (x86-64 supplement, figure 3.36) that an unwind keeps track of.
/// Frames may describe the others too; nothing that a caller's frame needs is ever in them after a call.
enum {
    FL_DWARF_RBX = 3,
    FL_DWARF_RBP = 6,
    FL_DWARF_RSP = 7,
    FL_DWARF_R12 = 12,
    FL_DWARF_R13 = 13,
    FL_DWARF_R14 = 14,
    FL_DWARF_R15 = 15,
    FL_DWARF_RIP = 16,
    FL_DWARF_REGISTERS = 17,
};

/// Bit n set: register n is in `fl_unwind_view`.
enum {
    FL_DWARF_TRACKED = 1 << FL_DWARF_RBX | 1 << FL_DWARF_RBP | 1 << FL_DWARF_RSP | 1 << FL_DWARF_R12 |
                       1 << FL_DWARF_R13 | 1 << FL_DWARF_R14 | 1 << FL_DWARF_R15 | 1 << FL_DWARF_RIP,
};

/// A word at any address: nothing promises that a stack is aligned where a handler meets it.
typedef uintptr_t unaligned_word __attribute__((aligned(1), may_alias));

/// The stack belongs to other functions: under a sanitizer their frames hold poisoned parts that an unwind may read.
/// A load rather than memcpy, which a sanitizer would intercept.
/// Reads the word at `address` if all of it lies in [low, high). Signal context: callable.
__attribute__((no_sanitize("address", "thread"))) static inline bool fl_stack_read(uintptr_t address, uintptr_t low,
                                                                                   uintptr_t high, uintptr_t *value) {
    if (address < low || address >= high || high - address < sizeof *value) return false;
    *value = *(const unaligned_word *)address;
    return true;
}

/// What an expression may look at.
typedef struct fl_unwind_view {
    uintptr_t registers[FL_DWARF_REGISTERS]; ///< by DWARF number; only those of FL_DWARF_TRACKED mean anything
    uintptr_t low, high;                     ///< bounds of the stack
    uintptr_t cfa;
    bool has_cfa; ///< false while the CFA itself is computed
} fl_unwind_view;

/// Evaluates the expression block (length and operations) at `block` in `object` into `value`: FL_UNWIND_STEPPED, or
/// why not. With `has_cfa` the CFA is on the expression's stack at the start, as the standard has it for registers.
/// Signal context: callable.
fl_unwind_result fl_expression_evaluate(const fl_unwind_object *object, uintptr_t block, const fl_unwind_view *view,
                                        uintptr_t *value) __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
