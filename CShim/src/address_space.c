// Arenas: large reservations, each a row of equal slots for stacks.
//
//     arena   | offset | slot 0 | slot 1 | slot 2 | …          offset: 1 MiB for slots of 8 MiB and more, else 0
//
//     slot    | guard at the end | unused room | guard band | usable |      addresses grow to the right
//             ^ low              ^ low + guard ^ band_low   ^ low    ^ base
//
// With guard pages the arena is one writable mapping, and the guards stand in the page table. A band slides down ahead
// of the usable part; what lies below it is not guarded, but belongs to this stack alone. With PROT_NONE the arena is
// not accessible but for the usable parts.
//
// Arenas of slots of 64 MiB and more ask for huge pages, since a stack that needs so much is deep; the others refuse them.
// A small stack gets none in either: the first MiB below a base shares its range of 2 MiB with the guard of the next
// slot, and a range in which a guard stands, or stood and left its table behind, has small pages. Growth ends at multiples
// of 2 MiB there, its band fills the range below, and the table of a band that has gone is dropped. A deep stack's lowest
// page may be a huge one of which it uses 4 KiB: at most 2 MiB less that are wasted.
//
// Invariants: address -> slot takes no lock and no search (a directory by GiB); the table of an arena is written before
// the arena is published and never freed; free lists are lock-free with a tag against reuse (ABA), so that a handler
// can take a slot. The guard at the end of a slot is installed before the slot is first used and is never removed.
#include "internal.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#pragma clang section text = "fl_text"

#define KIB ((uintptr_t)1 << 10)
#define MIB ((uintptr_t)1 << 20)
#define GIB ((uintptr_t)1 << 30)
#define HUGE_PAGE (2 * MIB)

enum {
    ADDRESS_BITS = 47, // of user space on x86-64 without five-level paging, which a process must ask for
    UNIT_SHIFT = 30,   // the directory's granularity: arenas begin at a multiple of 1 GiB
    UNITS = 1 << (ADDRESS_BITS - UNIT_SHIFT),
    BAND = 64 << 10,
    DOUBLINGS = 4,
};

static const fl_slot_geometry geometries[FL_SLOT_SIZES] = {
    {.size = 64 * KIB, .guard = 48 * KIB, .offset = 0},   {.size = 256 * KIB, .guard = 64 * KIB, .offset = 0},
    {.size = 1 * MIB, .guard = 256 * KIB, .offset = 0},   {.size = 8 * MIB, .guard = 1 * MIB, .offset = 1 * MIB},
    {.size = 64 * MIB, .guard = 1 * MIB, .offset = 1 * MIB}, {.size = 1 * GIB, .guard = 1 * MIB, .offset = 1 * MIB},
};

// Units of the first arena of a size: 65,536 slots of the small sizes, and enough of the large ones. Each further one is twice
// as large, up to DOUBLINGS times: a million stacks are five mappings.
static const uint16_t first_units[FL_SLOT_SIZES] = {4, 16, 64, 512, 512, 512};

static _Atomic(fl_arena *) directory[UNITS];
// Stacks that mremap moves have arenas of their own: it splits mappings for good, and UFFDIO_MOVE refuses a range of
// several.
enum { ROWS = 3 };
static _Atomic(fl_arena *) arenas[FL_SLOT_SIZES][ROWS];
static _Atomic(uint64_t) quarantined;
static _Atomic(uint64_t) in_use[FL_SLOT_SIZES];

fl_slot_geometry fl_slot_geometry_of(fl_slot_size size) { return geometries[size]; }
uint64_t fl_quarantine_count(void) { return atomic_load_explicit(&quarantined, memory_order_relaxed); }
uint64_t fl_slots_in_use(fl_slot_size size) { return atomic_load_explicit(&in_use[size], memory_order_relaxed); }
uintptr_t fl_slot_room(fl_slot_size size) { return geometries[size].size - geometries[size].guard; }
uintptr_t fl_arena_size(fl_slot_size size, uint32_t number) {
    return first_units[size] * GIB << (number < DOUBLINGS ? number : DOUBLINGS);
}

