// The reader of .eh_frame_hdr and .eh_frame. Invariants: unwind_cursor.h.
//
// Formats: Linux Standard Base Core 5.0, chapter 10.6 (Exception Frames); DWARF 5, chapters 2.5 and 6.4. Where the two
// leave room, this does what libgcc's unwinder does, because that is what compilers and glibc are tested with.
#include "shim_code.h"

#include "unwind_rules.h"

/// Pointer encodings (LSB 10.5.1).
enum {
    POINTER_FORMAT_MASK = 0x0f,
    POINTER_ABSOLUTE = 0x00, // format: eight bytes; application: as it is
    POINTER_ULEB128 = 0x01,
    POINTER_UDATA2 = 0x02,
    POINTER_UDATA4 = 0x03,
    POINTER_UDATA8 = 0x04,
    POINTER_SLEB128 = 0x09,
    POINTER_SDATA2 = 0x0a,
    POINTER_SDATA4 = 0x0b,
    POINTER_SDATA8 = 0x0c,
    POINTER_APPLICATION_MASK = 0xf0, // with the bit for "indirect", which nothing here follows
    POINTER_PC_RELATIVE = 0x10,
    POINTER_DATA_RELATIVE = 0x30,
};

/// Operations of one CIE and FDE. The largest functions of the Swift toolchain have a few thousand.
enum { MAX_FRAME_OPERATIONS = 1 << 16 };
/// Nesting of remember_state. Compilers emit one level, two where shrink-wrapped epilogues nest.
enum { MAX_REMEMBERED_ROWS = 8 };

// MARK: Encoded pointers

/// The number that an encoded pointer consists of, before it is applied to anything. Signal context: callable.
static uintptr_t take_format(cursor *from, uint8_t encoding) {
    switch (encoding & POINTER_FORMAT_MASK) {
    case POINTER_ABSOLUTE:
    case POINTER_UDATA8:
    case POINTER_SDATA8: return take_fixed(from, 8);
    case POINTER_UDATA4: return take_fixed(from, 4);
    case POINTER_SDATA4: return (uintptr_t)take_signed(from, 4);
    case POINTER_UDATA2: return take_fixed(from, 2);
    case POINTER_SDATA2: return (uintptr_t)take_signed(from, 2);
    case POINTER_ULEB128: return take_uleb(from);
    case POINTER_SLEB128: return (uintptr_t)take_sleb(from);
    default: from->failed = true; return 0;
    }
}

/// An encoded pointer to code. Signal context: callable.
static uintptr_t take_pointer(cursor *from, uint8_t encoding) {
    uintptr_t origin = from->at;
    uintptr_t value = take_format(from, encoding);
    switch (encoding & POINTER_APPLICATION_MASK) {
    case POINTER_ABSOLUTE: return value;
    case POINTER_PC_RELATIVE: return origin + value;
    default: from->failed = true; return 0;
    }
}

/// Steps over an expression block; its address. Signal context: callable.
static uintptr_t take_block(cursor *from) {
    uintptr_t block = from->at;
    uint64_t length = take_uleb(from);
    skip(from, length);
    return block;
}

// MARK: Search table

/// The address of the FDE that the search table of `object` has for `address`. Signal context: callable.
static fl_unwind_result find_description(const fl_unwind_object *object, uintptr_t address, uintptr_t *description) {
    enum { ENTRY_SIZE = 8, VERSION = 1 };
    if (object->frame_header == 0) return FL_UNWIND_NO_ENTRY;
    uintptr_t base = object->frame_header;
    cursor header = cursor_make(object, base, object->end - base);
    uint8_t version = take_byte(&header);
    uint8_t frame_encoding = take_byte(&header);
    uint8_t count_encoding = take_byte(&header);
    uint8_t table_encoding = take_byte(&header);
    take_format(&header, frame_encoding);
    uint64_t count = take_format(&header, count_encoding);
    if (header.failed || version != VERSION || (count_encoding & POINTER_APPLICATION_MASK) != POINTER_ABSOLUTE ||
        table_encoding != (POINTER_DATA_RELATIVE | POINTER_SDATA4) || count > (header.end - header.at) / ENTRY_SIZE) {
        return FL_UNWIND_UNSUPPORTED;
    }

    // The last entry that begins at or before the address: entries before `low` do, entries from `high` on do not.
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        cursor entry = cursor_make(object, header.at + middle * ENTRY_SIZE, ENTRY_SIZE);
        if (base + (uintptr_t)take_signed(&entry, 4) <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) return FL_UNWIND_NO_ENTRY;
    cursor entry = cursor_make(object, header.at + (low - 1) * ENTRY_SIZE, ENTRY_SIZE);
    skip(&entry, 4);
    *description = base + (uintptr_t)take_signed(&entry, 4);
    return FL_UNWIND_STEPPED;
}

// MARK: Records

/// What a CIE says about the FDEs that refer to it.
typedef struct common {
    uint64_t code_alignment;
    int64_t data_alignment;
    uint64_t return_register;
    uint8_t pointer_encoding;
    bool has_augmentation_data;
    bool is_signal_frame;
    cursor program;
} common;

