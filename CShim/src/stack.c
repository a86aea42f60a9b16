// Stacks: made ready, pooled, ended.
//
// A stack is an entry of a table (hot part and details apart, so that an idle one touches only the hot part) and a slot
// of an arena. The table never moves and is never freed, so a handler may follow a slot's owner at any time.
//
//     states of a stack     pooled -> created -> running <-> suspended -> finished -> pooled
//                                                   |
//                                                   +-> faulted -> its slot in quarantine, the entry free again
#include "internal.h"

#include <stdlib.h>
#include <sys/mman.h>

#pragma clang section text = "fl_text"

enum {
    STACKS_PER_CHUNK = 1 << 14,
    CHUNKS = 1 << 12,            // 67 million stacks
    POOL_PER_SLOT_SIZE = 64,     // stacks a thread keeps for reuse, by slot size
    KEEP_BYTES = 64 << 10,       // memory that a pooled stack may keep
    HEADROOM_MAXIMUM = 64 << 10,
    COLOURS = 16,                // of the first frame's place in its page
    CACHE_LINE = 64,
    GROWS_DOWN_GAP = 1 << 20,    // the kernel's stack_guard_gap: 256 pages that nothing may be mapped in
};

static fl_stack *_Atomic hot[CHUNKS];
static fl_stack_details *_Atomic cold[CHUNKS];
static _Atomic(uint32_t) chunks_made;
static _Atomic(uint64_t) free_stacks; // tag in the upper half, index + 1 in the lower
static _Atomic(uint32_t) fresh_stacks;
static atomic_flag chunk_lock = ATOMIC_FLAG_INIT;

static __thread fl_stack *_Nullable pool[FL_SLOT_SIZES] __attribute__((tls_model("initial-exec")));
static __thread uint32_t pooled[FL_SLOT_SIZES] __attribute__((tls_model("initial-exec")));

// MARK: the table

uintptr_t fl_stack_bookkeeping(void) { return sizeof(fl_stack) + sizeof(fl_slot); }
uint64_t fl_stacks_maximum(void) { return (uint64_t)CHUNKS * STACKS_PER_CHUNK; }

static fl_stack *entry(uint32_t index) { return &hot[index / STACKS_PER_CHUNK][index % STACKS_PER_CHUNK]; }

// Not reachable from a handler, hence the lock.
static int make_chunk(uint32_t chunk) {
    int error = 0;
    while (atomic_flag_test_and_set_explicit(&chunk_lock, memory_order_acquire)) __builtin_ia32_pause();
    if (chunk < atomic_load_explicit(&chunks_made, memory_order_relaxed)) goto done;
    void *first = NULL, *second = NULL;
    error = fl_system_map(FL_SITE_STACK_TABLE, &first, STACKS_PER_CHUNK * sizeof(fl_stack), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (error) goto done;
    error = fl_system_map(FL_SITE_STACK_TABLE, &second, STACKS_PER_CHUNK * sizeof(fl_stack_details),
                          PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    if (error) {
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)first, STACKS_PER_CHUNK * sizeof(fl_stack));
        goto done;
    }
    atomic_store_explicit(&hot[chunk], first, memory_order_release);
    atomic_store_explicit(&cold[chunk], second, memory_order_release);
    atomic_store_explicit(&chunks_made, chunk + 1, memory_order_release);
done:
    atomic_flag_clear_explicit(&chunk_lock, memory_order_release);
    return error;
}

static int take_entry(fl_stack **stack) {
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
    taken->details = &cold[fresh / STACKS_PER_CHUNK][fresh % STACKS_PER_CHUNK];
    *stack = taken;
    return 0;
}

static void give_entry(fl_stack *stack) {
    uint64_t head = atomic_load_explicit(&free_stacks, memory_order_relaxed), replaced;
    do {
        __atomic_store_n(&stack->next_free, (uint32_t)head, __ATOMIC_RELAXED);
        replaced = ((head >> 32) + 1) << 32 | (stack->index + 1);
    } while (!atomic_compare_exchange_weak_explicit(&free_stacks, &head, replaced, memory_order_release,
                                                    memory_order_relaxed));
}

