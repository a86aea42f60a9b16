/// Private to the unwinder (unwind.c): from an address to the unwind rules of its frame (unwind_rules.c), and
/// what the expressions among them give (unwind_expressions.c).
///
/// Invariants:
///
///  - everything is read through a cursor whose end lies inside the mapped range of the object that is described, so
///    damaged tables give a refusal and never a wild read;
///  - every loop is bounded by the bytes of one record and by a named constant besides;
///  - the state is a few KiB on the caller's stack; there is no other.
#ifndef FAULTLINE_UNWIND_RULES_H
#define FAULTLINE_UNWIND_RULES_H

#include "fl_unwind.h"

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
    FL_DWARF_TRACKED = 1 << FL_DWARF_RBX | 1 << FL_DWARF_RBP | 1 << FL_DWARF_RSP | 1 << FL_DWARF_R12
        | 1 << FL_DWARF_R13 | 1 << FL_DWARF_R14 | 1 << FL_DWARF_R15 | 1 << FL_DWARF_RIP,
};

/// The object that holds an address, as the dynamic linker describes it.
typedef struct fl_unwind_object {
    uintptr_t start, end;   ///< its mapped range
    uintptr_t frame_header; ///< its .eh_frame_hdr, 0 if it has none
} fl_unwind_object;

/// How a register of the caller is found.
typedef enum __attribute__((enum_extensibility(closed))) fl_rule_kind : uint32_t {
    FL_RULE_UNSPECIFIED = 0,  ///< no rule: the ABI's default, which is the same value
    FL_RULE_UNDEFINED,        ///< lost
    FL_RULE_SAME_VALUE,       ///< unchanged
    FL_RULE_OFFSET,           ///< in memory at CFA + operand
    FL_RULE_VALUE_OFFSET,     ///< is CFA + operand
    FL_RULE_REGISTER,         ///< in the register whose number is the operand
    FL_RULE_EXPRESSION,       ///< in memory where the expression block at the operand says
    FL_RULE_VALUE_EXPRESSION, ///< is what the expression block at the operand says
} fl_rule_kind;

typedef struct fl_register_rule {
    fl_rule_kind kind;
    int64_t operand;
} fl_register_rule;

/// One row of the unwind table: what holds at one address.
typedef struct fl_frame_row {
    uintptr_t cfa_expression; ///< address of the expression block, 0: register + offset
    uint64_t cfa_register;
    int64_t cfa_offset;
    fl_register_rule registers[FL_DWARF_REGISTERS];
} fl_frame_row;

typedef struct fl_frame_rules {
    fl_frame_row row;
    uint64_t return_register; ///< the column of the return address
    bool is_signal_frame;     ///< the frame that a signal's delivery made: its caller was interrupted, not calling
} fl_frame_rules;

/// Finds the rules that hold at `address` in `object`: FL_UNWIND_STEPPED, or why not.
/// Signal context: callable.
fl_unwind_result fl_frame_rules_find(const fl_unwind_object *object, uintptr_t address, fl_frame_rules *rules)
    __attribute__((visibility("hidden")));

/// What an expression may look at.
typedef struct fl_unwind_view {
    uintptr_t registers[FL_DWARF_REGISTERS]; ///< by DWARF number; only those of FL_DWARF_TRACKED mean anything
    uintptr_t low, high;                     ///< bounds of the stack
    uintptr_t cfa;
    bool has_cfa;                            ///< false while the CFA itself is computed
} fl_unwind_view;

/// Evaluates the expression block (length and operations) at `block` in `object` into `value`: FL_UNWIND_STEPPED, or
/// why not. With `has_cfa` the CFA is on the expression's stack at the start, as the standard has it for registers.
/// Signal context: callable.
fl_unwind_result fl_expression_evaluate(const fl_unwind_object *object, uintptr_t block, const fl_unwind_view *view,
                                        uintptr_t *value) __attribute__((visibility("hidden")));

/// Reads the word at `address` if all of it lies in [low, high). Signal context: callable.
bool fl_stack_read(uintptr_t address, uintptr_t low, uintptr_t high, uintptr_t *value)
    __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