/// A cursor over the record at `address`, behind its length; failed for the terminator and for 64-bit records, which
/// no x86-64 toolchain emits. Signal context: callable.
static cursor record_open(const fl_unwind_object *object, uintptr_t address) {
    cursor length = cursor_make(object, address, 4);
    uint64_t size = take_fixed(&length, 4);
    cursor body = cursor_make(object, length.at, size);
    if (length.failed || size == 0 || size == UINT32_MAX) body.failed = true;
    return body;
}

/// Reads the augmentation data that `letters` (behind the 'z') describe. False: a letter that this does not know.
/// Signal context: callable.
static bool read_augmentation(cursor letters, cursor *data, common *cie) {
    while (cursor_has_more(&letters)) {
        switch (take_byte(&letters)) {
        case 'R': cie->pointer_encoding = take_byte(data); break;
        case 'P': {
            uint8_t encoding = take_byte(data);
            if ((encoding & ~0x80 & POINTER_APPLICATION_MASK) == 0x50) return false; // aligned: not in use
            take_format(data, encoding);
            break;
        }
        case 'L': take_byte(data); break;
        case 'S': cie->is_signal_frame = true; break;
        case 'B': break; // return addresses signed with another key, on processors that sign them
        default: return false;
        }
    }
    return !data->failed;
}

// Signal context: callable.
static bool read_common(const fl_unwind_object *object, uintptr_t address, common *cie) {
    cursor body = record_open(object, address);
    uint64_t id = take_fixed(&body, 4);
    uint8_t version = take_byte(&body);
    if (body.failed || id != 0 || (version != 1 && version != 3)) return false;

    cursor letters = {.at = body.at, .end = body.at};
    while (take_byte(&body) != 0) letters.end = body.at;

    *cie = (common){.pointer_encoding = POINTER_ABSOLUTE};
    cie->code_alignment = take_uleb(&body);
    cie->data_alignment = take_sleb(&body);
    cie->return_register = version == 1 ? take_byte(&body) : take_uleb(&body);
    if (body.failed) return false;

    if (cursor_has_more(&letters)) {
        if (take_byte(&letters) != 'z') return false;
        cie->has_augmentation_data = true;
        uint64_t length = take_uleb(&body);
        cursor data = body;
        skip(&body, length);
        if (body.failed) return false;
        data.end = body.at;
        if (!read_augmentation(letters, &data, cie)) return false;
    }
    cie->program = body;
    return true;
}

// MARK: Frame programs

// Signal context: callable.
static void set_rule(fl_frame_row *row, uint64_t number, fl_rule_kind kind, uint64_t operand) {
    // The others are vector registers, all of which a callee may destroy.
    if (number < FL_DWARF_REGISTERS) row->registers[number] = (fl_register_rule){kind, (int64_t)operand};
}

// Signal context: callable.
static void restore_rule(fl_frame_row *row, uint64_t number, const fl_frame_row *initial) {
    if (number < FL_DWARF_REGISTERS) row->registers[number] = initial->registers[number];
}

// Signal context: callable.
static int64_t scaled(int64_t factor, const common *cie) {
    return (int64_t)((uint64_t)factor * (uint64_t)cie->data_alignment);
}

// Signal context: callable.
static void set_cfa(fl_frame_row *row, uint64_t number, int64_t offset) {
    row->cfa_expression = 0;
    row->cfa_register = number;
    row->cfa_offset = offset;
}

