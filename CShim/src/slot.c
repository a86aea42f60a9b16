// One slot: which part of it is usable, what guards it, and what becomes of it when its stack leaves.
//
//     | guard at the end | unused room | guard band | usable |      addresses grow to the right
//     ^ start            ^ + guard     ^ band_low   ^ low    ^ base
//
// With guard pages the guards stand in the page table. A band slides down ahead of the usable part, at least as large
// as the largest frame promised (fl_slot_band): what jumps it never traps, and a system call into it is cut short
// without a word. What lies below it is not guarded, but belongs to this stack alone. The guard at the end is installed
// before the slot is first used and is never removed.
//
// Arenas of slots of 32 MiB and more ask for huge pages, since a stack that needs so much is deep; the others refuse
// them. A small stack gets none in either: the first MiB below a base shares its range of 2 MiB with the guard of the
// next slot, and a range in which a guard stands, or stood and left its table behind, has small pages. Growth ends at
// multiples of 2 MiB there, its band fills the range below, and the table of a band that has gone is dropped. A deep
// stack's lowest page may be a huge one of which it uses 4 KiB: at most 2 MiB less that are wasted.
#include "shim_code.h"

#include "slot.h"

#include <sys/mman.h>

#include "stack_memory.h"
#include "system.h"

#define MIB ((uintptr_t)1 << 20)
#define HUGE_PAGE (2 * MIB)

// Signal context: callable.
static bool is_deep(fl_slot_handle handle) { return fl_slot_is_deep((fl_slot_size)handle.arena->size); }

// Signal context: callable.
static uintptr_t guard_of(fl_slot_handle handle) { return fl_slot_geometry_of((fl_slot_size)handle.arena->size).guard; }

// What a slot counts for in the memory that all stacks use (stack_memory.c). Signal context: callable.
static uintptr_t counted(fl_slot_handle handle) {
    const fl_slot *slot = fl_slot_entry(handle);
    uint32_t kind = fl_slot_kind(slot);
    if (kind == FL_SLOT_TAKEN || kind == FL_SLOT_OLD) return 0;
    return (uintptr_t)slot->low * FL_PAGE;
}

// Where the band below `low` ends: `fl_slot_low` where it reaches the guard at the end. Signal context: callable.
static uintptr_t band_below(fl_slot_handle handle, uintptr_t low) {
    uintptr_t base = fl_slot_base(handle);
    return base - fl_slot_band((fl_slot_size)handle.arena->size, base - low);
}

uintptr_t fl_slot_growth_end(fl_slot_handle handle, uintptr_t low) {
    bool huge = is_deep(handle) && fl_slot_base(handle) - low >= MIB;
    return huge ? low & ~(HUGE_PAGE - 1) : low;
}

// Signal context: callable.
static fl_failure make_usable_pages(fl_slot_handle handle, fl_slot *slot, uintptr_t low) {
    uintptr_t end = fl_slot_low(handle), base = fl_slot_base(handle);
    int error;
    if (slot->old_low) {
        uintptr_t old_low = fl_slot_address(handle, slot->old_low);
        error = fl_slot_advise(FL_SITE_GUARD_REMOVE, old_low, base, MADV_GUARD_REMOVE);
        if (error) return fl_failure_at(FL_SITE_GUARD_REMOVE, error);
        slot->old_low = 0;
    }
    uintptr_t former = fl_slot_address(handle, slot->low);
    if (slot->band_low > slot->low && former == low) return fl_failure_none();
    uintptr_t band = band_below(handle, low);
    if (!slot->band_low && is_deep(handle) && base < handle.arena->low + handle.arena->length) {
        // A page of the next slot's guard, or of what is left behind the last slot: without it the first MiB of a stack
        // with all its room at once would be huge.
        error = fl_slot_advise(FL_SITE_GUARD_INSTALL, base, base + FL_PAGE, MADV_GUARD_INSTALL);
        if (error) return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    }
    if (!slot->band_low && band > end) {
        error = fl_slot_advise(FL_SITE_GUARD_INSTALL, end, end + guard_of(handle), MADV_GUARD_INSTALL);
        if (error) return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    }
    error = fl_slot_advise(FL_SITE_GUARD_INSTALL, band, low, MADV_GUARD_INSTALL);
    if (error) {
        // Perhaps half way, and above what is usable no guard is expected.
        uintptr_t from = slot->band_low ? fl_maximum(band, former) : band;
        if (from < low) (void)fl_slot_advise(FL_SITE_GUARD_REMOVE, from, low, MADV_GUARD_REMOVE);
        return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    }
    if (slot->band_low && former > low) {
        error = fl_slot_advise(FL_SITE_GUARD_REMOVE, low, former, MADV_GUARD_REMOVE);
        if (error) return fl_failure_at(FL_SITE_GUARD_REMOVE, error);
    }
    slot->low = fl_slot_pages(handle, low);
    slot->band_low = fl_slot_pages(handle, band);
    // A band that the new one does not reach keeps guarding room that is not usable yet. Growth removes all guards that
    // it passes.
    return fl_failure_none();
}

