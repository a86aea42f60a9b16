/// The only way in which the readers of unwind tables (unwind_rules.c, unwind_expressions.c) read.
///
/// Invariants:
///
///  - everything is read through a cursor whose end lies inside the mapped range of the object that is described, so
///    damaged tables give a refusal and never a wild read;
///  - every loop is bounded by the bytes of one record and by a named constant besides;
///  - the state is a few KiB on the caller's stack; there is no other.
#ifndef FAULTLINE_INTERNAL_UNWIND_CURSOR_H
#define FAULTLINE_INTERNAL_UNWIND_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The object that holds an address, as the dynamic linker describes it.
typedef struct fl_unwind_object {
    uintptr_t start, end;   ///< its mapped range
    uintptr_t frame_header; ///< its .eh_frame_hdr, 0 if it has none
} fl_unwind_object;

/// A place in an object's tables. Once a read would cross `end` the cursor is `failed`: it stays where it is and every
/// read gives 0, so that callers check once per record.
typedef struct cursor {
    uintptr_t at, end;
    bool failed;
} cursor;

/// A cursor over [at, at + length), failed unless that lies in the object. Signal context: callable.
static inline cursor cursor_make(const fl_unwind_object *object, uintptr_t at, uint64_t length) {
    bool inside = at >= object->start && at <= object->end && length <= object->end - at;
    return (cursor){.at = at, .end = inside ? at + length : at, .failed = !inside};
}

/// Signal context: callable.
static inline bool cursor_has_more(const cursor *from) { return !from->failed && from->at < from->end; }

/// Signal context: callable.
static inline void skip(cursor *from, uint64_t length) {
    if (from->failed || length > from->end - from->at) {
        from->failed = true;
    } else {
        from->at += length;
    }
}

/// A little-endian number of `size` bytes (1, 2, 4 or 8), zero-extended. Signal context: callable.
static inline uint64_t take_fixed(cursor *from, unsigned size) {
    uintptr_t at = from->at;
    skip(from, size);
    if (from->failed) return 0;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) value |= (uint64_t)*(const uint8_t *)(at + i) << (8 * i);
    return value;
}

/// Signal context: callable.
static inline uint8_t take_byte(cursor *from) { return (uint8_t)take_fixed(from, 1); }

/// Signal context: callable.
static inline int64_t take_signed(cursor *from, unsigned size) {
    unsigned unused = 64 - 8 * size;
    return (int64_t)(take_fixed(from, size) << unused) >> unused;
}

/// Bytes of one LEB128 number of 64 bits.
enum { MAX_LEB128_BYTES = 10 };

/// An LEB128 number; `is_signed` extends the last byte's sign. Signal context: callable.
static inline uint64_t take_leb128(cursor *from, bool is_signed) {
    uint64_t value = 0;
    for (unsigned i = 0, shift = 0; i < MAX_LEB128_BYTES; i++, shift += 7) {
        uint8_t byte = take_byte(from);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        if (is_signed && (byte & 0x40) && shift + 7 < 64) value |= ~(uint64_t)0 << (shift + 7);
        return value;
    }
    from->failed = true;
    return 0;
}

/// Signal context: callable.
static inline uint64_t take_uleb(cursor *from) { return take_leb128(from, false); }

/// Signal context: callable.
static inline int64_t take_sleb(cursor *from) { return (int64_t)take_leb128(from, true); }

#pragma clang assume_nonnull end
#endif
