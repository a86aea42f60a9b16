// One step of an unwind, and the cache that makes deep recursion cheap to walk (unwind_plain.h).
#include "shim_code.h"

#include "common.h"
#include "fl_unwind.h"

#include "code_owner.h"
#include "loaded_object.h"
#include "unwind_plain.h"
#include "unwind_rules.h"

// MARK: Plain rules

// Signal context: callable.
static bool is_plain_offset(int64_t offset) { return offset > INT32_MIN && offset <= INT32_MAX; }

/// Whether `rule` of a register is plain; its offset. An undefined register keeps its value, here as in
/// `step_general`. Signal context: callable.
static bool plain_offset(const fl_register_rule *rule, int32_t *offset, int32_t *lowest) {
    *offset = FL_SAME_VALUE;
    if (rule->kind != FL_RULE_OFFSET) return rule->kind <= FL_RULE_SAME_VALUE;
    *offset = (int32_t)rule->operand;
    if (*offset < *lowest) *lowest = *offset;
    // The return address stands above all that is saved: the word behind the last one is the CFA.
    return is_plain_offset(rule->operand) && rule->operand <= -(int64_t)FL_WORD;
}

/// Takes the rules down where they are plain. Signal context: callable.
static bool make_plain(const fl_frame_rules *rules, fl_unwind_rule *rule) {
    const fl_frame_row *row = &rules->row;
    const fl_register_rule *return_rule = &row->registers[FL_DWARF_RIP];
    rule->cfa_offset = (int32_t)row->cfa_offset;
    rule->lowest = -(int32_t)FL_WORD;
    bool plain = !rules->is_signal_frame && rules->return_register == FL_DWARF_RIP && row->cfa_expression == 0 &&
                 (row->cfa_register == FL_DWARF_RBP || row->cfa_register == FL_DWARF_RSP) &&
                 is_plain_offset(row->cfa_offset) && return_rule->kind == FL_RULE_OFFSET &&
                 return_rule->operand == -(int64_t)FL_WORD &&
                 row->registers[FL_DWARF_RSP].kind == FL_RULE_UNSPECIFIED &&
                 plain_offset(&row->registers[FL_DWARF_RBP], &rule->rbp_offset, &rule->lowest) &&
                 plain_offset(&row->registers[FL_DWARF_RBX], &rule->rbx_offset, &rule->lowest) &&
                 plain_offset(&row->registers[FL_DWARF_R12], &rule->r12_offset, &rule->lowest) &&
                 plain_offset(&row->registers[FL_DWARF_R13], &rule->r13_offset, &rule->lowest) &&
                 plain_offset(&row->registers[FL_DWARF_R14], &rule->r14_offset, &rule->lowest) &&
                 plain_offset(&row->registers[FL_DWARF_R15], &rule->r15_offset, &rule->lowest);
    if (plain) rule->kind = row->cfa_register == FL_DWARF_RBP ? FL_UNWIND_FROM_RBP : FL_UNWIND_FROM_RSP;
    return plain;
}

// MARK: Any rules

/// One register of the caller.
typedef struct recovered {
    fl_unwind_result result;
    uintptr_t value;
    uintptr_t slot; ///< where it was saved, 0 if not in memory
} recovered;

// Signal context: callable.
static recovered recover(const fl_unwind_object *object, const fl_unwind_view *view, const fl_register_rule *rule,
                         uintptr_t current) {
    recovered found = {.result = FL_UNWIND_STEPPED, .value = current};
    switch (rule->kind) {
    case FL_RULE_UNSPECIFIED:
    case FL_RULE_UNDEFINED:
    case FL_RULE_SAME_VALUE: return found;
    case FL_RULE_VALUE_OFFSET: found.value = view->cfa + (uintptr_t)rule->operand; return found;
    case FL_RULE_VALUE_EXPRESSION:
        found.result = fl_expression_evaluate(object, (uintptr_t)rule->operand, view, &found.value);
        return found;
    case FL_RULE_REGISTER:
        if ((uint64_t)rule->operand < FL_DWARF_REGISTERS && (FL_DWARF_TRACKED >> rule->operand & 1) != 0) {
            found.value = view->registers[rule->operand];
        } else {
            found.result = FL_UNWIND_UNSUPPORTED;
        }
        return found;
    case FL_RULE_OFFSET: found.slot = view->cfa + (uintptr_t)rule->operand; break;
    case FL_RULE_EXPRESSION:
        found.result = fl_expression_evaluate(object, (uintptr_t)rule->operand, view, &found.slot);
        if (found.result != FL_UNWIND_STEPPED) return found;
        break;
    }
    if (!fl_stack_read(found.slot, view->low, view->high, &found.value)) found.result = FL_UNWIND_OUT_OF_BOUNDS;
    return found;
}