// Signal context: callable.
static fl_failure make_usable_mapping(fl_slot_handle handle, fl_slot *slot, uintptr_t low) {
    uintptr_t base = fl_slot_base(handle);
    uintptr_t usable = slot->old_low ? base : fl_slot_address(handle, slot->low);
    if (low < usable) {
        int error = fl_system_protect(FL_SITE_PROTECT_WRITE, low, usable - low, PROT_READ | PROT_WRITE);
        if (error) return fl_failure_at(FL_SITE_PROTECT_WRITE, error);
    } else if (low > usable) {
        int error = fl_system_protect(FL_SITE_PROTECT_NONE, usable, low - usable, PROT_NONE);
        if (error) return fl_failure_at(FL_SITE_PROTECT_NONE, error);
    }
    slot->low = fl_slot_pages(handle, low);
    slot->old_low = 0;
    return fl_failure_none();
}

fl_failure fl_slot_make_usable(fl_slot_handle handle, uintptr_t low) {
    fl_slot *slot = fl_slot_entry(handle);
    uintptr_t had = counted(handle), wanted = fl_slot_base(handle) - low;
    fl_failure failure = wanted > had ? fl_memory_take(wanted - had) : fl_failure_none();
    if (failure.error) return failure;
    failure = handle.arena->guard == FL_GUARD_PAGES ? make_usable_pages(handle, slot, low)
                                                    : make_usable_mapping(handle, slot, low);
    if (failure.error) {
        if (wanted > had) fl_memory_give(wanted - had);
        return failure;
    }
    if (wanted < had) fl_memory_give(had - wanted);
    atomic_store_explicit(&slot->state, FL_SLOT_LIVE, memory_order_release);
    return failure;
}

// Only of a former band, which nothing can have been stored in: below it a large frame may have been. A refusal, or a
// kernel that keeps empty tables (before Linux 6.14), costs a chance of a huge page. Signal context: callable.
static void drop_tables(uintptr_t low, uintptr_t high) {
    uintptr_t from = (low + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), to = high & ~(HUGE_PAGE - 1);
    if (from < to) (void)fl_slot_advise(FL_SITE_GROW_TABLES, from, to, MADV_DONTNEED);
}

// Signal context: callable.
static fl_failure extend(fl_slot_handle handle, fl_slot *slot, uintptr_t low) {
    uintptr_t former = fl_slot_address(handle, slot->low);
    if (handle.arena->guard == FL_GUARD_PROT_NONE) {
        int error = fl_system_protect(FL_SITE_GROW_PROTECT, low, former - low, PROT_READ | PROT_WRITE);
        if (error) return fl_failure_at(FL_SITE_GROW_PROTECT, error);
        slot->low = fl_slot_pages(handle, low);
        return fl_failure_none();
    }
    // The new band first: at no instant is the stack without a guard below it. What is left of the old one is part of
    // it.
    uintptr_t former_band = fl_slot_address(handle, slot->band_low), end = fl_slot_low(handle);
    uintptr_t band = fl_minimum(band_below(handle, low), former_band);
    int error = 0;
    if (band < former_band) {
        uintptr_t from = band == end ? end + guard_of(handle) : band;
        error = fl_slot_advise(FL_SITE_GROW_INSTALL, from, fl_minimum(low, former_band), MADV_GUARD_INSTALL);
    }
    if (error) return fl_failure_at(FL_SITE_GROW_INSTALL, error);
    error = fl_slot_advise(FL_SITE_GROW_REMOVE, low, former, MADV_GUARD_REMOVE);
    if (error) return fl_failure_at(FL_SITE_GROW_REMOVE, error);
    if (is_deep(handle)) drop_tables(fl_maximum(low, former_band), former);
    slot->low = fl_slot_pages(handle, low);
    slot->band_low = fl_slot_pages(handle, band);
    return fl_failure_none();
}

