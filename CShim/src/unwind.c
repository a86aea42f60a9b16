// One step of an unwind, the cache that makes deep recursion cheap to walk, and whose code an address is.
//
// The only call out of the shim is `_dl_find_object`, which takes no lock. A walk over an overflow of a million frames
// meets a handful of return addresses, so the usual step is one lookup in the cache and two to eight loads.
#include "common.h"
#include "fl_unwind.h"

#include <link.h>

#include "unwind_rules.h"

#pragma clang section text = "fl_text"

// MARK: The dynamic linker's answer

/// `struct dl_find_object` of glibc's <dlfcn.h>, mirrored because headers before 2.35 lack it.
typedef struct found_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *link_map;
    void *eh_frame; ///< the PT_GNU_EH_FRAME segment, which is .eh_frame_hdr
    unsigned long long reserved[7];
} found_object;

#if defined(__USE_GNU) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
_Static_assert(sizeof(found_object) == sizeof(struct dl_find_object), "mirrors glibc");
_Static_assert(offsetof(found_object, link_map) == offsetof(struct dl_find_object, dlfo_link_map), "mirrors glibc");
_Static_assert(offsetof(found_object, eh_frame) == offsetof(struct dl_find_object, dlfo_eh_frame), "mirrors glibc");
#endif
#endif

/// Weak: absent before glibc 2.35. The alias keeps this declaration out of the way of <dlfcn.h>'s.
extern int linked_find_object(void *address, found_object *result) __asm__("_dl_find_object") __attribute__((weak));

/// Called through a pointer that the loader fills in at startup: a call through the PLT would bind the symbol lazily,
/// inside the handler. Volatile, or the compiler turns it back into that call.
static int (*const volatile find_object)(void *, found_object *) = linked_find_object;

// Signal context: callable.
static bool object_of(uintptr_t address, found_object *object) {
    int (*find)(void *, found_object *) = find_object;
    return find != NULL && find((void *)address, object) == 0;
}

// MARK: Steps

/// Whether a step to `cfa` leads nowhere. On one stack the caller's stack pointer lies above the callee's, so a damaged
/// stack cannot lead a walk in circles. A frame that spans two stacks (a stack segment and the one before) may lead
/// either way: there the stack pointer lies outside [low, high), the part that the caller's frame is in.
/// Signal context: callable.
static inline bool is_step_back(uintptr_t cfa, uintptr_t rsp, uintptr_t low, uintptr_t high) {
    return cfa <= rsp && rsp >= low && rsp < high;
}

// MARK: Cached rules

/// The offset of a register that a frame leaves alone.
static const int32_t SAME_VALUE = INT32_MIN;

// Signal context: callable.
static fl_unwind_rule *cache_slot(fl_unwind_cache *cache, uintptr_t address) {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
    _Static_assert(FL_UNWIND_CACHE_ENTRIES == 1 << 7, "the shift keeps seven bits");
    return &cache->rules[(uint64_t)address * 0x9e3779b97f4a7c15u >> 57];
}

/// Replaces `value` by the word that the frame saved, if it saved it. Signal context: callable.
static inline bool reload(uintptr_t *value, int32_t offset, uintptr_t cfa, uintptr_t low, uintptr_t high) {
    return offset == SAME_VALUE || fl_stack_read(cfa + (uintptr_t)(intptr_t)offset, low, high, value);
}

