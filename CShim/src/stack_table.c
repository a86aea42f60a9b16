// The table of stacks: their control blocks, hot part and details apart, so that an idle stack touches only the hot
// part.
//
// The table never moves and is never freed, so a handler may follow a slot's owner at any time. Free entries form a
// list without a lock; its tag counts changes, against an entry that is taken and given back meanwhile.
#include "shim_code.h"

#include "stack_table.h"

#include "system.h"

enum {
    STACKS_PER_CHUNK = 1 << 14, // scripts/gdb has it, too
    CHUNKS = 1 << 12,           // 67 million stacks
};

static fl_stack *_Atomic hot[CHUNKS];
static fl_stack_details *_Atomic cold[CHUNKS];
static _Atomic(uint32_t) chunks_made;
static _Atomic(uint64_t) free_stacks; // tag in the upper half, index + 1 in the lower
static _Atomic(uint32_t) fresh_stacks;

uintptr_t fl_stack_bookkeeping(void) { return sizeof(fl_stack) + sizeof(fl_slot); }
uint64_t fl_stacks_maximum(void) { return (uint64_t)CHUNKS * STACKS_PER_CHUNK; }

// Signal context: callable.
static fl_stack *entry(uint32_t index) { return &hot[index / STACKS_PER_CHUNK][index % STACKS_PER_CHUNK]; }

fl_stack_details *fl_stack_details_of(const fl_stack *stack) {
    return &cold[stack->index / STACKS_PER_CHUNK][stack->index % STACKS_PER_CHUNK];
}

fl_stack *fl_slot_owner(fl_slot *slot) {
    uint32_t owner = atomic_load_explicit(&slot->owner, memory_order_acquire);
    return owner ? entry(owner - 1) : NULL;
}

uint32_t fl_stack_entries(void) { return atomic_load_explicit(&fresh_stacks, memory_order_acquire); }

fl_stack *fl_stack_entry(uint32_t index) {
    fl_stack *chunk = atomic_load_explicit(&hot[index / STACKS_PER_CHUNK], memory_order_acquire);
    return chunk ? &chunk[index % STACKS_PER_CHUNK] : NULL;
}

// Two threads may map the same chunk, and the later one unmaps its own: a lock could be held by a thread that does not
// exist after a fork.
static int make_chunk(uint32_t chunk) {
    void *first = NULL, *second = NULL;
    int error = fl_memory_map(FL_SITE_STACK_TABLE, STACKS_PER_CHUNK * sizeof(fl_stack), &first);
    if (error) return error;
    error = fl_memory_map(FL_SITE_STACK_TABLE, STACKS_PER_CHUNK * sizeof(fl_stack_details), &second);
    fl_stack_details *no_details = NULL;
    fl_stack *no_stacks = NULL;
    if (!error && !atomic_compare_exchange_strong(&cold[chunk], &no_details, second)) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)second, STACKS_PER_CHUNK * sizeof(fl_stack_details));
    }
    if (error || !atomic_compare_exchange_strong(&hot[chunk], &no_stacks, first)) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)first, STACKS_PER_CHUNK * sizeof(fl_stack));
    }
    if (error) return error;
    uint32_t made = atomic_load_explicit(&chunks_made, memory_order_relaxed);
    // Each failed exchange means that another thread raised it.
    while (made <= chunk && !atomic_compare_exchange_weak_explicit(&chunks_made, &made, chunk + 1, memory_order_release,
                                                                   memory_order_relaxed)) {
    }
    return 0;
}

int fl_stack_entry_take(fl_stack **stack) {
    uint64_t head = atomic_load_explicit(&free_stacks, memory_order_acquire);
    while ((uint32_t)head != 0) {
        fl_stack *taken = entry((uint32_t)head - 1);
        uint64_t next = ((head >> 32) + 1) << 32 | __atomic_load_n(&taken->next_free, __ATOMIC_RELAXED);
        if (atomic_compare_exchange_weak_explicit(&free_stacks, &head, next, memory_order_acquire,
                                                  memory_order_acquire)) {
            *stack = taken;
            return 0;
        }
    }
    uint32_t fresh = atomic_load_explicit(&fresh_stacks, memory_order_relaxed);
    for (;;) {
        uint32_t chunk = fresh / STACKS_PER_CHUNK;
        if (chunk >= CHUNKS) return ENOMEM;
        if (chunk >= atomic_load_explicit(&chunks_made, memory_order_acquire)) {
            int error = make_chunk(chunk);
            if (error) return error;
        }
        if (atomic_compare_exchange_weak_explicit(&fresh_stacks, &fresh, fresh + 1, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            break;
        }
    }
    fl_stack *taken = entry(fresh);
    taken->index = fresh;
    *stack = taken;
    return 0;
}

void fl_stack_entry_give(fl_stack *stack) {
    uint64_t head = atomic_load_explicit(&free_stacks, memory_order_relaxed), replaced;
    do {
        __atomic_store_n(&stack->next_free, (uint32_t)head, __ATOMIC_RELAXED);
        replaced = ((head >> 32) + 1) << 32 | (stack->index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&free_stacks, &head, replaced, memory_order_release,
                                                    memory_order_relaxed));
}

#pragma clang attribute pop
