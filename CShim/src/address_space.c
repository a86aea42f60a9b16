// Arenas: large reservations, each a row of equal slots for stacks.
//
//     arena   | offset | slot 0 | slot 1 | slot 2 | …          offset: 1 MiB for slots of 4 MiB and more, else 0
//
// Invariants: address -> slot takes no lock and no search (a directory by GiB); the table of an arena is written before
// the arena is published and never freed; free lists are lock-free with a tag against reuse (ABA), so that a handler
// can take a slot.
#include "shim_code.h"

#include "address_space.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "system.h"

#define KIB ((uintptr_t)1 << 10)
#define MIB ((uintptr_t)1 << 20)
#define GIB ((uintptr_t)1 << 30)

enum {
    ADDRESS_BITS = 47, // of user space on x86-64 without five-level paging, which a process must ask for
    UNIT_SHIFT = 30,   // the directory's granularity: arenas begin at a multiple of 1 GiB, so none shares one
    UNITS = 1 << (ADDRESS_BITS - UNIT_SHIFT),
    DOUBLINGS = 4,
    ROUNDS = 1000,   // times that others may have taken all of an arena that was just made
    PATIENCE = 2000, // times that a thread waits for another's arena
    YIELDS = 1000,   // of them only lets others run, about 0.3 ms when there are none; later ones take a millisecond
};

// Of a guard of a quarter of the slot, room is left for half of it and the reserve (StackConfiguration.reserve) from
// 1 MiB on. The smallest holds a stack of 16 KiB.
#define SLOT(bytes, guard_bytes) {.size = (bytes), .guard = (guard_bytes), .offset = 0}
#define LARGE_SLOT(bytes) {.size = (bytes), .guard = 1 * MIB, .offset = 1 * MIB}
static const fl_slot_geometry geometries[FL_SLOT_SIZES] = {
    SLOT(64 * KIB, 48 * KIB), SLOT(128 * KIB, 64 * KIB), SLOT(256 * KIB, 64 * KIB), SLOT(512 * KIB, 128 * KIB),
    SLOT(1 * MIB, 256 * KIB), SLOT(2 * MIB, 512 * KIB),  LARGE_SLOT(4 * MIB),       LARGE_SLOT(8 * MIB),
    LARGE_SLOT(16 * MIB),     LARGE_SLOT(32 * MIB),      LARGE_SLOT(64 * MIB),      LARGE_SLOT(128 * MIB),
    LARGE_SLOT(256 * MIB),    LARGE_SLOT(512 * MIB),     LARGE_SLOT(1 * GIB),
};

static const uint8_t moved_through[] = {FL_SLOT_64KIB, FL_SLOT_256KIB, FL_SLOT_1MIB,
                                        FL_SLOT_8MIB,  FL_SLOT_64MIB,  FL_SLOT_1GIB};
enum { STEPS = sizeof moved_through };

static _Atomic(fl_arena *) directory[UNITS];
enum { ROWS = 3 }; // fl_arena_row
static _Atomic(fl_arena *) arenas[FL_SLOT_SIZES][ROWS];
static _Atomic(uint64_t) in_use[FL_SLOT_SIZES];
static _Atomic(uintptr_t) makers[FL_SLOT_SIZES][ROWS]; // the thread pointer of the one that makes an arena

fl_slot_geometry fl_slot_geometry_of(fl_slot_size size) { return geometries[size]; }
uint64_t fl_slots_in_use(fl_slot_size size) { return atomic_load_explicit(&in_use[size], memory_order_relaxed); }
uintptr_t fl_slot_room(fl_slot_size size) { return geometries[size].size - geometries[size].guard; }

// The first has 65,536 slots of the small sizes, and enough of the large ones. Each further one is twice as large, up
// to DOUBLINGS times: a million stacks are five mappings.
uintptr_t fl_arena_size(fl_slot_size size, uint32_t number) {
    uintptr_t first = fl_minimum(geometries[size].size << 16, 512 * GIB);
    return first << (number < DOUBLINGS ? number : DOUBLINGS);
}

// In slots of 4 MiB and more the default first 64 KiB and the largest frame take the MiB between the base and a
// multiple of 2 MiB, where the first page of the page table ends: the first band needs no second one.
uintptr_t fl_slot_largest_frame(fl_slot_size size) {
    return geometries[size].offset ? 960 * KIB : geometries[size].guard;
}

