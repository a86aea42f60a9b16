/// From an address to the unwind rules of its frame. Invariants: unwind_cursor.h.
#ifndef FAULTLINE_INTERNAL_UNWIND_RULES_H
#define FAULTLINE_INTERNAL_UNWIND_RULES_H

#include "unwind_expressions.h"

#pragma clang assume_nonnull begin

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

typedef struct fl_code_range {
    uintptr_t low, high;
} fl_code_range;

/// The code of the function that holds `address`, as its frame description has it; empty where there is none.
/// Signal context: callable.
fl_code_range fl_function_of(const fl_unwind_object *object, uintptr_t address) __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
