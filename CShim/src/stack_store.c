// The compact store of hibernated stacks: blocks of a few sizes in slabs of memory that is only this store's.
//
//     region   | table of slabs | slab 0 | slab 1 | …            one reservation; a slab is 64 KiB
//     slab     | block | block | … | never touched |             blocks of one size class
//
// Classes are 16 bytes apart up to 512 and an eighth of an octave apart up to 32 KiB, so that at most 15 bytes or an
// eighth of a block is wasted; what is larger has a mapping of its own. An empty slab's memory goes back to the kernel,
// all but one, which saves the calls of a coroutine that hibernates again and again.
//
// No handler takes or gives a block, hence the lock: a record that a handler has restored waits for the next ordinary
// call. Reading a record needs no lock; fl_slot.state says how long it stays (hibernation.c). A child of fork finds the
// lock open and the store whole.
#include "shim_code.h"

#include "stack_store.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "arena_memory.h"
#include "system.h"

#define GIB ((uintptr_t)1 << 30)

enum {
    SLAB = 64 << 10,
    GRAIN = 16,
    FINE_MAXIMUM = 512, // sizes up to here are GRAIN apart
    LARGEST = 32 << 10, // two blocks a slab
    FINE_CLASSES = FINE_MAXIMUM / GRAIN,
    CLASSES = FINE_CLASSES + 6 * 8, // six octaves from 512 to 32,768
    REGION_GIB = 64,                // hundreds of millions of records; only what is touched is memory
};

typedef struct slab {
    uint32_t next, previous; // in the list of its class or of empty slabs: number + 1
    uint32_t free;           // chain of given blocks: number + 1, the next in each one's first word
    uint16_t used, fresh;    // blocks in use; blocks ever handed out
    uint8_t class, listed;
} slab;

static atomic_flag lock = ATOMIC_FLAG_INIT;
static slab *table;
static uintptr_t region; // of slab 0; 0: not reserved yet
static uint32_t slabs, fresh_slabs;
static uint32_t partial[CLASSES]; // slabs with room: number + 1
static uint32_t empty;            // slabs without memory
static uint32_t kept;             // the empty slab that keeps its memory: number + 1
static fl_store_usage usage;

