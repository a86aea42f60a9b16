// Stacks: made ready, started, ended.
//
// A stack is an entry of the table of stacks (stack_table.c) and a slot of an arena. One that ended waits in its
// thread's pool for the next (pool.c).
//
//     states of a stack     pooled -> created -> running <-> suspended -> finished -> pooled
//                                                   |
//                                                   +-> faulted -> its slot in quarantine, the entry free
#include "shim_code.h"

#include "fl_pool.h"
#include "fl_stack.h"

#include <stdlib.h>

#include "alternate_stack.h"
#include "create.h"
#include "fl_idle.h"
#include "grows_down.h"
#include "message.h"
#include "pool.h"
#include "sanitizers.h"
#include "stack.h"
#include "stack_memory.h"
#include "system.h"
#include "thread_words.h"

enum {
    STAGGERS = 16, // distances of the outermost frame from the end of its page, in cache lines; a power of two
    CACHE_LINE = 64,
};

// MARK: creating

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
    stack->fiber.is_never_plain =
        stack->strategy >= FL_STRATEGY_CHECK_MOVE || !fl_thread_words_are_plain() || fl_announcer;
}

static _Atomic(uint32_t) staggers = STAGGERS - 1; // a mask

void fl_debug_stagger(bool on) {
    atomic_store_explicit(&staggers, on ? STAGGERS - 1 : 0, memory_order_relaxed);
    fl_pool_drain(); // one that is taken again has its frame where it was
}

// The outermost frame and the mailbox above it. Bases are multiples of a page, so the frames of all suspended stacks
// would fall into the same few sets of a cache. They are staggered by cache lines, by less than 1 KiB: the first page
// must suffice for a small stack.
static void make_frame(fl_stack *stack) {
    enum { OUTERMOST = sizeof(fl_outermost_frame) + FL_MAILBOX_SIZE };
    _Static_assert(OUTERMOST % CACHE_LINE == 0, "what a switch uses lies in one line");
    uintptr_t stagger = stack->index & atomic_load_explicit(&staggers, memory_order_relaxed);
    fl_outermost_frame *frame = (fl_outermost_frame *)(stack->base - OUTERMOST - stagger * CACHE_LINE);
    if (fl_announcer) fl_sanitizers_expect_frame((uintptr_t)frame, stack->base);
    memset(frame->words, 0, sizeof frame->words);
    frame->mxcsr = 0x1f80;      // all exceptions masked, round to nearest: the System V ABI at process entry
    frame->x87_control = 0x37f; // likewise, 64-bit mantissa
    frame->cancelled_suspensions = 0;
    stack->fiber.frame = frame;
}

// What every coroutine changes. Who starts one gives its frame something to run.
static void begin(fl_stack *stack, uint64_t thread, bool keeps_fp_control, bool is_never_plain) {
    stack->fiber.own = (fl_context){.sp = stack->fiber.frame, .bp = NULL, .ip = (void *)fl_fiber_entry};
    stack->fiber.thread = thread;
    uint64_t status = FL_FIBER_CREATED | (uint64_t)keeps_fp_control << 32 | (uint64_t)is_never_plain << 56;
    fl_fiber_set_status(&stack->fiber, status);
}

static __attribute__((noinline)) void ready(fl_stack *stack, bool keeps_fp_control) {
    make_frame(stack);
    if (fl_announcer) {
        stack->fiber.frame->announcement = NULL;
    } else {
        fl_pool_note_taken(stack->fiber.frame, fl_slot_is_deep((fl_slot_size)stack->slot));
    }
    begin(stack, 0, keeps_fp_control, stack->fiber.is_never_plain);
    fl_stack_set_limit(stack);
}

static uint64_t limit(void) { return atomic_load_explicit(&fl_stack_memory_limit, memory_order_relaxed); }

static void destroy(fl_stack *stack);