// Signal context: callable.
static fl_unwind_view view_of(const fl_unwind_registers *registers, uintptr_t low, uintptr_t high) {
    fl_unwind_view view = {.low = low, .high = high};
    view.registers[FL_DWARF_RBX] = registers->rbx;
    view.registers[FL_DWARF_RBP] = registers->rbp;
    view.registers[FL_DWARF_RSP] = registers->rsp;
    view.registers[FL_DWARF_R12] = registers->r12;
    view.registers[FL_DWARF_R13] = registers->r13;
    view.registers[FL_DWARF_R14] = registers->r14;
    view.registers[FL_DWARF_R15] = registers->r15;
    view.registers[FL_DWARF_RIP] = registers->rip;
    return view;
}

/// Computes the CFA into `view`. Signal context: callable.
static fl_unwind_result find_cfa(const fl_unwind_object *object, const fl_frame_row *row, fl_unwind_view *view) {
    if (row->cfa_expression != 0) {
        fl_unwind_result result = fl_expression_evaluate(object, row->cfa_expression, view, &view->cfa);
        if (result != FL_UNWIND_STEPPED) return result;
    } else if (row->cfa_register < FL_DWARF_REGISTERS && (FL_DWARF_TRACKED >> row->cfa_register & 1) != 0) {
        view->cfa = view->registers[row->cfa_register] + (uintptr_t)row->cfa_offset;
    } else {
        return FL_UNWIND_UNSUPPORTED;
    }
    view->has_cfa = true;
    return FL_UNWIND_STEPPED;
}

/// The step of any frame that the rules can describe. Signal context: callable.
static fl_unwind_result step_general(const fl_unwind_object *object, const fl_frame_rules *rules,
                                     fl_unwind_registers *registers, fl_unwind_frame *frame, uintptr_t low,
                                     uintptr_t high) {
    const fl_frame_row *row = &rules->row;
    if (rules->return_register != FL_DWARF_RIP) return FL_UNWIND_UNSUPPORTED;
    fl_unwind_view view = view_of(registers, low, high);

    const fl_register_rule *return_rule = &row->registers[FL_DWARF_RIP];
    if (return_rule->kind == FL_RULE_UNDEFINED) {
        bool has_cfa = find_cfa(object, row, &view) == FL_UNWIND_STEPPED;
        *frame = (fl_unwind_frame){.cfa = has_cfa ? view.cfa : 0};
        return FL_UNWIND_END;
    }
    if (return_rule->kind == FL_RULE_UNSPECIFIED || return_rule->kind == FL_RULE_SAME_VALUE) {
        return FL_UNWIND_UNSUPPORTED;
    }

    fl_unwind_result result = find_cfa(object, row, &view);
    if (result != FL_UNWIND_STEPPED) return result;
    // A signal may have been taken on another stack, above or below.
    if (!rules->is_signal_frame && fl_is_step_back(view.cfa, registers->rsp, low, high)) return FL_UNWIND_OUT_OF_BOUNDS;

    static const uint8_t numbers[] = {FL_DWARF_RBX, FL_DWARF_RBP, FL_DWARF_R12, FL_DWARF_R13,
                                      FL_DWARF_R14, FL_DWARF_R15, FL_DWARF_RSP, FL_DWARF_RIP};
    uintptr_t values[FL_DWARF_REGISTERS] = {0};
    uintptr_t return_address_slot = 0;
    for (unsigned i = 0; i < sizeof numbers; i++) {
        unsigned number = numbers[i];
        // The caller's stack pointer is the CFA by definition, unless a rule says otherwise.
        uintptr_t current = number == FL_DWARF_RSP ? view.cfa : view.registers[number];
        recovered found = recover(object, &view, &row->registers[number], current);
        if (found.result != FL_UNWIND_STEPPED) return found.result;
        values[number] = found.value;
        if (number == FL_DWARF_RIP) return_address_slot = found.slot;
    }
    *frame = (fl_unwind_frame){.cfa = view.cfa, .return_address_slot = return_address_slot};
    if (values[FL_DWARF_RIP] == 0) return FL_UNWIND_END;
    *registers = (fl_unwind_registers){
        .rip = values[FL_DWARF_RIP],
        .rsp = values[FL_DWARF_RSP],
        .rbp = values[FL_DWARF_RBP],
        .rbx = values[FL_DWARF_RBX],
        .r12 = values[FL_DWARF_R12],
        .r13 = values[FL_DWARF_R13],
        .r14 = values[FL_DWARF_R14],
        .r15 = values[FL_DWARF_R15],
        .is_signal_frame = rules->is_signal_frame,
    };
    return FL_UNWIND_STEPPED;
}

