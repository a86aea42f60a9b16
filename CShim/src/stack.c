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
    COLOURS = 16,                // of the outermost frame's place in its page; a power of two
    CACHE_LINE = 64,
    GROWS_DOWN_GAP = 1 << 20,    // the kernel's stack_guard_gap: 256 pages that nothing may be mapped in
};

// MARK: limits of checked code

uintptr_t fl_headroom(uintptr_t room) { return fl_minimum(room / 2, HEADROOM_MAXIMUM); }

void fl_stack_set_limit(fl_stack *stack) {
    if (stack->strategy < FL_STRATEGY_CHECK_MOVE) return;
    uintptr_t limit = stack->low + fl_headroom(stack->base - stack->low);
    stack->fiber.frame->limit = limit;
    if (fl_stack_running() == stack) FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)limit;
}

// MARK: making

// A mapping of its own, found by reserving the largest it may become. Between the unmap and the map another thread's
// mapping can take the place: then MAP_FIXED_NOREPLACE refuses, and a few more tries follow.
//
// Without MAP_NORESERVE: the kernel charges what such a mapping grows by in any case, and gives the charge back only for a
// mapping that was charged from the beginning. What others grew by would stay in Committed_AS until the machine restarts.
static fl_failure map_grows_down(fl_stack *stack) {
    uintptr_t length = fl_stack_maximum(stack) + GROWS_DOWN_GAP + FL_PAGE;
    int error = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
        void *probe = NULL;
        error = fl_system_map(FL_SITE_GROWS_DOWN_PROBE, &probe, length, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_PROBE, error);
        uintptr_t base = (uintptr_t)probe + length;
        // What lies below the maximum stays reserved: it ends the kernel's growth there, however much RLIMIT_STACK allows.
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, base - fl_stack_maximum(stack), fl_stack_maximum(stack));
        void *address = (void *)(base - fl_stack_initial(stack));
        error = fl_system_map(FL_SITE_GROWS_DOWN_MAP, &address, fl_stack_initial(stack), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE);
        if (error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)probe, length - fl_stack_maximum(stack));
        if (error == EEXIST) continue;
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
        stack->base = base;
        stack->low = base - fl_stack_initial(stack);
        return fl_failure_none();
    }
    return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
}

uintptr_t fl_stack_usable_at_first(const fl_stack *stack) {
    switch ((fl_strategy)stack->strategy) {
    case FL_STRATEGY_FAULT_MOVE:
    case FL_STRATEGY_CHECK_MOVE:
        // From the largest slot there is nowhere to go.
        return stack->first_slot == FL_SLOT_1GIB ? fl_stack_maximum(stack) : fl_stack_initial(stack);
    case FL_STRATEGY_FAULT:
    case FL_STRATEGY_CHECK_SEGMENT:
    case FL_STRATEGY_GROWS_DOWN:
        return fl_stack_initial(stack);
    case FL_STRATEGY_FIXED:
    case FL_STRATEGY_DEMAND:
    case FL_STRATEGY_CHECK_FIXED:
        return fl_stack_maximum(stack);
    }
}

uintptr_t fl_stack_slot_low(const fl_stack *stack) {
    fl_place place = fl_stack_place(stack);
    return place.arena ? fl_place_low(place) : stack->base - fl_stack_maximum(stack);
}

uintptr_t fl_stack_room_low(const fl_stack *stack) {
    uintptr_t maximum = fl_stack_maximum(stack);
    bool moves = stack->strategy == FL_STRATEGY_FAULT_MOVE || stack->strategy == FL_STRATEGY_CHECK_MOVE;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT || (moves && stack->base - stack->low < maximum)) {
        return fl_stack_slot_low(stack);
    }
    return stack->base - maximum - (stack->flags & FL_STACK_OVERFLOWING ? fl_stack_reserve(stack) : 0);
}

fl_failure fl_stack_make_ready(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        fl_failure failure = fl_memory_take(fl_stack_maximum(stack));
        if (failure.error) return failure;
        failure = map_grows_down(stack);
        if (failure.error) fl_memory_give(fl_stack_maximum(stack));
        return failure;
    }
    uintptr_t usable = fl_stack_usable_at_first(stack);
    fl_place place = fl_stack_place(stack);
    if (!place.arena) {
        fl_failure failure = fl_place_take((fl_slot_size)stack->slot, (fl_guard)stack->guard, stack, &place);
        if (failure.error) return failure;
        stack->base = fl_place_base(place);
    }
    fl_failure failure = fl_place_make_usable(place, stack->base - usable);
    if (failure.error) return failure;
    stack->low = stack->base - usable;
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
    stack->initial_pages = configuration->initial / FL_PAGE;
    stack->maximum_pages = configuration->maximum / FL_PAGE;
    stack->reserve_pages = configuration->reserve / FL_PAGE;
    stack->old_count = 0;
    stack->flags = (uint8_t)((configuration->contains_overflow ? FL_STACK_CONTAINS_OVERFLOW : 0) |
                             (configuration->contains_nil ? FL_STACK_CONTAINS_NIL : 0));
    stack->fiber.keeps_fp_control = configuration->keeps_fp_control;
}


