/// Arenas of slots.
#ifndef FAULTLINE_INTERNAL_ADDRESS_SPACE_H
#define FAULTLINE_INTERNAL_ADDRESS_SPACE_H

#include "arena_memory.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

typedef enum fl_slot_state : uint32_t {
    FL_SLOT_FREE = 0,
    FL_SLOT_LIVE,
    FL_SLOT_OLD,
    FL_SLOT_QUARANTINED,
    FL_SLOT_HIBERNATING,
    FL_SLOT_HIBERNATED,
    FL_SLOT_RESTORED, ///< by a fault: usable, and the record is still to be given back
    FL_SLOT_TAKEN,    ///< by a stack for which it is not usable yet
    FL_SLOT_KIND = 0xff,
} fl_slot_state;

/// What an arena keeps of a slot. `owner` and `state` are read by handlers on any thread. The lower ends are pages
/// below the base.
typedef struct fl_slot {
    _Atomic(uint32_t) owner; ///< index + 1 of its stack in the table of stacks; 0: none
    _Atomic(uint32_t) state; ///< fl_slot_state in the bits of FL_SLOT_KIND, above them the pins of hibernation.c
    _Atomic(uint32_t) next_free;
    uint32_t low;      ///< [low, base) is usable, but for the old range
    uint32_t band_low; ///< guard pages: [band_low, low) is guarded, empty after a refusal; 0: none was installed
    uint32_t old_low;  ///< guarded [old_low, base), the live range of a stack that moved away; 0: none
} fl_slot;
_Static_assert(sizeof(fl_slot) == 24, "each suspended stack pays for it");

/// Signal context: callable.
static inline uint32_t fl_slot_kind(const fl_slot *slot) {
    return atomic_load_explicit(&slot->state, memory_order_acquire) & FL_SLOT_KIND;
}

/// A slot, by its arena and number; no arena: none.
typedef struct fl_slot_handle {
    struct fl_arena *_Nullable arena;
    uint32_t index;
} fl_slot_handle;

typedef struct fl_arena {
    uintptr_t low, length; ///< of its memory
    uintptr_t first;       ///< lowest address of slot 0
    uint32_t slots;
    uint8_t shift;               ///< log2 of the slot size
    uint8_t size;                ///< fl_slot_size
    uint8_t guard;               ///< fl_guard
    uint8_t row;                 ///< fl_arena_row of its stacks
    uint8_t registered;          ///< with the userfaultfd
    _Atomic(uint32_t) fresh;     ///< slots ever handed out
    _Atomic(uint64_t) free_head; ///< tag in the upper half, index + 1 in the lower
    struct fl_arena *_Nullable next;
    fl_slot *table;
} fl_arena;

/// Signal context: callable.
static inline fl_slot *fl_slot_entry(fl_slot_handle handle) { return &handle.arena->table[handle.index]; }
/// Signal context: callable.
static inline uintptr_t fl_slot_low(fl_slot_handle handle) {
    return handle.arena->first + ((uintptr_t)handle.index << handle.arena->shift);
}
/// Signal context: callable.
static inline uintptr_t fl_slot_base(fl_slot_handle handle) {
    return fl_slot_low(handle) + ((uintptr_t)1 << handle.arena->shift);
}

/// An address of the slot that its entry gives as pages below the base, and back. Signal context: callable.
static inline uintptr_t fl_slot_address(fl_slot_handle handle, uint32_t pages) {
    return fl_slot_base(handle) - (uintptr_t)pages * FL_PAGE;
}
/// Signal context: callable.
static inline uint32_t fl_slot_pages(fl_slot_handle handle, uintptr_t address) {
    return (uint32_t)((fl_slot_base(handle) - address) / FL_PAGE);
}

/// Whether stacks of this size may have huge pages. Signal context: callable.
static inline bool fl_slot_is_deep(fl_slot_size size) { return size >= FL_SLOT_32MIB; }

/// The slot that holds `address`; arena null where none does. No lock, no search. Signal context: callable.
fl_slot_handle fl_slot_of(uintptr_t address);

/// Stacks with the same guard share arenas, but for those that mremap moves: it splits mappings for good, and
/// UFFDIO_MOVE refuses a range of several. Signal context: callable.
static inline uint32_t fl_arena_row(fl_guard guard, const fl_stack *owner) {
    return guard == FL_GUARD_PAGES && owner->mover == FL_MOVER_MREMAP ? 2 : guard;
}

/// Signal context: callable.
static inline fl_arena_kind fl_arena_kind_of(const fl_arena *arena) {
    return (fl_arena_kind){.is_writable = arena->guard == FL_GUARD_PAGES,
                           .is_deep = fl_slot_is_deep((fl_slot_size)arena->size),
                           .is_moved = arena->row == FL_GUARD_PAGES};
}

/// Takes a free slot, making an arena when there is none. Lock-free. Signal context: callable.
fl_failure fl_slot_take_free(fl_slot_size size, uint32_t row, fl_stack *owner, fl_slot_handle *handle);

/// fl_system_advise_retrying of a part of a slot, which is unlocked where mlockall has locked it and the kernel refuses
/// the advice for that. Signal context: callable.
int fl_slot_advise(fl_site site, uintptr_t low, uintptr_t high, int advice);

/// Puts a slot that no stack uses any more on its arena's free list. Signal context: callable.
void fl_slot_give_back(fl_slot_handle handle);

#pragma clang assume_nonnull end
#endif