// MARK: limits of checked code

uintptr_t fl_headroom(uintptr_t room) { return fl_minimum(room / 2, HEADROOM_MAXIMUM); }

uintptr_t fl_check_limit(const fl_stack *stack, uintptr_t low, uintptr_t base) {
    (void)stack;
    return low + fl_headroom(base - low);
}

void fl_stack_set_limit(fl_stack *stack) {
    if (stack->strategy < FL_STRATEGY_CHECK_MOVE) return;
    stack->fiber.limit = fl_check_limit(stack, stack->low, stack->base);
    if (fl_stack_running() == stack) FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)stack->fiber.limit;
}

// MARK: making

// A mapping of its own, found by reserving the largest it may become. Between the unmap and the map another thread's
// mapping can take the place: then MAP_FIXED_NOREPLACE refuses, and a few more tries follow.
static fl_failure map_grows_down(fl_stack *stack) {
    uintptr_t length = stack->maximum + GROWS_DOWN_GAP + FL_PAGE;
    int error = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
        void *probe = NULL;
        error = fl_system_map(FL_SITE_GROWS_DOWN_PROBE, &probe, length, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_PROBE, error);
        uintptr_t base = (uintptr_t)probe + length;
        // What lies below the maximum stays reserved: it ends the kernel's growth there, however much RLIMIT_STACK allows.
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, base - stack->maximum, stack->maximum);
        void *address = (void *)(base - stack->initial);
        error = fl_system_map(FL_SITE_GROWS_DOWN_MAP, &address, stack->initial, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE | MAP_FIXED_NOREPLACE);
        if (error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)probe, length - stack->maximum);
        if (error == EEXIST) continue;
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
        stack->base = base;
        stack->low = base - stack->initial;
        stack->room_low = stack->slot_low = base - stack->maximum;
        return fl_failure_none();
    }
    return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
}

static uintptr_t usable_at_first(const fl_stack *stack) {
    switch ((fl_strategy)stack->strategy) {
    case FL_STRATEGY_FAULT:
    case FL_STRATEGY_FAULT_MOVE:
    case FL_STRATEGY_CHECK_MOVE:
    case FL_STRATEGY_CHECK_SEGMENT:
    case FL_STRATEGY_GROWS_DOWN:
        return stack->initial;
    case FL_STRATEGY_FIXED:
    case FL_STRATEGY_DEMAND:
    case FL_STRATEGY_CHECK_FIXED:
        return stack->maximum;
    }
}

static void set_bounds(fl_stack *stack, uintptr_t usable) {
    uintptr_t base = fl_place_base(stack->place);
    stack->base = base;
    stack->low = base - usable;
    stack->slot_low = fl_place_low(stack->place);
    bool moves = stack->strategy == FL_STRATEGY_FAULT_MOVE || stack->strategy == FL_STRATEGY_CHECK_MOVE;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT || (moves && usable < stack->maximum)) {
        stack->room_low = stack->slot_low;
    } else {
        stack->room_low = base - stack->maximum;
    }
}

static fl_failure make_ready(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) return map_grows_down(stack);
    uintptr_t usable = usable_at_first(stack);
    if (!stack->place.arena) {
        fl_failure failure = fl_place_take((fl_slot_size)stack->slot, (fl_guard)stack->guard, stack, &stack->place);
        if (failure.error) return failure;
    }
    fl_failure failure = fl_place_make_usable(stack->place, fl_place_base(stack->place) - usable);
    if (failure.error) return failure;
    set_bounds(stack, usable);
    if (stack->strategy == FL_STRATEGY_FIXED) {
        int error = ENOSYS;
        if (fl_capabilities_get()->populate_write) {
            error = fl_system_advise(FL_SITE_POPULATE, stack->low, usable, MADV_POPULATE_WRITE);
        }
        if (error == ENOSYS || error == EINVAL) { // before Linux 5.14: touch each page, which is what it does
            for (uintptr_t page = stack->low; page < stack->base; page += FL_PAGE) *(volatile char *)page = 0;
            error = 0;
        }
        if (error) return fl_failure_at(FL_SITE_POPULATE, error);
    }
    return fl_failure_none();
}