static __attribute__((noinline))
fl_stack *_Nullable make(const fl_stack_configuration *configuration, fl_failure *failure) {
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
    *failure = fl_stack_make_ready(stack);
    if (failure->error == ENOMEM || failure->error == EAGAIN) { // what this thread keeps for later may be enough
        fl_pool_drain();
        *failure = fl_stack_make_ready(stack);
    }
    if (failure->error) {
        if (stack->base) fl_slot_release(fl_stack_slot(stack), false);
        fl_stack_entry_give(stack);
        return NULL;
    }
    return stack;
}

static bool is_usual(uint64_t number) {
    return fl_this_pool.usual.number == number && fl_this_pool.usual.limit == limit();
}

// A usual stack that finished without flags has its frame as it was made: no word of the thread's is left there, and
// nobody exchanged the control words or was cancelled. `thread` is 0 where it has none yet.
static void begin_again(fl_stack *stack, uint64_t thread) {
    fl_pool_note_taken(stack->fiber.frame, fl_this_pool.usual.is_deep);
    begin(stack, thread, fl_this_pool.usual.keeps_fp_control, false);
}

static __attribute__((noinline)) fl_fiber *_Nullable take_from_list(uint64_t thread) {
    fl_stack *stack = fl_pool_take_usual();
    if (!stack) return NULL;
    if (stack->kind == fl_this_pool.usual.kind && fl_fiber_status(&stack->fiber) == FL_FIBER_FINISHED) {
        begin_again(stack, thread);
    } else {
        stack->kind = fl_this_pool.usual.kind;
        ready(stack, fl_this_pool.usual.keeps_fp_control);
        stack->fiber.thread = thread;
    }
    return &stack->fiber;
}

static inline fl_fiber *_Nullable take(uint64_t thread) {
    fl_stack *stack = fl_this_pool.usual.in_hand;
    if (!stack) return take_from_list(thread);
    fl_this_pool.usual.in_hand = NULL;
    begin_again(stack, thread);
    return &stack->fiber;
}

fl_fiber *fl_fiber_create_again(uint64_t number) {
    fl_fiber *fiber = is_usual(number) && !fl_may_be_signal_stack(fl_this_thread) ? take(0) : NULL;
    if (fiber) fl_idle_created();
    return fiber;
}

fl_fiber *fl_fiber_start_again(uint64_t number) {
    fl_thread *thread = fl_thread_not_due();
    if (!thread || !is_usual(number) || fl_idle_countdown) return NULL;
    thread->entries++;
    return take(fl_thread_id());
}

fl_stack *fl_stack_create(const fl_stack_configuration *configuration, uint64_t number, fl_failure *failure) {
    // The kernel knows whether a handler runs there.
    *failure = fl_may_be_signal_stack(fl_this_thread) ? fl_alternate_stack_restore(fl_this_thread) : fl_failure_none();
    if (failure->error) return NULL;
    fl_stack *stack = fl_pool_take(configuration);
    if (stack) {
        configure(stack, configuration);
    } else {
        stack = make(configuration, failure);
        if (!stack) return NULL;
    }
    ready(stack, configuration->keeps_fp_control);
    if (__builtin_expect(fl_announcer != NULL, 0)) {
        *failure = fl_sanitizers_announce(stack);
        if (failure->error) {
            destroy(stack);
            return NULL;
        }
    }
    // A sanitizer is told of each, and what the kernel grows by itself is never kept.
    if (number && !fl_announcer && stack->strategy != FL_STRATEGY_GROWS_DOWN) {
        fl_pool_expect(&(fl_pool_usual){.number = number,
                                        .sizes = stack->sizes,
                                        .usable = fl_stack_usable_at_first(stack),
                                        .kind = stack->kind,
                                        .is_deep = fl_slot_is_deep((fl_slot_size)stack->slot),
                                        .limit = limit(),
                                        .keeps_fp_control = configuration->keeps_fp_control});
    }
    fl_idle_created();
    return stack;
}

// MARK: destroying