/// Runs a program on `row` until it passes `address` or ends. `initial` holds what restore goes back to.
/// False: damaged, or an operation that this does not know. Signal context: callable.
static bool run_program(cursor program, const common *cie, uintptr_t location, uintptr_t address,
                        const fl_frame_row *initial, fl_frame_row *row) {
    fl_frame_row remembered[MAX_REMEMBERED_ROWS];
    unsigned depth = 0;
    for (unsigned count = 0; location <= address && cursor_has_more(&program); count++) {
        if (count == MAX_FRAME_OPERATIONS) return false;
        uint8_t byte = take_byte(&program);
        uint8_t low_bits = byte & 0x3f;
        uint64_t number, advance = 0;
        switch (byte & 0xc0) {
        case 0x40: location += low_bits * cie->code_alignment; continue;
        case 0x80:
            set_rule(row, low_bits, FL_RULE_OFFSET, (uint64_t)scaled((int64_t)take_uleb(&program), cie));
            continue;
        case 0xc0: restore_rule(row, low_bits, initial); continue;
        default: break;
        }
        switch (byte) {
        case 0x00: break;                                                           // nop
        case 0x01: location = take_pointer(&program, cie->pointer_encoding); break; // set_loc
        case 0x02: advance = take_fixed(&program, 1); break;                        // advance_loc1
        case 0x03: advance = take_fixed(&program, 2); break;                        // advance_loc2
        case 0x04: advance = take_fixed(&program, 4); break;                        // advance_loc4
        case 0x05:                                                                  // offset_extended
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_OFFSET, (uint64_t)scaled((int64_t)take_uleb(&program), cie));
            break;
        case 0x06: restore_rule(row, take_uleb(&program), initial); break;           // restore_extended
        case 0x07: set_rule(row, take_uleb(&program), FL_RULE_UNDEFINED, 0); break;  // undefined
        case 0x08: set_rule(row, take_uleb(&program), FL_RULE_SAME_VALUE, 0); break; // same_value
        case 0x09:                                                                   // register
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_REGISTER, take_uleb(&program));
            break;
        case 0x0a: // remember_state
            if (depth == MAX_REMEMBERED_ROWS) return false;
            remembered[depth++] = *row;
            break;
        case 0x0b: // restore_state
            if (depth == 0) return false;
            *row = remembered[--depth];
            break;
        case 0x0c: // def_cfa
            number = take_uleb(&program);
            set_cfa(row, number, (int64_t)take_uleb(&program));
            break;
        case 0x0d: set_cfa(row, take_uleb(&program), row->cfa_offset); break; // def_cfa_register
        case 0x0e: row->cfa_offset = (int64_t)take_uleb(&program); break;     // def_cfa_offset
        case 0x0f: row->cfa_expression = take_block(&program); break;         // def_cfa_expression
        case 0x10:                                                            // expression
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_EXPRESSION, take_block(&program));
            break;
        case 0x11: // offset_extended_sf
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_OFFSET, (uint64_t)scaled(take_sleb(&program), cie));
            break;
        case 0x12: // def_cfa_sf
            number = take_uleb(&program);
            set_cfa(row, number, scaled(take_sleb(&program), cie));
            break;
        case 0x13: row->cfa_offset = scaled(take_sleb(&program), cie); break; // def_cfa_offset_sf
        case 0x14:                                                            // val_offset
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_VALUE_OFFSET, (uint64_t)scaled((int64_t)take_uleb(&program), cie));
            break;
        case 0x15: // val_offset_sf
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_VALUE_OFFSET, (uint64_t)scaled(take_sleb(&program), cie));
            break;
        case 0x16: // val_expression
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_VALUE_EXPRESSION, take_block(&program));
            break;
        case 0x2e: take_uleb(&program); break; // GNU_args_size: for landing pads, of no use here
        case 0x2f:                             // GNU_negative_offset_extended
            number = take_uleb(&program);
            set_rule(row, number, FL_RULE_OFFSET, 0 - (uint64_t)scaled((int64_t)take_uleb(&program), cie));
            break;
        default: return false;
        }
        location += advance * cie->code_alignment;
    }
    return !program.failed;
}

/// One function's description: its code, its CIE, and its program.
typedef struct description {
    uintptr_t first, length;
    common cie;
    cursor program;
} description;

/// The description that covers `address`. Signal context: callable.
static fl_unwind_result describe(const fl_unwind_object *object, uintptr_t address, description *of) {
    uintptr_t at = 0;
    fl_unwind_result found = find_description(object, address, &at);
    if (found != FL_UNWIND_STEPPED) return found;
    cursor body = record_open(object, at);
    uintptr_t back_link = body.at;
    uint64_t distance = take_fixed(&body, 4);
    if (body.failed || distance == 0 || !read_common(object, back_link - distance, &of->cie)) {
        return FL_UNWIND_UNSUPPORTED;
    }
    of->first = take_pointer(&body, of->cie.pointer_encoding);
    of->length = take_format(&body, of->cie.pointer_encoding);
    if (of->cie.has_augmentation_data) {
        uint64_t size = take_uleb(&body);
        skip(&body, size);
    }
    if (body.failed) return FL_UNWIND_UNSUPPORTED;
    of->program = body;
    return address - of->first >= of->length ? FL_UNWIND_NO_ENTRY : FL_UNWIND_STEPPED;
}

fl_code_range fl_function_of(const fl_unwind_object *object, uintptr_t address) {
    description of;
    if (describe(object, address, &of) != FL_UNWIND_STEPPED) return (fl_code_range){0, 0};
    return (fl_code_range){of.first, of.first + of.length};
}

fl_unwind_result fl_frame_rules_find(const fl_unwind_object *object, uintptr_t address, fl_frame_rules *rules) {
    description of;
    fl_unwind_result found = describe(object, address, &of);
    if (found != FL_UNWIND_STEPPED) return found;

    // A CIE's program has no locations and nothing to restore: any row will do for `initial`.
    *rules = (fl_frame_rules){.return_register = of.cie.return_register, .is_signal_frame = of.cie.is_signal_frame};
    fl_frame_row initial = rules->row;
    if (!run_program(of.cie.program, &of.cie, 0, UINTPTR_MAX, &initial, &rules->row)) return FL_UNWIND_UNSUPPORTED;
    initial = rules->row;
    if (!run_program(of.program, &of.cie, of.first, address, &initial, &rules->row)) return FL_UNWIND_UNSUPPORTED;
    return FL_UNWIND_STEPPED;
}

#pragma clang attribute pop