fl_slot_size fl_slot_for(uintptr_t usable, fl_slot_size from) {
    for (uint32_t size = from; size < FL_SLOT_SIZES; size++) {
        if (fl_slot_room(size) >= usable) return size;
    }
    return FL_SLOT_SIZES;
}

fl_place fl_place_of(uintptr_t address) {
    fl_place none = {.arena = NULL, .index = 0};
    if (address >> ADDRESS_BITS) return none;
    fl_arena *arena = atomic_load_explicit(&directory[address >> UNIT_SHIFT], memory_order_acquire);
    if (!arena || address < arena->first) return none;
    uintptr_t index = (address - arena->first) >> arena->shift;
    if (index >= arena->slots) return none;
    return (fl_place){.arena = arena, .index = (uint32_t)index};
}

// Registration for write-protection alone is enough for UFFDIO_MOVE and leaves demand paging to the kernel. A refusal
// costs nothing but that mover: the ioctl fails later and the next one in the chain is taken.
static bool register_for_moves(uintptr_t low, size_t length) {
    int descriptor = fl_userfaultfd();
    if (descriptor < 0) return false;
    struct uffdio_register request = {.range = {.start = low, .len = length}, .mode = UFFDIO_REGISTER_MODE_WP};
    return fl_system_ioctl(FL_SITE_UFFDIO_REGISTER, descriptor, UFFDIO_REGISTER, &request) == 0;
}

static bool is_deep(fl_slot_size size) { return size >= FL_SLOT_64MIB; }

// Reserves `length` bytes at a multiple of 1 GiB.
static int reserve(uintptr_t length, int protection, uintptr_t *low) {
    void *mapped = NULL;
    int error = fl_system_map(FL_SITE_ARENA_MAP, &mapped, length + GIB, protection,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (error) return error;
    uintptr_t start = (uintptr_t)mapped, aligned = (start + GIB - 1) & ~(GIB - 1);
    // A refused trim leaves address space reserved that nobody uses: harmless, and nothing to undo.
    if (aligned > start) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, start, aligned - start);
    uintptr_t end = aligned + length;
    if (start + GIB > aligned) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, end, start + length + GIB - end);
    *low = aligned;
    return 0;
}

static uint32_t row_of(fl_guard guard, const fl_stack *owner) {
    return guard == FL_GUARD_PAGES && owner->mover == FL_MOVER_MREMAP ? 2 : guard;
}

static fl_failure make_arena(fl_slot_size size, fl_guard guard, uint32_t row) {
    fl_slot_geometry geometry = geometries[size];
    int protection = guard == FL_GUARD_PAGES ? PROT_READ | PROT_WRITE : PROT_NONE;
    uintptr_t low = 0, length = 0;
    int error = ENOMEM;
    uint32_t number = 0;
    for (fl_arena *arena = atomic_load_explicit(&arenas[size][row], memory_order_acquire); arena; arena = arena->next) {
        number++;
    }
    // Under RLIMIT_AS one size must leave room for those that moving stacks come to next. In mode 2 of overcommit a wish
    // may be refused: ask for less, down to two slots' worth.
    uintptr_t share = fl_maximum((uintptr_t)(fl_system_address_space_limit() >> UNIT_SHIFT) / 8, 1);
    for (uintptr_t units = fl_minimum(fl_arena_size(size, number) / GIB, share); units >= 1; units /= 2) {
        length = units * GIB;
        if (length < 2 * geometry.size) break;
        error = reserve(length, protection, &low);
        if (error != ENOMEM && error != EINVAL) break; // EINVAL: valgrind, which has less address space
    }
    if (error) return fl_failure_at(FL_SITE_ARENA_MAP, error);
    if ((low + length) >> ADDRESS_BITS) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        return fl_failure_at(FL_SITE_ARENA_MAP, ENOMEM);
    }
    // Small stacks must not be backed by 2 MiB pages. EINVAL: a kernel without huge pages, where there is no danger.
    (void)fl_system_advise(FL_SITE_ARENA_ADVICE, low, length, is_deep(size) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);

    uint32_t slots = (uint32_t)((length - geometry.offset) / geometry.size);
    void *table = NULL;
    error = fl_system_map(FL_SITE_ARENA_TABLE, &table, sizeof(fl_arena) + slots * sizeof(fl_slot),
                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (error) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        return fl_failure_at(FL_SITE_ARENA_TABLE, error);
    }
    bool registered = row == FL_GUARD_PAGES && register_for_moves(low, length);

    fl_arena *arena = table;
    arena->first = low + geometry.offset;
    arena->slots = slots;
    arena->shift = (uint8_t)__builtin_ctzll(geometry.size);
    arena->size = (uint8_t)size;
    arena->guard = (uint8_t)guard;
    arena->registered = registered;
    arena->table = (fl_slot *)(void *)(arena + 1);
    for (uintptr_t unit = low >> UNIT_SHIFT; unit < (low + length) >> UNIT_SHIFT; unit++) {
        atomic_store_explicit(&directory[unit], arena, memory_order_release);
    }
    fl_arena *head = atomic_load_explicit(&arenas[size][row], memory_order_acquire);
    do {
        arena->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&arenas[size][row], &head, arena, memory_order_release,
                                                    memory_order_acquire));
    return fl_failure_none();
}

