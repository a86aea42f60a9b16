// Shrinking: what a suspended stack used and left goes back to the kernel.
//
//     before     | guard | … dead pages … | live … | base        what is live begins at the page of sp - red zone
//     in place   | …… guard band | room   | live … | base        `fault`: the guard comes up again
//     elsewhere  | guard | … no pages …   | live … | base        the bounds stay
//     moved      a smaller slot | room | live … | base            the larger one is an old range now
//
// Invariants:
//  - nothing at or above the live part changes, and a pointer into it stays valid: in place because nothing moves,
//    after a move as after every other (docs/HAZARDS.md);
//  - the pages go first. A guard that is refused afterwards, perhaps half way, leaves the stack with the new bounds and
//    its former guard: growth removes whatever it passes, and what lies between is the stack's own;
//  - a move back adds no old range unless there is room for one more, and forgets none. The slot that the stack came
//    from is preferred: its addresses mean the same as before, and it takes the place of the one that is left.
#include "shim_code.h"

#include "common.h"
#include "fl_hibernation.h"
#include "fl_shrink.h"

#include <sys/mman.h>

#include "move.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"

enum {
    SHARE = 4, // use below 1 / SHARE of the room is low, as in Go's collector (stack.go, shrinkstack)
    ROOM = 2,  // the smaller slot holds this many times what is live
};

static fl_shrinking refusal(const fl_stack *stack) {
    fl_fiber_state state = stack->fiber.state;
    if (state != FL_FIBER_SUSPENDED && state != FL_FIBER_IDLE) return FL_SHRINKING_NOT_SUSPENDED;
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN || stack->strategy == FL_STRATEGY_FIXED) return FL_SHRINKING_STRATEGY;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT && fl_stack_details_of(stack)->segment_bytes) {
        return FL_SHRINKING_SEGMENTS;
    }
    if (stack->flags & (FL_STACK_OVERFLOWING | FL_STACK_PROVOKED)) return FL_SHRINKING_OVERFLOWING;
    return FL_SHRINKING_DONE;
}

// The guard of a stack that grows in place stands where it did at first, or below what is live and a page to go on
// with.
static fl_failure raise_guard(fl_stack *stack, uintptr_t live) {
    uintptr_t low = fl_minimum(stack->base - fl_stack_initial(stack), live - FL_PAGE);
    fl_slot_handle handle = fl_stack_slot(stack);
    low = fl_slot_growth_end(handle, low);
    if (low <= stack->low) return fl_failure_none();
    fl_failure failure = fl_slot_lift(handle, low);
    stack->low = fl_slot_address(handle, fl_slot_entry(handle)->low);
    return failure;
}

// The suspended stack's registers are on it, but for the two that its context keeps.
static fl_failure move_back(fl_stack *stack, uintptr_t live, fl_shrink_result *result) {
    fl_context *own = &stack->fiber.own;
    uintptr_t sp = fl_maximum((uintptr_t)own->sp, stack->low + FL_RED_ZONE);
    fl_relocation relocation = {.reach = sp - FL_RED_ZONE};
    sigset_t before;
    int error = fl_system_block_signals(FL_SITE_SHRINK_MASK, &before);
    if (error) return fl_failure_at(FL_SITE_SHRINK_MASK, error);
    uintptr_t base = stack->base;
    fl_failure failure = fl_stack_move_back(stack, sp, ROOM * (base - live), &relocation, &result->must_stay);
    if (!failure.error && stack->base != base) {
        own->sp = (void *)fl_relocate(&relocation, (uintptr_t)own->sp);
        own->bp = (void *)fl_relocate(&relocation, (uintptr_t)own->bp);
        fl_relocate_thread(&relocation);
        FL_COUNT(stack, words_scanned, relocation.scanned);
        FL_COUNT(stack, words_relocated, relocation.relocated);
        result->moved = true;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

fl_shrinking fl_stack_shrink(fl_stack *stack, fl_shrink_result *result) {
    *result = (fl_shrink_result){.failure = fl_failure_none()};
    if (stack->fiber.state == FL_FIBER_HIBERNATED) {
        if (fl_stack_is_hibernated(stack)) return FL_SHRINKING_DONE; // has no pages
        // An access brought it back, and nothing remains that the kernel could refuse.
        result->failure = fl_stack_wake(stack);
        if (result->failure.error) return FL_SHRINKING_FAILED;
    }
    fl_shrinking refused = refusal(stack);
    if (refused != FL_SHRINKING_DONE) return refused;

    uintptr_t live = fl_page_down(fl_stack_first_word(stack)), room = stack->base - stack->low, lowest = live;
    if (stack->low < live) {
        uint64_t pages = fl_system_resident_pages(stack->low, live, &lowest);
        int error = fl_slot_advise(FL_SITE_SHRINK_RELEASE, stack->low, live, MADV_DONTNEED);
        if (error) {
            result->failure = fl_failure_at(FL_SITE_SHRINK_RELEASE, error);
            return FL_SHRINKING_FAILED;
        }
        result->released = pages * FL_PAGE;
    }
    if (stack->strategy == FL_STRATEGY_FAULT) {
        result->failure = raise_guard(stack, live);
    } else if (stack->slot > stack->first_slot &&
               (stack->strategy == FL_STRATEGY_FAULT_MOVE || stack->strategy == FL_STRATEGY_CHECK_MOVE)) {
        bool was_low = (stack->flags & FL_STACK_LOW_USE) != 0;
        stack->flags &= (uint8_t)~FL_STACK_LOW_USE;
        if (SHARE * (stack->base - live) < room) {
            stack->flags |= FL_STACK_LOW_USE;
            if (was_low && SHARE * (stack->base - lowest) < room) result->failure = move_back(stack, live, result);
        }
    }
    if (result->released || result->moved) {
        fl_count(&fl_process_counters.shrinks, 1);
        fl_count(&fl_process_counters.bytes_released, result->released);
    }
    return result->failure.error ? FL_SHRINKING_FAILED : FL_SHRINKING_DONE;
}

#pragma clang attribute pop