// A band of guard pages takes time and page tables, so it is no larger than it must be, but for what costs no further
// page of the page table. In slots for deep stacks it fills whole ranges of 2 MiB (slot.c).
uintptr_t fl_slot_band(fl_slot_size size, uintptr_t usable) {
    fl_slot_geometry geometry = geometries[size];
    if (!geometry.offset) return geometry.size;
    uintptr_t base = geometry.offset + geometry.size, low = base - usable, highest = low - fl_slot_largest_frame(size);
    uintptr_t band = fl_slot_is_deep(size) ? highest & ~(2 * MIB - 1) : fl_minimum(highest, low & ~(2 * MIB - 1));
    return band <= geometry.offset + geometry.guard ? geometry.size : base - band;
}

fl_slot_size fl_slot_for(uintptr_t usable, fl_slot_size from) {
    for (uint32_t size = from; size < FL_SLOT_SIZES; size++) {
        if (fl_slot_room(size) >= usable) return size;
    }
    return FL_SLOT_SIZES;
}

fl_slot_size fl_slot_next(fl_slot_size size) {
    for (uint32_t step = 0; step < STEPS; step++) {
        if (moved_through[step] > size) return (fl_slot_size)moved_through[step];
    }
    return FL_SLOT_SIZES;
}

fl_slot_size fl_slot_for_moving(uintptr_t usable) {
    fl_slot_size size = FL_SLOT_64KIB;
    while (size < FL_SLOT_SIZES && fl_slot_room(size) < usable) size = fl_slot_next(size);
    return size;
}

fl_slot_handle fl_slot_of(uintptr_t address) {
    fl_slot_handle none = {.arena = NULL, .index = 0};
    if (address >> ADDRESS_BITS) return none;
    fl_arena *arena = atomic_load_explicit(&directory[address >> UNIT_SHIFT], memory_order_acquire);
    if (!arena || address < arena->first) return none;
    uintptr_t index = (address - arena->first) >> arena->shift;
    if (index >= arena->slots) return none;
    return (fl_slot_handle){.arena = arena, .index = (uint32_t)index};
}

// Signal context: callable.
static fl_failure make_arena(fl_slot_size size, uint32_t row) {
    fl_slot_geometry geometry = geometries[size];
    fl_arena made = {.shift = (uint8_t)__builtin_ctzll(geometry.size),
                     .size = (uint8_t)size,
                     .guard = row == FL_GUARD_PROT_NONE ? FL_GUARD_PROT_NONE : FL_GUARD_PAGES,
                     .row = (uint8_t)row};
    uintptr_t low = 0, length = 0;
    fl_failure failure = fl_failure_at(FL_SITE_ARENA_MAP, ENOMEM);
    uint32_t number = 0;
    for (fl_arena *arena = atomic_load_explicit(&arenas[size][row], memory_order_acquire); arena; arena = arena->next) {
        number++;
    }
    // Under a limit one size must leave room for those that moving stacks come to next. Where less than a whole first
    // arena is granted, down to two slots, none of it is lost to the offset.
    uintptr_t bytes = fl_arena_size(size, number),
              share = (uintptr_t)fl_system_mapping_limit(row != FL_GUARD_PROT_NONE) / 8;
    while (bytes > share && bytes >= 4 * geometry.size) bytes /= 2;
    for (; bytes >= 2 * geometry.size; bytes /= 2) {
        length = bytes < fl_arena_size(size, 0) ? bytes + geometry.offset : bytes;
        bool registered = false;
        failure = fl_arena_reserve(length, &low);
        if (!failure.error) {
            failure = fl_arena_open(low, length, fl_arena_kind_of(&made), &registered);
            if (failure.error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        }
        made.registered = registered;
        // ENOMEM: a limit, or mode 2 of overcommit. EAGAIN: locked memory. EINVAL: valgrind has less address space.
        if (failure.error != ENOMEM && failure.error != EAGAIN && failure.error != EINVAL) break;
    }
    if (failure.error) return failure;
    if ((low + length) >> ADDRESS_BITS) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        return fl_failure_at(FL_SITE_ARENA_MAP, ENOMEM);
    }

    if (row != FL_GUARD_PROT_NONE) fl_arena_guard_page(low);
    made.low = low;
    made.length = length;
    made.first = low + geometry.offset;
    made.slots = (uint32_t)((length - geometry.offset) / geometry.size);
    void *table = NULL;
    int error = fl_memory_map(FL_SITE_ARENA_TABLE, sizeof(fl_arena) + made.slots * sizeof(fl_slot), &table);
    if (error) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
        return fl_failure_at(FL_SITE_ARENA_TABLE, error);
    }
    fl_arena *arena = table;
    made.table = (fl_slot *)(void *)(arena + 1);
    memcpy(arena, &made, sizeof made);
    for (uintptr_t unit = low >> UNIT_SHIFT; unit <= (low + length - 1) >> UNIT_SHIFT; unit++) {
        atomic_store_explicit(&directory[unit], arena, memory_order_release);
    }
    fl_arena *head = atomic_load_explicit(&arenas[size][row], memory_order_acquire);
    do {
        arena->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&arenas[size][row], &head, arena, memory_order_release,
                                                    memory_order_acquire));
    return fl_failure_none();
}