static bool pop_free(fl_arena *arena, uint32_t *index) {
    uint64_t head = atomic_load_explicit(&arena->free_head, memory_order_acquire);
    while ((uint32_t)head != 0) {
        *index = (uint32_t)head - 1;
        uint32_t next = atomic_load_explicit(&arena->table[*index].next_free, memory_order_relaxed);
        uint64_t replaced = ((head >> 32) + 1) << 32 | next;
        if (atomic_compare_exchange_weak_explicit(&arena->free_head, &head, replaced, memory_order_acquire,
                                                  memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static bool take_fresh(fl_arena *arena, uint32_t *index) {
    uint32_t fresh = atomic_load_explicit(&arena->fresh, memory_order_relaxed);
    while (fresh < arena->slots) {
        if (atomic_compare_exchange_weak_explicit(&arena->fresh, &fresh, fresh + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            *index = fresh;
            return true;
        }
    }
    return false;
}

fl_failure fl_place_take(fl_slot_size size, fl_guard guard, fl_stack *owner, fl_place *place) {
    uint32_t row = row_of(guard, owner);
    // Two rounds: what exists, then one new arena. Others may empty that one before us; then it is an error.
    for (int round = 0; round < 2; round++) {
        for (fl_arena *arena = atomic_load_explicit(&arenas[size][row], memory_order_acquire); arena;
             arena = arena->next) {
            uint32_t index;
            if (!pop_free(arena, &index) && !take_fresh(arena, &index)) continue;
            fl_slot *slot = &arena->table[index];
            atomic_store_explicit(&slot->owner, owner->index + 1, memory_order_relaxed);
            atomic_store_explicit(&slot->state, FL_SLOT_TAKEN, memory_order_release);
            atomic_fetch_add_explicit(&in_use[size], 1, memory_order_relaxed);
            *place = (fl_place){.arena = arena, .index = index};
            return fl_failure_none();
        }
        if (round == 0) {
            fl_failure failure = make_arena(size, guard, row);
            if (failure.error) return failure;
        }
    }
    return fl_failure_at(FL_SITE_ARENA_MAP, ENOMEM);
}

// What a slot counts for in the memory that all stacks use (stack_memory.c).
static uintptr_t counted(fl_place place) {
    const fl_slot *slot = fl_place_slot(place);
    uint32_t kind = atomic_load_explicit(&slot->state, memory_order_relaxed) & FL_SLOT_KIND;
    if (kind == FL_SLOT_TAKEN || kind == FL_SLOT_OLD) return 0;
    return (uintptr_t)slot->low * FL_PAGE;
}

// Where the band above which `low` begins has its lower end. In slots of up to 1 MiB it reaches the guard at the end;
// in larger ones it is at least 64 KiB and ends at a multiple of 2 MiB, so that it needs no page-table page of its own.
static uintptr_t band_below(fl_place place, uintptr_t low) {
    uintptr_t end = fl_place_low(place);
    if (place.arena->size <= FL_SLOT_1MIB) return end;
    uintptr_t guard_top = end + geometries[place.arena->size].guard;
    uintptr_t band = (low - BAND) & ~(2 * MIB - 1);
    return band <= guard_top ? end : band;
}

uintptr_t fl_place_growth_end(fl_place place, uintptr_t low) {
    bool huge = is_deep((fl_slot_size)place.arena->size) && fl_place_base(place) - low >= MIB;
    return huge ? low & ~(HUGE_PAGE - 1) : low;
}

// MADV_GUARD_INSTALL may be interrupted by a racing fault and then asks to be called again.
static int advise_retrying(fl_site site, uintptr_t low, uintptr_t high, int advice) {
    int error = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
        error = fl_system_advise(site, low, high - low, advice);
        if (error != EINTR && error != EAGAIN) return error;
    }
    return error;
}

static fl_failure make_usable_pages(fl_place place, fl_slot *slot, uintptr_t low) {
    uintptr_t end = fl_place_low(place), base = fl_place_base(place);
    int error;
    if (slot->old_low) {
        uintptr_t old_low = fl_place_address(place, slot->old_low);
        error = advise_retrying(FL_SITE_GUARD_REMOVE, old_low, base, MADV_GUARD_REMOVE);
        if (error) return fl_failure_at(FL_SITE_GUARD_REMOVE, error);
        slot->old_low = 0;
    }
    uintptr_t former = fl_place_address(place, slot->low);
    if (slot->band_low && former == low) return fl_failure_none();
    uintptr_t band = band_below(place, low);
    if (!slot->band_low && is_deep((fl_slot_size)place.arena->size)) {
        // A page of the next slot's guard: without it the first MiB of a stack with all its room at once would be huge.
        error = advise_retrying(FL_SITE_GUARD_INSTALL, base, base + FL_PAGE, MADV_GUARD_INSTALL);
        if (error) return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    }
    if (!slot->band_low && band > end) {
        error = advise_retrying(FL_SITE_GUARD_INSTALL, end, end + geometries[place.arena->size].guard,
                                MADV_GUARD_INSTALL);
        if (error) return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    }
    error = advise_retrying(FL_SITE_GUARD_INSTALL, band, low, MADV_GUARD_INSTALL);
    if (error) return fl_failure_at(FL_SITE_GUARD_INSTALL, error);
    if (slot->band_low && former > low) {
        error = advise_retrying(FL_SITE_GUARD_REMOVE, low, former, MADV_GUARD_REMOVE);
        if (error) return fl_failure_at(FL_SITE_GUARD_REMOVE, error);
    }
    slot->low = fl_place_pages(place, low);
    slot->band_low = fl_place_pages(place, band);
    // A band that the new one does not reach keeps guarding room that nobody may use: it must go before growth gets
    // there, and growth removes whatever guards it passes.
    return fl_failure_none();
}

static fl_failure make_usable_mapping(fl_place place, fl_slot *slot, uintptr_t low) {
    uintptr_t base = fl_place_base(place);
    uintptr_t usable = slot->old_low ? base : fl_place_address(place, slot->low);
    if (low < usable) {
        int error = fl_system_protect(FL_SITE_PROTECT_WRITE, low, usable - low, PROT_READ | PROT_WRITE);
        if (error) return fl_failure_at(FL_SITE_PROTECT_WRITE, error);
    } else if (low > usable) {
        int error = fl_system_protect(FL_SITE_PROTECT_NONE, usable, low - usable, PROT_NONE);
        if (error) return fl_failure_at(FL_SITE_PROTECT_NONE, error);
    }
    slot->low = fl_place_pages(place, low);
    slot->old_low = 0;
    return fl_failure_none();
}

fl_failure fl_place_make_usable(fl_place place, uintptr_t low) {
    fl_slot *slot = fl_place_slot(place);
    uintptr_t had = counted(place), wanted = fl_place_base(place) - low;
    fl_failure failure = wanted > had ? fl_memory_take(wanted - had) : fl_failure_none();
    if (failure.error) return failure;
    failure = place.arena->guard == FL_GUARD_PAGES ? make_usable_pages(place, slot, low)
                                                   : make_usable_mapping(place, slot, low);
    if (failure.error) {
        if (wanted > had) fl_memory_give(wanted - had);
        return failure;
    }
    if (wanted < had) fl_memory_give(had - wanted);
    atomic_store_explicit(&slot->state, FL_SLOT_LIVE, memory_order_release);
    return failure;
}

// Only of a former band, which nothing can have been stored in: below it a large frame may have been. A refusal, or a
// kernel that keeps empty tables (before Linux 6.14), costs a chance of a huge page.
static void drop_tables(uintptr_t low, uintptr_t high) {
    uintptr_t from = (low + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), to = high & ~(HUGE_PAGE - 1);
    if (from < to) (void)fl_system_advise(FL_SITE_GROW_TABLES, from, to - from, MADV_DONTNEED);
}

static fl_failure extend(fl_place place, fl_slot *slot, uintptr_t low) {
    uintptr_t former = fl_place_address(place, slot->low);
    if (place.arena->guard == FL_GUARD_PROT_NONE) {
        int error = fl_system_protect(FL_SITE_GROW_PROTECT, low, former - low, PROT_READ | PROT_WRITE);
        if (error) return fl_failure_at(FL_SITE_GROW_PROTECT, error);
        slot->low = fl_place_pages(place, low);
        return fl_failure_none();
    }
    // The new band first: at no instant is the stack without a guard below it. While enough of the old band is left
    // below the new end, it serves: the first one, made with the slot, reaches down to a multiple of 2 MiB.
    uintptr_t band = fl_place_address(place, slot->band_low), end = fl_place_low(place), former_band = band;
    int error = 0;
    if (band > end && low < band + BAND) {
        uintptr_t guard_top = end + geometries[place.arena->size].guard;
        uintptr_t wanted = low - BAND <= guard_top ? end : low - BAND;
        if (is_deep((fl_slot_size)place.arena->size)) wanted = band_below(place, low);
        uintptr_t top = fl_minimum(low, band);
        error = advise_retrying(FL_SITE_GROW_INSTALL, fl_maximum(wanted, wanted == end ? guard_top : 0), top,
                                MADV_GUARD_INSTALL);
        band = wanted;
    }
    if (error) return fl_failure_at(FL_SITE_GROW_INSTALL, error);
    error = advise_retrying(FL_SITE_GROW_REMOVE, low, former, MADV_GUARD_REMOVE);
    if (error) return fl_failure_at(FL_SITE_GROW_REMOVE, error);
    if (is_deep((fl_slot_size)place.arena->size)) drop_tables(fl_maximum(low, former_band), former);
    slot->low = fl_place_pages(place, low);
    slot->band_low = fl_place_pages(place, band);
    return fl_failure_none();
}

fl_failure fl_place_extend(fl_place place, uintptr_t low) {
    fl_slot *slot = fl_place_slot(place);
    uintptr_t former = fl_place_address(place, slot->low);
    if (low >= former) return fl_failure_none();
    uintptr_t more = former - low;
    fl_failure failure = fl_memory_take(more);
    if (failure.error) return failure;
    failure = extend(place, slot, low);
    if (failure.error) fl_memory_give(more);
    return failure;
}

fl_failure fl_place_lift(fl_place place, uintptr_t low) {
    fl_slot *slot = fl_place_slot(place);
    uintptr_t former = fl_place_address(place, slot->low);
    if (place.arena->guard == FL_GUARD_PROT_NONE) {
        int error = fl_system_protect(FL_SITE_SHRINK_GUARD, former, low - former, PROT_NONE);
        if (error) return fl_failure_at(FL_SITE_SHRINK_GUARD, error);
        fl_memory_give(low - former);
        slot->low = fl_place_pages(place, low);
        return fl_failure_none();
    }
    uintptr_t band = band_below(place, low);
    int error = advise_retrying(FL_SITE_SHRINK_GUARD, band, low, MADV_GUARD_INSTALL);
    // A refusal may come half way. Whoever meets one of the new guards is below the new bound and grows past it; who does
    // not, meets the former band, of which nothing was taken away.
    fl_memory_give(low - former);
    slot->low = fl_place_pages(place, low);
    if (error) return fl_failure_at(FL_SITE_SHRINK_GUARD, error);
    slot->band_low = fl_place_pages(place, band);
    return fl_failure_none();
}

fl_failure fl_place_retire(fl_place place, uintptr_t live, bool provoked) {
    fl_slot *slot = fl_place_slot(place);
    uintptr_t base = fl_place_base(place), low = fl_place_address(place, slot->low);
    fl_memory_give(counted(place));
    atomic_store_explicit(&slot->state, FL_SLOT_OLD, memory_order_release);
    int error = place.arena->guard == FL_GUARD_PAGES
                    ? advise_retrying(FL_SITE_OLD_RANGE_GUARD, live, base, MADV_GUARD_INSTALL)
                    : fl_system_protect(FL_SITE_OLD_RANGE_GUARD, low, base - low, PROT_NONE);
    if (error) return fl_failure_at(FL_SITE_OLD_RANGE_GUARD, error);
    slot->old_low = provoked ? slot->low : fl_place_pages(place, live);
    // What was used below the live part, or copied, is dead: the kernel may have it. It may also refuse; then the
    // memory stays until the slot is used again.
    uintptr_t to = place.arena->guard == FL_GUARD_PAGES ? live : base;
    if (to > low) (void)fl_system_advise(FL_SITE_RELEASE, low, to - low, MADV_DONTNEED);
    return fl_failure_none();
}

static void push_free(fl_arena *arena, uint32_t index) {
    uint64_t head = atomic_load_explicit(&arena->free_head, memory_order_relaxed), replaced;
    do {
        atomic_store_explicit(&arena->table[index].next_free, (uint32_t)head, memory_order_relaxed);
        replaced = ((head >> 32) + 1) << 32 | (index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&arena->free_head, &head, replaced, memory_order_release,
                                                    memory_order_relaxed));
}

void fl_place_release(fl_place place, bool provoked) {
    fl_slot *slot = fl_place_slot(place);
    uintptr_t base = fl_place_base(place);
    // An old range has no memory any more. Elsewhere all that was touched goes: a jumped band's room, and what a pooled
    // stack gave up without giving its memory back.
    if (!slot->old_low && (slot->low || place.arena->guard == FL_GUARD_PAGES)) {
        uintptr_t from = fl_place_low(place);
        (void)fl_system_advise(FL_SITE_RELEASE, from, base - from, MADV_DONTNEED);
    }
    if (provoked) {
        // The debug knob guarded only a part; the next use takes all of an old range without access for granted.
        if (place.arena->guard == FL_GUARD_PROT_NONE) {
            uintptr_t low = fl_place_address(place, slot->low);
            (void)fl_system_protect(FL_SITE_PROTECT_NONE, low, base - low, PROT_NONE);
        }
        slot->old_low = slot->low;
    }
    fl_memory_give(counted(place));
    atomic_store_explicit(&slot->state, FL_SLOT_FREE, memory_order_release);
    atomic_store_explicit(&slot->owner, 0, memory_order_relaxed);
    atomic_fetch_sub_explicit(&in_use[place.arena->size], 1, memory_order_relaxed);
    push_free(place.arena, place.index);
}

fl_failure fl_place_quarantine(fl_place place) {
    fl_slot *slot = fl_place_slot(place);
    fl_memory_give(counted(place));
    atomic_store_explicit(&slot->state, FL_SLOT_QUARANTINED, memory_order_release);
    atomic_store_explicit(&slot->owner, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&quarantined, 1, memory_order_relaxed);
    uintptr_t low = fl_place_low(place), length = fl_place_base(place) - low;
    void *address = (void *)low;
    int error = fl_system_map(FL_SITE_QUARANTINE, &address, length, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED);
    if (!error) return fl_failure_none();
    // Too many mappings: guards and the loss of the memory do the same at the price of page tables.
    if (place.arena->guard == FL_GUARD_PAGES &&
        advise_retrying(FL_SITE_GUARD_INSTALL, low, low + length, MADV_GUARD_INSTALL) == 0) {
        return fl_failure_none();
    }
    return fl_failure_at(FL_SITE_QUARANTINE, error);
}
