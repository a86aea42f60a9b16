// Quarantine: slots whose frames were abandoned, oldest first.
//
// Others may still point into an abandoned stack: so its slot is closed, and an access to it is a fault that is handed
// on. For ever would be an address space used up after some hundred thousand overflows. So the process has a ring of
// entries. What is put into an entry pushes out what was there: the slot is opened again and free. A pointer that is
// used later still reads or overwrites another stack, as one into a heap block that was freed and allocated again.
//
// Invariants: an entry belongs to the thread that exchanges its content, so there is no lock, and a handler may evict;
// between the exchange and the free list the slot belongs to that thread alone. What a fork leaves in the ring is in
// the child's address space as well.
#include "shim_code.h"

#include "quarantine.h"

#include <sys/mman.h>

#include "arena_memory.h"
#include "capabilities.h"
#include "message.h"
#include "system.h"

enum { LENGTH_BITS = 20 }; // of an entry, in pages: up to 4 GiB; the address above it has 35

static _Atomic(uint64_t) entries[FL_QUARANTINE_SLOTS];
static _Atomic(uint32_t) next_entry;
static _Atomic(uint64_t) count;

uint64_t fl_quarantine_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

// Signal context: callable.
static uint64_t entry_of(uintptr_t low, uintptr_t base) {
    return (uint64_t)(low / FL_PAGE) << LENGTH_BITS | (base - low) / FL_PAGE;
}
// Signal context: callable.
static uintptr_t low_of(uint64_t entry) { return (uintptr_t)(entry >> LENGTH_BITS) * FL_PAGE; }
// Signal context: callable.
static uintptr_t length_of(uint64_t entry) { return (entry & ((1 << LENGTH_BITS) - 1)) * FL_PAGE; }

// Signal context: callable.
static fl_failure open_slot(fl_slot_handle handle) {
    const fl_arena *arena = handle.arena;
    uintptr_t low = fl_slot_low(handle), base = fl_slot_base(handle);
    bool registered;
    fl_failure failure = fl_arena_open(low, base - low, fl_arena_kind_of(arena), &registered);
    if (failure.error) return failure;
    // Hibernation relies on it, except in a child of fork, where no arena is registered.
    if (arena->registered && !registered && fl_userfaultfd() >= 0)
        return fl_failure_at(FL_SITE_UFFDIO_REGISTER, EINVAL);
    fl_slot *slot = fl_slot_entry(handle);
    if (slot->old_low) { // closed by guards
        int error = fl_slot_advise(FL_SITE_GUARD_REMOVE, low, base, MADV_GUARD_REMOVE);
        if (error) return fl_failure_at(FL_SITE_GUARD_REMOVE, error);
        (void)fl_slot_advise(FL_SITE_RELEASE, low, base, MADV_DONTNEED); // drops the page tables where it can
        slot->old_low = 0;
    }
    if (low == arena->low && arena->guard == FL_GUARD_PAGES) fl_arena_guard_page(low);
    return failure;
}