static void configure(fl_stack *stack, const fl_stack_configuration *configuration) {
    stack->strategy = (uint8_t)configuration->strategy;
    stack->guard = (uint8_t)configuration->guard;
    stack->mover = (uint8_t)configuration->mover;
    stack->slot = stack->first_slot = (uint8_t)configuration->slot;
    stack->initial = configuration->initial;
    stack->maximum = configuration->maximum;
    stack->reserve = configuration->reserve;
    stack->old_count = 0;
    stack->flags = (uint8_t)((configuration->contains_overflow ? FL_STACK_CONTAINS_OVERFLOW : 0) |
                             (configuration->contains_nil ? FL_STACK_CONTAINS_NIL : 0));
    stack->fiber.keeps_fp_control = configuration->keeps_fp_control;
}

static bool serves(const fl_stack *stack, const fl_stack_configuration *configuration) {
    return stack->strategy == configuration->strategy && stack->guard == configuration->guard &&
           stack->initial == configuration->initial && stack->maximum == configuration->maximum &&
           stack->reserve == configuration->reserve;
}

// The first stack of the pool that fits: its slot is ready as it is.
static fl_stack *_Nullable take_pooled(const fl_stack_configuration *configuration) {
    fl_stack **link = &pool[configuration->slot];
    for (int looked = 0; *link && looked < 4; link = &(*link)->next, looked++) {
        fl_stack *stack = *link;
        if (!serves(stack, configuration)) continue;
        *link = stack->next;
        pooled[configuration->slot]--;
        return stack;
    }
    return NULL;
}

static void ready(fl_stack *stack) {
    // The entry frame: its first word leads unwinders to the resumer (arch/x86_64/entry.S). Bases are multiples of a page,
    // so that the frames of suspended stacks would all fall into the same few sets of a cache: they begin so many lines
    // lower. Below 1 KiB, for a first page has to do for a small stack.
    uintptr_t *frame = (uintptr_t *)(stack->base - 16 - stack->index % COLOURS * CACHE_LINE);
    frame[0] = (uintptr_t)&stack->fiber;
    frame[1] = 0;
    stack->fiber.own = (fl_context){.sp = frame, .bp = NULL, .ip = (void *)fl_fiber_entry};
    stack->fiber.access_set = NULL;
    stack->fiber.thread = NULL;
    stack->fiber.state = FL_FIBER_CREATED;
    stack->fiber.limit = 0;
    stack->fiber.mxcsr = 0x1f80;      // all exceptions masked, round to nearest: the System V ABI at process entry
    stack->fiber.x87_control = 0x37f; // likewise, 64-bit mantissa
    fl_stack_set_limit(stack);
}

fl_stack *fl_stack_create(const fl_stack_configuration *configuration, fl_failure *failure) {
    *failure = fl_failure_none();
    fl_stack *_Nullable reused = take_pooled(configuration);
    if (reused) {
        fl_stack *stack = reused;
        configure(stack, configuration);
        ready(stack);
        return stack;
    }
    // Another library may have put its own handler over ours: then no stack could grow. Asked only where a stack is
    // made, not where one is reused.
    if (!fl_handler_is_installed()) {
        *failure = fl_failure_at(FL_SITE_HANDLER_SET, EBUSY);
        return NULL;
    }
    fl_stack *stack = NULL;
    int error = take_entry(&stack);
    if (error) {
        *failure = fl_failure_at(FL_SITE_STACK_TABLE, error);
        return NULL;
    }
    configure(stack, configuration);
    stack->place = (fl_place){.arena = NULL, .index = 0};
    stack->base = 0;
    fl_failure made = make_ready(stack);
    if (made.error) {
        *failure = made;
        if (stack->place.arena) fl_place_release(stack->place, false);
        give_entry(stack);
        return NULL;
    }
    ready(stack);
    return stack;
}