// MARK: Steps

/// The rule at `address`, from the cache or for it; with FL_UNWIND_BY_RULES `object` and `rules` say what to evaluate.
/// Null: `result` says why there is none. Signal context: callable.
static const fl_unwind_rule *_Nullable find_rule(fl_unwind_cache *cache, uintptr_t address, fl_loaded_object *object,
                                                 fl_frame_rules *rules, fl_unwind_result *result) {
    fl_unwind_rule *rule = fl_unwind_cached(cache, address);
    if (rule->ip == address && rule->kind != FL_UNWIND_BY_RULES) return rule;
    *result = FL_UNWIND_NO_OBJECT;
    if (address == 0 || address == UINTPTR_MAX || !fl_loaded_object_of(address, object)) return NULL;
    fl_code code = fl_code_at(address);
    fl_unwind_rule found = {.ip = address,
                            .kind = FL_UNWIND_NO_RULES,
                            .owner = (uint8_t)code.owner,
                            .keeps_frame_pointer = code.keeps_frame_pointer};
    *result = fl_frame_rules_find(&object->unwind, address, rules);
    if (*result != FL_UNWIND_STEPPED && *result != FL_UNWIND_NO_ENTRY) return NULL;
    if (*result == FL_UNWIND_STEPPED && !make_plain(rules, &found)) found.kind = FL_UNWIND_BY_RULES;
    *rule = found;
    return rule;
}

const fl_unwind_rule *fl_unwind_rule_at(fl_unwind_cache *cache, uintptr_t address) {
    fl_loaded_object object;
    fl_frame_rules rules;
    fl_unwind_result result;
    fl_unwind_rule *rule = fl_unwind_cached(cache, address);
    return rule->ip == address ? rule : find_rule(cache, address, &object, &rules, &result);
}

fl_unwind_result fl_unwind_step(fl_unwind_registers *registers, fl_unwind_frame *frame, fl_unwind_cache *cache,
                                uintptr_t low, uintptr_t high) {
    if (registers->rip == 0) return FL_UNWIND_NO_OBJECT;
    fl_loaded_object object;
    fl_frame_rules rules;
    fl_unwind_result result;
    const fl_unwind_rule *rule = find_rule(cache, fl_unwind_lookup(registers), &object, &rules, &result);
    if (rule == NULL) return result;
    if (rule->kind == FL_UNWIND_NO_RULES) return FL_UNWIND_NO_ENTRY;
    if (rule->kind == FL_UNWIND_BY_RULES) return step_general(&object.unwind, &rules, registers, frame, low, high);
    return fl_unwind_step_plain(rule, registers, frame, low, high);
}

#pragma clang attribute pop
