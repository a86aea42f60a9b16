// Stacks: made ready, started, ended.
//
// A stack is an entry of the table of stacks (stack_table.c) and a slot of an arena. One that ended waits in its thread's
// pool for the next (pool.c).
//
//     states of a stack     pooled -> created -> running <-> suspended -> finished -> pooled
//                                                   |
//                                                   +-> faulted -> its slot in quarantine, the entry free again
#include "internal.h"

#include <stdlib.h>
#include <sys/mman.h>

#pragma clang section text = "fl_text"

enum {
    HEADROOM_MAXIMUM = 64 << 10,
    COLOURS = 16,                // of the first frame's place in its page; a power of two
    CACHE_LINE = 64,
    GROWS_DOWN_GAP = 1 << 20,    // the kernel's stack_guard_gap: 256 pages that nothing may be mapped in
};

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
//
// Without MAP_NORESERVE: the kernel charges what such a mapping grows by in any case, and gives the charge back only for a
// mapping that was charged from the beginning. What others grew by would stay in Committed_AS until the machine restarts.
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
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE);
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

uintptr_t fl_stack_usable_at_first(const fl_stack *stack) {
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

fl_failure fl_stack_make_ready(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        fl_failure failure = fl_memory_take(stack->maximum);
        if (failure.error) return failure;
        failure = map_grows_down(stack);
        if (failure.error) fl_memory_give(stack->maximum);
        return failure;
    }
    uintptr_t usable = fl_stack_usable_at_first(stack);
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


static _Atomic(uint32_t) colours = COLOURS - 1; // a mask

void fl_debug_stagger(bool on) { atomic_store_explicit(&colours, on ? COLOURS - 1 : 0, memory_order_relaxed); }

static void ready(fl_stack *stack) {
    // The entry frame: its first word leads unwinders to the resumer (arch/x86_64/entry.S). Bases are multiples of a page,
    // so that the frames of suspended stacks would all fall into the same few sets of a cache: they begin so many lines
    // lower. Below 1 KiB, for a first page has to do for a small stack.
    uintptr_t colour = stack->index & atomic_load_explicit(&colours, memory_order_relaxed);
    uintptr_t *frame = (uintptr_t *)(stack->base - 16 - colour * CACHE_LINE);
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
    fl_stack *_Nullable reused = fl_pool_take(configuration);
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
    int error = fl_stack_entry_take(&stack);
    if (error) {
        *failure = fl_failure_at(FL_SITE_STACK_TABLE, error);
        return NULL;
    }
    configure(stack, configuration);
    stack->place = (fl_place){.arena = NULL, .index = 0};
    stack->base = 0;
    fl_failure made = fl_stack_make_ready(stack);
    if (made.error && made.site == FL_SITE_STACK_MEMORY) { // what this thread keeps for later may be enough
        fl_pool_drain();
        made = fl_stack_make_ready(stack);
    }
    if (made.error) {
        *failure = made;
        if (stack->place.arena) fl_place_release(stack->place, false);
        fl_stack_entry_give(stack);
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

void fl_stack_discard(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        uintptr_t low = fl_grows_down_low(stack), reserved = GROWS_DOWN_GAP + FL_PAGE;
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, stack->base - low);
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, stack->slot_low - reserved, reserved);
        fl_memory_give(stack->maximum);
    } else {
        fl_place_release(stack->place, (stack->flags & FL_STACK_PROVOKED) != 0);
    }
    stack->place.arena = NULL;
    fl_stack_entry_give(stack);
}

static void quarantine(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        uintptr_t low = fl_grows_down_low(stack);
        void *address = (void *)low;
        (void)fl_system_map(FL_SITE_QUARANTINE, &address, stack->base - low, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED);
        fl_memory_give(stack->maximum);
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
    fl_stack_entry_give(stack);
}

void fl_stack_destroy(fl_stack *stack) {
    release_old(stack);
    if (stack->fiber.state == FL_FIBER_FAULTED) {
        quarantine(stack);
        return;
    }
    clear_details(stack);
    if (!fl_pool_keep(stack)) fl_stack_discard(stack);
}

const fl_fault_report *fl_stack_fault(const fl_stack *stack) { return &stack->details->fault; }