static void release_old(fl_stack *stack) {
    for (uint32_t i = 0; i < stack->old_count; i++) fl_slot_release(fl_stack_details_of(stack)->old[i], false);
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

static void quarantine_slot(fl_slot_handle handle) {
    fl_failure failure = fl_slot_quarantine(handle);
    if (!failure.error) return;
    const char *parts[] = {"the slot of a faulted stack could not be closed (", fl_site_name((fl_site)failure.site),
                           "); it stays reserved and is never used again"};
    fl_message(parts, 3);
}

static bool has_segments(const fl_stack *stack) {
    return stack->strategy == FL_STRATEGY_CHECK_SEGMENT && fl_stack_details_of(stack)->segment_bytes;
}

static void quarantine(fl_stack *stack) {
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        fl_grows_down_quarantine(stack);
    } else {
        // Frames on further segments were abandoned with the rest.
        while (has_segments(stack)) quarantine_slot(fl_stack_leave_segment(stack));
        quarantine_slot(fl_stack_slot(stack));
    }
    clear_details(stack);
    stack->base = 0;
    fl_stack_entry_give(stack);
}

static void release_bindings(const fl_stack *stack) {
    uintptr_t bindings = stack->fiber.has_words ? stack->fiber.frame->words[FL_WORD_TASK_LOCALS] : 0;
    if (bindings) fl_bindings_release(bindings);
}

void fl_stack_give_slot(fl_stack *stack) {
    if (fl_announcer) fl_sanitizers_forget(stack);
    release_bindings(stack);
    release_old(stack);
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        fl_grows_down_unmap(stack);
    } else {
        while (has_segments(stack)) fl_slot_release(fl_stack_leave_segment(stack), false);
        fl_slot_release(fl_stack_slot(stack), (stack->flags & FL_STACK_PROVOKED) != 0);
    }
    clear_details(stack);
    stack->base = 0;
    stack->fiber.frame = NULL;
    stack->fiber.has_words = false;
}

// Whether one that finished without flags has its slot, and nothing is left of what it did.
static bool is_clean(const fl_stack *stack) {
    enum { AS_CONFIGURED = FL_STACK_CONTAINS_OVERFLOW | FL_STACK_CONTAINS_NIL | FL_STACK_LOW_USE };
    // Old ranges and details are in the third byte, the flags in the fourth.
    uint32_t unclean = 0xffu << 16 | (0xffu & ~(uint32_t)AS_CONFIGURED) << 24;
    return stack->base && !(__atomic_load_n(&stack->kind, __ATOMIC_ACQUIRE) & unclean);
}

static __attribute__((noinline)) void destroy(fl_stack *stack) {
    // Then a sanitizer was not told of it: such a status has flags.
    bool has_finished = fl_fiber_status(&stack->fiber) == FL_FIBER_FINISHED;
    if (has_finished && fl_pool_keep_usual(stack)) return;
    if (has_finished && is_clean(stack)) {
        if (!fl_pool_keep(stack)) fl_stack_discard(stack);
        return;
    }
    // Its thread is being ended, or was (forced_unwind.c): whichever comes second gives the entry back.
    if (__atomic_load_n(&stack->flags, __ATOMIC_ACQUIRE) & FL_STACK_LEFT &&
        __atomic_fetch_or(&stack->flags, FL_STACK_UNOWNED, __ATOMIC_ACQ_REL) & FL_STACK_LEFT) {
        return;
    }
    if (!stack->base) {
        fl_stack_entry_give(stack);
        return;
    }
    if (fl_announcer) fl_sanitizers_forget(stack);
    release_bindings(stack);
    release_old(stack);
    if (stack->fiber.state == FL_FIBER_FAULTED) {
        quarantine(stack);
        return;
    }
    clear_details(stack);
    if (!fl_pool_keep(stack)) fl_stack_discard(stack);
}

void fl_fiber_destroy(fl_fiber *fiber) {
    fl_stack *stack = (fl_stack *)(void *)fiber; // its first member
    if (fl_fiber_status(&stack->fiber) == FL_FIBER_FINISHED && fl_pool_keep_at_once(stack)) return;
    destroy(stack);
}

#pragma clang attribute pop