fl_failure fl_slot_extend(fl_slot_handle handle, uintptr_t low) {
    fl_slot *slot = fl_slot_entry(handle);
    uintptr_t former = fl_slot_address(handle, slot->low);
    if (low >= former) return fl_failure_none();
    uintptr_t more = former - low;
    fl_failure failure = fl_memory_take(more);
    if (failure.error) return failure;
    failure = extend(handle, slot, low);
    if (failure.error) fl_memory_give(more);
    return failure;
}

fl_failure fl_slot_lift(fl_slot_handle handle, uintptr_t low) {
    fl_slot *slot = fl_slot_entry(handle);
    uintptr_t former = fl_slot_address(handle, slot->low);
    if (handle.arena->guard == FL_GUARD_PROT_NONE) {
        int error = fl_system_protect(FL_SITE_SHRINK_GUARD, former, low - former, PROT_NONE);
        if (error) return fl_failure_at(FL_SITE_SHRINK_GUARD, error);
        fl_memory_give(low - former);
        slot->low = fl_slot_pages(handle, low);
        return fl_failure_none();
    }
    uintptr_t band = band_below(handle, low);
    int error = fl_slot_advise(FL_SITE_SHRINK_GUARD, band, low, MADV_GUARD_INSTALL);
    // A refusal may come half way. An access that meets one of the new guards is below the new bound, and the stack
    // grows past it. One that does not meets the former band, of which nothing was taken away. What lies between may
    // hold something, so it is no band: an empty one is noted.
    fl_memory_give(low - former);
    slot->low = fl_slot_pages(handle, low);
    slot->band_low = fl_slot_pages(handle, error ? low : band);
    if (error) return fl_failure_at(FL_SITE_SHRINK_GUARD, error);
    return fl_failure_none();
}

fl_failure fl_slot_retire(fl_slot_handle handle, uintptr_t live, bool provoked) {
    fl_slot *slot = fl_slot_entry(handle);
    uintptr_t base = fl_slot_base(handle), low = fl_slot_address(handle, slot->low);
    fl_memory_give(counted(handle));
    atomic_store_explicit(&slot->state, FL_SLOT_OLD, memory_order_release);
    int error = handle.arena->guard == FL_GUARD_PAGES
                    ? fl_slot_advise(FL_SITE_OLD_RANGE_GUARD, live, base, MADV_GUARD_INSTALL)
                    : fl_system_protect(FL_SITE_OLD_RANGE_GUARD, low, base - low, PROT_NONE);
    if (error) return fl_failure_at(FL_SITE_OLD_RANGE_GUARD, error);
    slot->old_low = provoked ? slot->low : fl_slot_pages(handle, live);
    // What was used below the live part, or copied, is dead: the kernel may have it. It may also refuse; then the
    // memory stays until the slot is used again.
    uintptr_t to = handle.arena->guard == FL_GUARD_PAGES ? live : base;
    if (to > low) (void)fl_slot_advise(FL_SITE_RELEASE, low, to, MADV_DONTNEED);
    return fl_failure_none();
}

void fl_slot_release(fl_slot_handle handle, bool provoked) {
    fl_slot *slot = fl_slot_entry(handle);
    uintptr_t base = fl_slot_base(handle);
    // An old range has no memory any more. Elsewhere all that was touched goes: a jumped band's room, and what a pooled
    // stack gave up without giving its memory back.
    if (!slot->old_low && (slot->low || handle.arena->guard == FL_GUARD_PAGES)) {
        uintptr_t from = fl_slot_low(handle);
        (void)fl_slot_advise(FL_SITE_RELEASE, from, base, MADV_DONTNEED);
    }
    if (provoked) {
        // The debug knob guarded only a part; the next use takes all of an old range without access for granted.
        if (handle.arena->guard == FL_GUARD_PROT_NONE) {
            uintptr_t low = fl_slot_address(handle, slot->low);
            (void)fl_system_protect(FL_SITE_PROTECT_NONE, low, base - low, PROT_NONE);
        }
        slot->old_low = slot->low;
    }
    fl_memory_give(counted(handle));
    fl_slot_give_back(handle);
}

fl_failure fl_slot_quarantine(fl_slot_handle handle) {
    fl_memory_give(counted(handle));
    return fl_quarantine_slot(handle, fl_slot_address(handle, fl_slot_entry(handle)->low));
}

#pragma clang attribute pop