static _Atomic(uint32_t) colours = COLOURS - 1; // a mask

void fl_debug_stagger(bool on) { atomic_store_explicit(&colours, on ? COLOURS - 1 : 0, memory_order_relaxed); }

// The outermost frame and the mailbox above it. Bases are multiples of a page, so that these of suspended stacks would all
// fall into the same few sets of a cache: they begin so many lines lower. Below 1 KiB, for a first page has to do for a
// small stack.
static void ready(fl_stack *stack) {
    enum { OUTERMOST = sizeof(fl_outermost_frame) + FL_MAILBOX_SIZE };
    _Static_assert(OUTERMOST % CACHE_LINE == 0, "what a switch uses lies in one line");
    uintptr_t colour = stack->index & atomic_load_explicit(&colours, memory_order_relaxed);
    fl_outermost_frame *frame = (fl_outermost_frame *)(stack->base - OUTERMOST - colour * CACHE_LINE);
    *frame = (fl_outermost_frame){
        .mxcsr = 0x1f80,      // all exceptions masked, round to nearest: the System V ABI at process entry
        .x87_control = 0x37f, // likewise, 64-bit mantissa
    };
    stack->fiber.own = (fl_context){.sp = frame, .bp = NULL, .ip = (void *)fl_fiber_entry};
    stack->fiber.frame = frame;
    stack->fiber.thread = NULL;
    stack->fiber.state = FL_FIBER_CREATED;
    stack->fiber.is_cancelled = false;
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
    stack->base = 0;
    fl_failure made = fl_stack_make_ready(stack);
    if (made.error && made.site == FL_SITE_STACK_MEMORY) { // what this thread keeps for later may be enough
        fl_pool_drain();
        made = fl_stack_make_ready(stack);
    }
    if (made.error) {
        *failure = made;
        if (stack->base) fl_place_release(fl_stack_place(stack), false);
        fl_stack_entry_give(stack);
        return NULL;
    }
    ready(stack);
    return stack;
}

void fl_stack_prepare(fl_stack *stack, void (*body)(void *), void *argument) {
    stack->fiber.frame->body = body;
    stack->fiber.frame->argument = argument;
}

// MARK: ending

static void release_old(fl_stack *stack) {
    for (uint32_t i = 0; i < stack->old_count; i++) fl_place_release(fl_stack_details_of(stack)->old[i], false);
    stack->old_count = 0;
}

static void clear_details(fl_stack *stack) {
    if (!stack->touched_details) return;
    fl_stack_details *details = fl_stack_details_of(stack);
    while (details->allocations) {
        void *allocation = details->allocations;
        details->allocations = *(void **)allocation;
        free(allocation);
    }
    memset(details, 0, sizeof *details);
    stack->touched_details = 0;
}

void fl_stack_discard(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        uintptr_t low = fl_grows_down_low(stack), reserved = GROWS_DOWN_GAP + FL_PAGE;
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, stack->base - low);
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, fl_stack_slot_low(stack) - reserved, reserved);
        fl_memory_give(fl_stack_maximum(stack));
    } else {
        fl_place_release(fl_stack_place(stack), (stack->flags & FL_STACK_PROVOKED) != 0);
    }
    stack->base = 0;
    fl_stack_entry_give(stack);
}

static void quarantine(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        uintptr_t low = fl_grows_down_low(stack);
        void *address = (void *)low;
        (void)fl_system_map(FL_SITE_QUARANTINE, &address, stack->base - low, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED);
        fl_memory_give(fl_stack_maximum(stack));
    } else {
        if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
            // Frames on further segments were abandoned with the rest. The link stands at the top of each.
            fl_stack_details *details = fl_stack_details_of(stack);
            while (details->segment_bytes) {
                fl_segment_link link = *(fl_segment_link *)(stack->base - sizeof(fl_segment_link));
                details->segment_bytes -= stack->base - stack->low;
                (void)fl_place_quarantine(fl_stack_place(stack));
                stack->base = link.base;
                stack->low = link.low;
            }
        }
        fl_failure failure = fl_place_quarantine(fl_stack_place(stack));
        if (failure.error) {
            const char *parts[] = {"the slot of a faulted stack could not be closed (",
                                   fl_site_name((fl_site)failure.site), "); it stays reserved and is never used again"};
            fl_message(parts, 3);
        }
    }
    clear_details(stack);
    stack->base = 0;
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

const fl_fault_report *fl_stack_fault(const fl_stack *stack) { return &fl_stack_details_of(stack)->fault; }