/// The step of a frame whose rules are plain: the CFA is rbp or rsp plus an offset, the return address lies just below
/// it, and every register is either untouched or saved at an offset from it. Signal context: callable.
static fl_unwind_result step_plain(const fl_unwind_rule *rule, fl_unwind_registers *registers, fl_unwind_frame *frame,
                                   uintptr_t low, uintptr_t high) {
    uintptr_t base = rule->cfa_register == FL_DWARF_RBP ? registers->rbp : registers->rsp;
    uintptr_t cfa = base + (uintptr_t)(intptr_t)rule->cfa_offset;
    if (is_step_back(cfa, registers->rsp, low, high)) return FL_UNWIND_OUT_OF_BOUNDS;
    fl_unwind_registers caller = *registers;
    if (!(fl_stack_read(cfa - sizeof(uintptr_t), low, high, &caller.rip) &&
          reload(&caller.rbp, rule->rbp_offset, cfa, low, high) &&
          reload(&caller.rbx, rule->rbx_offset, cfa, low, high) &&
          reload(&caller.r12, rule->r12_offset, cfa, low, high) &&
          reload(&caller.r13, rule->r13_offset, cfa, low, high) &&
          reload(&caller.r14, rule->r14_offset, cfa, low, high) &&
          reload(&caller.r15, rule->r15_offset, cfa, low, high))) {
        return FL_UNWIND_OUT_OF_BOUNDS;
    }
    *frame = (fl_unwind_frame){.cfa = cfa, .return_address_slot = cfa - sizeof(uintptr_t)};
    if (caller.rip == 0) return FL_UNWIND_END;
    caller.rsp = cfa;
    caller.is_signal_frame = false;
    *registers = caller;
    return FL_UNWIND_STEPPED;
}

// Signal context: callable.
static bool is_plain_offset(int64_t offset) { return offset > INT32_MIN && offset <= INT32_MAX; }

/// Whether `rule` of a register is plain; its offset. An undefined register keeps its value, here as in
/// `step_general`. Signal context: callable.
static bool plain_offset(const fl_register_rule *rule, int32_t *offset) {
    *offset = SAME_VALUE;
    if (rule->kind != FL_RULE_OFFSET) return rule->kind <= FL_RULE_SAME_VALUE;
    *offset = (int32_t)rule->operand;
    return is_plain_offset(rule->operand);
}