static void acquire(void) {
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) sched_yield();
}
static void let_go(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

// MARK: size classes

static uint32_t class_of(size_t bytes) {
    if (bytes <= FINE_MAXIMUM) return (uint32_t)((bytes + GRAIN - 1) / GRAIN) - 1;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(bytes - 1);
    return FINE_CLASSES + (octave - 9) * 8 + (uint32_t)((bytes - 1 - ((size_t)1 << octave)) >> (octave - 3));
}

static size_t size_of(uint32_t class) {
    if (class < FINE_CLASSES) return (class + 1) * GRAIN;
    uint32_t octave = 9 + (class - FINE_CLASSES) / 8, step = (class - FINE_CLASSES) % 8 + 1;
    return ((size_t)1 << octave) + ((size_t)step << (octave - 3));
}

// MARK: slabs; the lock is held

static void push(uint32_t *head, uint32_t number) {
    slab *pushed = &table[number - 1];
    pushed->previous = 0;
    pushed->next = *head;
    if (*head) table[*head - 1].previous = number;
    *head = number;
    pushed->listed = 1;
}

static void unlink_slab(uint32_t *head, uint32_t number) {
    slab *left = &table[number - 1];
    if (left->previous) {
        table[left->previous - 1].next = left->next;
    } else {
        *head = left->next;
    }
    if (left->next) table[left->next - 1].previous = left->previous;
    left->listed = 0;
}

static fl_failure reserve(void) {
    if (region) return fl_failure_none();
    int error = ENOMEM;
    // Under RLIMIT_AS the first reservation may fail.
    for (uintptr_t length = REGION_GIB * GIB; (error == ENOMEM || error == EAGAIN) && length >= GIB / 16; length /= 4) {
        size_t entries = length / SLAB * sizeof(slab);
        void *mapped = NULL;
        error = fl_memory_map(FL_SITE_STORE_MAP, length, &mapped);
        if (error) continue;
        // A slab that is given back must not tear a huge page apart. EINVAL: a kernel without them.
        (void)fl_system_advise(FL_SITE_ARENA_ADVICE, (uintptr_t)mapped, length, MADV_NOHUGEPAGE);
        // ENOMEM: then only a child that another thread's fork makes at the wrong moment is in danger.
        (void)pthread_atfork(acquire, let_go, let_go);
        fl_arena_guard_page((uintptr_t)mapped);
        fl_arena_omit((uintptr_t)mapped, length);
        table = (slab *)((uintptr_t)mapped + FL_PAGE);
        region = fl_page_up((uintptr_t)table + entries);
        slabs = (uint32_t)(((uintptr_t)mapped + length - region) / SLAB);
    }
    return error ? fl_failure_at(FL_SITE_STORE_MAP, error) : fl_failure_none();
}

static uintptr_t address_of(uint32_t number) { return region + (uintptr_t)(number - 1) * SLAB; }

// A slab with room for a block of `class`, 0: the region is full.
static uint32_t slab_for(uint32_t class) {
    if (partial[class]) return partial[class];
    uint32_t number = empty;
    if (number) {
        unlink_slab(&empty, number);
    } else if (fresh_slabs < slabs) {
        number = ++fresh_slabs;
    } else {
        return 0;
    }
    table[number - 1] = (slab){.class = (uint8_t)class};
    push(&partial[class], number);
    usage.committed += SLAB;
    return number;
}

static void release_slab(uint32_t number) {
    slab *left = &table[number - 1];
    // A refusal leaves the memory where it is until the slab is used again.
    (void)fl_system_advise(FL_SITE_STORE_RELEASE, address_of(number), SLAB, MADV_DONTNEED);
    unlink_slab(&partial[left->class], number);
    push(&empty, number);
    usage.committed -= SLAB;
}

static fl_failure take_block(uint32_t class, void **block) {
    fl_failure failure = reserve();
    if (failure.error) return failure;
    uint32_t number = slab_for(class);
    if (!number) return fl_failure_at(FL_SITE_STORE_MAP, ENOMEM);
    slab *from = &table[number - 1];
    if (number == kept) kept = 0;
    size_t size = size_of(class);
    uint32_t index = from->free ? from->free - 1 : from->fresh++;
    *block = (void *)(address_of(number) + index * size);
    if (from->free) from->free = *(uint32_t *)*block;
    from->used++;
    if (!from->free && (from->fresh + 1u) * size > SLAB) unlink_slab(&partial[class], number);
    usage.bytes += size;
    usage.records++;
    return fl_failure_none();
}

static void give_block(uintptr_t address) {
    uint32_t number = (uint32_t)((address - region) / SLAB) + 1;
    slab *to = &table[number - 1];
    size_t size = size_of(to->class);
    *(uint32_t *)address = to->free;
    to->free = (uint32_t)((address - address_of(number)) / size) + 1;
    to->used--;
    usage.bytes -= size;
    usage.records--;
    if (!to->listed) push(&partial[to->class], number);
    if (to->used) return;
    if (kept) {
        release_slab(number);
    } else {
        kept = number;
    }
}

// MARK: the interface

static size_t mapping_of(size_t bytes) { return fl_page_up(bytes); }

fl_failure fl_store_take(size_t bytes, void **block) {
    if (bytes > LARGEST) {
        *block = NULL;
        int error = fl_system_map(FL_SITE_STORE_MAP, block, mapping_of(bytes), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        if (error) return fl_failure_at(FL_SITE_STORE_MAP, error);
        acquire();
        usage.bytes += mapping_of(bytes);
        usage.committed += mapping_of(bytes);
        usage.records++;
        let_go();
        return fl_failure_none();
    }
    acquire();
    fl_failure failure = take_block(class_of(bytes), block);
    let_go();
    return failure;
}

void fl_store_give(void *block, size_t bytes) {
    acquire();
    if (bytes > LARGEST) {
        usage.bytes -= mapping_of(bytes);
        usage.committed -= mapping_of(bytes);
        usage.records--;
    } else {
        give_block((uintptr_t)block);
    }
    let_go();
    // A refused unmap leaks the mapping: nothing refers to it any more.
    if (bytes > LARGEST) (void)fl_system_unmap(FL_SITE_STORE_RELEASE, (uintptr_t)block, mapping_of(bytes));
}

fl_store_usage fl_store_usage_get(void) {
    acquire();
    fl_store_usage copy = usage;
    let_go();
    return copy;
}

void fl_store_drain(void) {
    acquire();
    if (kept) release_slab(kept);
    kept = 0;
    let_go();
}

#pragma clang attribute pop