// Where an entry is empty. Signal context: callable.
static bool put_back(uint64_t content) {
    for (uint32_t number = 0; number < FL_QUARANTINE_SLOTS; number++) {
        uint64_t empty = 0;
        if (atomic_compare_exchange_strong_explicit(&entries[number], &empty, content, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

// Signal context: callable.
static void end_quarantine(uint64_t entry) {
    atomic_fetch_sub_explicit(&count, 1, memory_order_relaxed);
    fl_slot_handle handle = fl_slot_of(low_of(entry));
    if (!handle.arena) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low_of(entry), length_of(entry)); // refused, it stays reserved
        return;
    }
    fl_failure failure = open_slot(handle);
    // Under RLIMIT_DATA an arena may have taken what the slot had: there may be room for it again.
    if (failure.error == ENOMEM && put_back(entry)) return;
    if (failure.error) {
        const char *parts[] = {"the slot of a faulted stack could not be opened again (",
                               fl_site_name((fl_site)failure.site), "); it stays reserved and is never used again"};
        fl_message(parts, 3);
        return;
    }
    fl_slot_give_back(handle);
}

// Signal context: callable.
static void keep(uintptr_t low, uintptr_t base) {
    uint32_t number = atomic_fetch_add_explicit(&next_entry, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    uint64_t oldest =
        atomic_exchange_explicit(&entries[number % FL_QUARANTINE_SLOTS], entry_of(low, base), memory_order_acq_rel);
    if (oldest) end_quarantine(oldest);
}

// Ends the quarantine of the oldest slot that serves. Signal context: callable.
static bool give_oldest(fl_slot_size size, uint32_t row) {
    uint32_t first = atomic_load_explicit(&next_entry, memory_order_relaxed);
    for (uint32_t looked = 0; looked < FL_QUARANTINE_SLOTS; looked++) {
        _Atomic(uint64_t) *entry = &entries[(first + looked) % FL_QUARANTINE_SLOTS];
        uint64_t content = atomic_load_explicit(entry, memory_order_acquire);
        const fl_arena *arena = content ? fl_slot_of(low_of(content)).arena : NULL;
        if (!arena || arena->size != size || arena->row != row) continue;
        if (!atomic_compare_exchange_strong_explicit(entry, &content, 0, memory_order_acq_rel, memory_order_relaxed)) {
            continue;
        }
        end_quarantine(content);
        return true;
    }
    return false;
}

fl_failure fl_slot_take(fl_slot_size size, fl_guard guard, fl_stack *owner, fl_slot_handle *handle) {
    uint32_t row = fl_arena_row(guard, owner);
    fl_failure failure = fl_slot_take_free(size, row, owner, handle);
    // No arena any more: what may not be used yet is better than nothing.
    if (failure.error && give_oldest(size, row)) failure = fl_slot_take_free(size, row, owner, handle);
    return failure;
}

// Signal context: callable.
static int close_slot(fl_slot_handle handle, uintptr_t usable) {
    uintptr_t low = fl_slot_low(handle), base = fl_slot_base(handle);
    fl_slot *slot = fl_slot_entry(handle);
    slot->low = slot->band_low = slot->old_low = 0;
    int error = fl_arena_close(low, base - low);
    // The next slot begins a mapping now. Its lowest page is guard in any case.
    bool begins = !error && handle.arena->guard == FL_GUARD_PAGES && handle.index + 1 < handle.arena->slots;
    if (begins) fl_arena_guard_page(base);
    if (!error) return 0;
    // Too many mappings: without access, or guarded, and without memory it is the same at the price of page tables.
    if (handle.arena->guard == FL_GUARD_PAGES) {
        if (fl_slot_advise(FL_SITE_GUARD_INSTALL, low, base, MADV_GUARD_INSTALL)) return error;
        slot->old_low = fl_slot_pages(handle, low);
        return 0;
    }
    if (fl_system_protect(FL_SITE_PROTECT_NONE, usable, base - usable, PROT_NONE)) return error;
    (void)fl_slot_advise(FL_SITE_RELEASE, usable, base, MADV_DONTNEED);
    return 0;
}

fl_failure fl_quarantine_slot(fl_slot_handle handle, uintptr_t usable) {
    fl_slot *slot = fl_slot_entry(handle);
    atomic_store_explicit(&slot->state, FL_SLOT_QUARANTINED, memory_order_release);
    atomic_store_explicit(&slot->owner, 0, memory_order_relaxed);
    int error = close_slot(handle, usable);
    if (error) return fl_failure_at(FL_SITE_QUARANTINE, error);
    keep(fl_slot_low(handle), fl_slot_base(handle));
    return fl_failure_none();
}

void fl_quarantine_mapping(uintptr_t low, uintptr_t base) { keep(low, base); }

#pragma clang attribute pop