/// Whether `rules` are plain, see `step_plain`; if so, `rule` is what to cache. Signal context: callable.
static bool make_plain(const fl_frame_rules *rules, uintptr_t address, fl_unwind_rule *rule) {
    const fl_frame_row *row = &rules->row;
    const fl_register_rule *return_rule = &row->registers[FL_DWARF_RIP];
    rule->ip = address;
    rule->cfa_register = (uint32_t)row->cfa_register;
    rule->cfa_offset = (int32_t)row->cfa_offset;
    return !rules->is_signal_frame && row->cfa_expression == 0 &&
           (row->cfa_register == FL_DWARF_RBP || row->cfa_register == FL_DWARF_RSP) &&
           is_plain_offset(row->cfa_offset) && return_rule->kind == FL_RULE_OFFSET &&
           return_rule->operand == -(int64_t)sizeof(uintptr_t) &&
           row->registers[FL_DWARF_RSP].kind == FL_RULE_UNSPECIFIED &&
           plain_offset(&row->registers[FL_DWARF_RBP], &rule->rbp_offset) &&
           plain_offset(&row->registers[FL_DWARF_RBX], &rule->rbx_offset) &&
           plain_offset(&row->registers[FL_DWARF_R12], &rule->r12_offset) &&
           plain_offset(&row->registers[FL_DWARF_R13], &rule->r13_offset) &&
           plain_offset(&row->registers[FL_DWARF_R14], &rule->r14_offset) &&
           plain_offset(&row->registers[FL_DWARF_R15], &rule->r15_offset);
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
    if (!rules->is_signal_frame && is_step_back(view.cfa, registers->rsp, low, high)) return FL_UNWIND_OUT_OF_BOUNDS;

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

fl_unwind_result fl_unwind_step(fl_unwind_registers *registers, fl_unwind_frame *frame, fl_unwind_cache *cache,
                                uintptr_t low, uintptr_t high) {
    // A call may be the last instruction of its function, so a return address is looked up one byte before.
    uintptr_t address = registers->is_signal_frame ? registers->rip : registers->rip - 1;
    if (registers->rip == 0 || address == 0) return FL_UNWIND_NO_OBJECT;
    fl_unwind_rule *slot = cache_slot(cache, address);
    if (slot->ip == address) return step_plain(slot, registers, frame, low, high);

    found_object found;
    if (!object_of(address, &found)) return FL_UNWIND_NO_OBJECT;
    fl_unwind_object object = {.start = (uintptr_t)found.map_start,
                               .end = (uintptr_t)found.map_end,
                               .frame_header = (uintptr_t)found.eh_frame};
    fl_frame_rules rules;
    fl_unwind_result result = fl_frame_rules_find(&object, address, &rules);
    if (result != FL_UNWIND_STEPPED) return result;

    fl_unwind_rule plain;
    if (rules.return_register == FL_DWARF_RIP && make_plain(&rules, address, &plain)) {
        *slot = plain;
        return step_plain(slot, registers, frame, low, high);
    }
    return step_general(&object, &rules, registers, frame, low, high);
}

// MARK: Whose code

/// The section that every file of the shim puts its code into. The linker makes the symbols; weak, because a link that
/// drops all of the code has none.
extern const char __start_fl_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_fl_text[] __attribute__((weak, visibility("hidden")));

// Signal context: callable.
static bool is_shim(uintptr_t address) {
    return address >= (uintptr_t)__start_fl_text && address < (uintptr_t)__stop_fl_text;
}

/// Beginnings of the file names of libraries that hold locks, caches or half-made metadata while they run: the C and
/// C++ libraries, the dynamic linker, the Swift runtime and what ships with it. A user's library that happens to
/// share a beginning is never abandoned either, which costs a containment and breaks nothing.
static const char no_abandon_names[][20] = {
    "libc.so",       "libc-",       "ld-linux",         "ld-",         "libpthread", "libm.",     "libm-",
    "libdl",         "librt",       "libstdc++",        "libc++",      "libgcc_s",   "libswift",  "lib_Foundation",
    "libFoundation", "libdispatch", "libBlocksRuntime", "lib_Testing", "libTesting", "libXCTest", "linux-vdso",
};

/// Longest path of an object that is looked at, as in PATH_MAX.
enum { MAX_PATH_LENGTH = 4096 };

// Signal context: callable.
static bool has_prefix(const char *name, const char *prefix) {
    while (*prefix != '\0' && *name == *prefix) name++, prefix++;
    return *prefix == '\0';
}

// Signal context: callable.
static bool is_no_abandon_path(const char *path) {
    const char *name = path;
    for (unsigned i = 0; path[i] != '\0'; i++) {
        if (i == MAX_PATH_LENGTH) return true;
        if (path[i] == '/') name = path + i + 1;
    }
    for (unsigned i = 0; i < sizeof no_abandon_names / sizeof no_abandon_names[0]; i++) {
        if (has_prefix(name, no_abandon_names[i])) return true;
    }
    return false;
}

fl_code_owner fl_code_owner_of(uintptr_t address) {
    if (is_shim(address)) return FL_CODE_NO_ABANDON;
    found_object found;
    if (!object_of(address, &found) || found.link_map == NULL || found.link_map->l_name == NULL) return FL_CODE_UNKNOWN;
    const struct link_map *map = found.link_map;
    if (map->l_name[0] != '\0') return is_no_abandon_path(map->l_name) ? FL_CODE_NO_ABANDON : FL_CODE_USER;
    // No name: the executable, which is the first of its list, or the vDSO, which is not a file.
    return map->l_prev == NULL ? FL_CODE_USER : FL_CODE_NO_ABANDON;
}

/// Absent from a process without Swift. Its address only; it is never called.
extern void *swift_retain(void *object) __attribute__((weak));

bool fl_code_owner_is_known(void) {
    int (*find)(void *, found_object *) = find_object;
    // In a static executable even `_dl_find_object` is the executable's.
    if (find == NULL || fl_code_owner_of((uintptr_t)find) != FL_CODE_NO_ABANDON) return false;
    return swift_retain == NULL || fl_code_owner_of((uintptr_t)swift_retain) == FL_CODE_NO_ABANDON;
}