void fl_stack_prepare(fl_stack *stack, void (*body)(void *), void *argument) {
    stack->fiber.body = body;
    stack->fiber.argument = argument;
}

void *fl_stack_mailbox(fl_stack *stack) { return stack->mailbox; }

// MARK: ending

static void release_old(fl_stack *stack) {
    for (uint32_t i = 0; i < stack->old_count; i++) fl_place_release(stack->details->old[i], false);
    stack->old_count = 0;
}

static void clear_details(fl_stack *stack) {
    if (!stack->touched_details) return;
    while (stack->details->allocations) {
        void *allocation = stack->details->allocations;
        stack->details->allocations = *(void **)allocation;
        free(allocation);
    }
    memset(stack->details, 0, sizeof *stack->details);
    stack->touched_details = 0;
}

static void discard(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        // The kernel grew the mapping by itself; unmapping its largest extent covers what it became.
        uintptr_t length = stack->maximum + GROWS_DOWN_GAP + FL_PAGE;
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, stack->base - length, length);
    } else {
        fl_place_release(stack->place, (stack->flags & FL_STACK_PROVOKED) != 0);
    }
    stack->place.arena = NULL;
    give_entry(stack);
}

static void quarantine(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        void *address = (void *)stack->slot_low;
        (void)fl_system_map(FL_SITE_QUARANTINE, &address, stack->maximum, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED);
    } else {
        if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
            // Frames on further segments were abandoned with the rest. The link stands at the top of each.
            while (stack->details->segment_bytes) {
                fl_segment_link link = *(fl_segment_link *)(stack->base - sizeof(fl_segment_link));
                stack->details->segment_bytes -= stack->base - stack->low;
                (void)fl_place_quarantine(stack->place);
                stack->place = link.place;
                stack->base = link.base;
                stack->low = link.low;
            }
        }
        fl_failure failure = fl_place_quarantine(stack->place);
        if (failure.error) {
            const char *parts[] = {"the slot of a faulted stack could not be closed (",
                                   fl_site_name((fl_site)failure.site), "); it stays reserved and is never used again"};
            fl_message(parts, 3);
        }
    }
    clear_details(stack);
    stack->place.arena = NULL;
    give_entry(stack);
}

void fl_stack_destroy(fl_stack *stack) {
    release_old(stack);
    if (stack->fiber.state == FL_FIBER_FAULTED) {
        quarantine(stack);
        return;
    }
    uint32_t size = stack->slot;
    bool grown = stack->low != stack->base - usable_at_first(stack);
    // A moved stack ends in another slot than it began in; it is not worth keeping for the size it asked for.
    bool reusable = stack->strategy != FL_STRATEGY_GROWS_DOWN && size == stack->first_slot &&
                    !(stack->flags & (FL_STACK_OVERFLOWING | FL_STACK_PROVOKED)) &&
                    pooled[size] < POOL_PER_SLOT_SIZE;
    if (reusable && grown) {
        uintptr_t keep = stack->base - KEEP_BYTES;
        if (stack->low < keep) {
            reusable = fl_system_advise(FL_SITE_RELEASE, stack->low, keep - stack->low, MADV_DONTNEED) == 0;
        }
        fl_stack *kept = stack;
        if (reusable) reusable = make_ready(kept).error == 0;
    }
    clear_details(stack);
    if (!reusable) {
        discard(stack);
        return;
    }
    stack->next = pool[size];
    pool[size] = stack;
    pooled[size]++;
}

void fl_pool_drain(void) {
    for (uint32_t size = 0; size < FL_SLOT_SIZES; size++) {
        while (pool[size]) {
            fl_stack *stack = pool[size];
            pool[size] = stack->next;
            discard(stack);
        }
        pooled[size] = 0;
    }
}

const fl_fault_report *fl_stack_fault(const fl_stack *stack) { return &stack->details->fault; }