// Signal context: callable.
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

// Signal context: callable.
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

// A new arena, unless another has come to the row since `seen` was its first. Threads that find a row full at the same
// time wait for the one that makes the arena: each would make its own. That may be this very thread, whose handler
// runs; or it did not come through a fork, so they wait for a while only. Signal context: callable.
static fl_failure add_arena(fl_slot_size size, uint32_t row, const fl_arena *seen) {
    uintptr_t mine = (uintptr_t)fl_thread_pointer();
    for (int waited = 0; waited < PATIENCE; waited++) {
        if (atomic_load_explicit(&arenas[size][row], memory_order_acquire) != seen) return fl_failure_none();
        uintptr_t maker = 0;
        if (atomic_compare_exchange_strong_explicit(&makers[size][row], &maker, mine, memory_order_acquire,
                                                    memory_order_relaxed) ||
            maker == mine) {
            break;
        }
        if (waited < YIELDS) {
            sched_yield();
        } else {
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); // interrupted, it is asked for again
        }
    }
    bool is_there = atomic_load_explicit(&arenas[size][row], memory_order_acquire) != seen;
    fl_failure failure = is_there ? fl_failure_none() : make_arena(size, row);
    atomic_store_explicit(&makers[size][row], 0, memory_order_release);
    return failure;
}

fl_failure fl_slot_take_free(fl_slot_size size, uint32_t row, fl_stack *owner, fl_slot_handle *handle) {
    // What exists, then a new arena. Others may empty that one before us, which a small one takes few of.
    for (int round = 0; round < ROUNDS; round++) {
        fl_arena *first = atomic_load_explicit(&arenas[size][row], memory_order_acquire);
        for (fl_arena *arena = first; arena; arena = arena->next) {
            uint32_t index;
            if (!pop_free(arena, &index) && !take_fresh(arena, &index)) continue;
            fl_slot *slot = &arena->table[index];
            atomic_store_explicit(&slot->owner, owner->index + 1, memory_order_relaxed);
            atomic_store_explicit(&slot->state, FL_SLOT_TAKEN, memory_order_release);
            atomic_fetch_add_explicit(&in_use[size], 1, memory_order_relaxed);
            *handle = (fl_slot_handle){.arena = arena, .index = index};
            return fl_failure_none();
        }
        fl_failure failure = add_arena(size, row, first);
        if (failure.error) return failure;
    }
    return fl_failure_at(FL_SITE_ARENA_MAP, ENOMEM);
}

// Signal context: callable.
static void push_free(fl_arena *arena, uint32_t index) {
    uint64_t head = atomic_load_explicit(&arena->free_head, memory_order_relaxed), replaced;
    do {
        atomic_store_explicit(&arena->table[index].next_free, (uint32_t)head, memory_order_relaxed);
        replaced = ((head >> 32) + 1) << 32 | (index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&arena->free_head, &head, replaced, memory_order_release,
                                                    memory_order_relaxed));
}

int fl_slot_advise(fl_site site, uintptr_t low, uintptr_t high, int advice) {
    int error = fl_system_advise_retrying(site, low, high, advice);
    const fl_arena *arena = error == EINVAL ? fl_slot_of(low).arena : NULL;
    if (!arena || fl_system_unlock(FL_SITE_ARENA_UNLOCK, arena->low, arena->length)) return error;
    return fl_system_advise_retrying(site, low, high, advice);
}

void fl_slot_give_back(fl_slot_handle handle) {
    fl_slot *slot = fl_slot_entry(handle);
    atomic_store_explicit(&slot->state, FL_SLOT_FREE, memory_order_release);
    atomic_store_explicit(&slot->owner, 0, memory_order_relaxed);
    atomic_fetch_sub_explicit(&in_use[handle.arena->size], 1, memory_order_relaxed);
    push_free(handle.arena, handle.index);
}

#pragma clang attribute pop
