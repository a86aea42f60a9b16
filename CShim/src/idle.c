// Hibernation by policy: sweeps over the table of stacks.
//
//     state of a fiber    suspended -> idle -> hibernated      by sweeps of the thread that it belongs to
//                             ^         |          |
//                             +---------+----------+           by a resume, which takes its slow path for both
//
// A resume costs nothing more for being watched: it knows only one state from which it may go on at once, and a stack
// that is still idle at the next sweep was not resumed since. How long it has been idle is counted from the sweep that
// marked it; that time stands where the record of a hibernated stack would.
//
// A sweep begins where the thread's last one ended, like the hand of a clock, so that it may be as short as the caller
// likes. Invariants:
//  - of a stack of another thread only the state and the thread are read. The state first: a sweep that reads
//    "suspended" and then this thread can only have met this thread's own stack, because the thread is stored before a
//    stack is first suspended and both were stored by other threads in that order (x86 keeps the order of stores, and
//    that of loads);
//  - no refusal ends a sweep. A stack that could not hibernate stays idle;
//  - for the budget only those hibernate that an earlier sweep had found idle already: one that has just been resumed
//    is spared however little memory there is.
#include "shim_code.h"

#include "common.h"
#include "fl_hibernation.h"
#include "fl_idle.h"
#include "fl_shrink.h"

#include <stdlib.h>

#include "stack_table.h"
#include "system.h"

enum {
    CANDIDATES = 4096, // considered for the budget at once: 64 KiB of heap
    FEW = 32,          // where the heap has no room
    READ_EVERY = 8,    // hibernations after which the resident memory is read again
    SEEN_MAXIMUM = 255,
};

typedef struct idle_state {
    fl_idle_policy policy;
    bool is_set;
    uint32_t hand; // index of the next entry
} idle_state;

static __thread idle_state own __attribute__((tls_model("initial-exec")));
__thread uint32_t fl_idle_countdown __attribute__((tls_model("initial-exec")));

void fl_idle_set(const fl_idle_policy *policy) {
    own = (idle_state){.policy = policy ? *policy : (fl_idle_policy){.by_time = false}, .is_set = policy != NULL};
    fl_idle_countdown = policy ? FL_IDLE_CREATIONS : 0;
}

bool fl_idle_get(fl_idle_policy *policy) {
    *policy = own.policy;
    return own.is_set;
}

uint64_t fl_idle_now(void) { return fl_now(); }

// MARK: one stack

// In milliseconds; wraps after 49 days, which ages by difference survive.
static uint32_t coarse(uint64_t now) { return (uint32_t)(now / 1000000); }

static uint32_t age_of(const fl_stack *stack, uint32_t now) { return now - stack->idle.since; }

static fl_fiber_state state_of(const fl_stack *stack) { return __atomic_load_n(&stack->fiber.state, __ATOMIC_ACQUIRE); }

static bool is_own(const fl_stack *stack) {
    return __atomic_load_n(&stack->fiber.thread, __ATOMIC_RELAXED) == fl_thread_id();
}

static void mark(fl_stack *stack, uint32_t now) {
    stack->idle = (fl_idle_mark){.since = now};
    stack->fiber.state = FL_FIBER_IDLE;
}

static void hibernate(fl_stack *stack, fl_idle_result *result) {
    fl_failure failure;
    fl_hibernation outcome = fl_stack_hibernate(stack, own.policy.unshared, &failure);
    if (outcome == FL_HIBERNATION_DONE) {
        result->hibernated++;
    } else {
        result->refused++;
        stack->idle.seen = 0; // not again in this sweep
    }
    // What the kernel refused now it may grant the next sweep.
    if (outcome != FL_HIBERNATION_FAILED) result->waiting--;
}

// Once until the next resume: a second time would find nothing, unless the kernel refused the first.
static void shrink(fl_stack *stack, fl_idle_result *result) {
    fl_shrink_result done;
    fl_shrinking outcome = fl_stack_shrink(stack, &done);
    stack->idle.shrunk = outcome != FL_SHRINKING_FAILED;
    if (outcome == FL_SHRINKING_DONE) result->shrunk++;
    if (outcome == FL_SHRINKING_FAILED) result->refused++;
    result->released += done.released;
}

static void examine(fl_stack *stack, uint32_t now, fl_idle_result *result) {
    fl_fiber_state state = state_of(stack);
    if (state != FL_FIBER_SUSPENDED && state != FL_FIBER_IDLE && state != FL_FIBER_HIBERNATED) return;
    if (!is_own(stack)) return;
    if (state == FL_FIBER_HIBERNATED) {
        if (fl_stack_is_hibernated(stack)) return;
        // An access brought it back, and nothing remains that the kernel could refuse.
        if (fl_stack_wake(stack).error) return;
        state = FL_FIBER_SUSPENDED;
    }
    result->waiting++;
    if (state == FL_FIBER_SUSPENDED) {
        mark(stack, now);
    } else if (stack->idle.seen < SEEN_MAXIMUM) {
        stack->idle.seen++;
    }
    bool is_marked = state == FL_FIBER_IDLE;
    if (own.policy.by_time && age_of(stack, now) >= own.policy.idle) hibernate(stack, result);
    if (!own.policy.shrinks || stack->fiber.state != FL_FIBER_IDLE) return;
    if (is_marked && !stack->idle.shrunk) shrink(stack, result);
    if (!own.policy.by_time && !own.policy.by_budget && stack->idle.shrunk) result->waiting--;
}

// MARK: the budget

typedef struct candidate {
    fl_stack *stack;
    uint32_t age;
} candidate;

// A heap with the shortest idle on top, so that the longest idle are kept.
static void sift_down(candidate *heap, size_t count, size_t at) {
    for (;;) {
        size_t youngest = at, child = 2 * at + 1;
        if (child < count && heap[child].age < heap[youngest].age) youngest = child;
        if (child + 1 < count && heap[child + 1].age < heap[youngest].age) youngest = child + 1;
        if (youngest == at) return;
        candidate moved = heap[at];
        heap[at] = heap[youngest];
        heap[youngest] = moved;
        at = youngest;
    }
}

// The longest idle of the entries [first, end), longest first.
static size_t longest_idle(candidate *heap, size_t capacity, uint32_t first, uint32_t end, uint32_t now) {
    size_t count = 0;
    for (uint32_t index = first; index < end; index++) {
        fl_stack *stack = fl_stack_entry(index);
        if (!stack || state_of(stack) != FL_FIBER_IDLE || !is_own(stack) || stack->idle.seen == 0) continue;
        candidate found = {.stack = stack, .age = age_of(stack, now)};
        if (count < capacity) {
            heap[count++] = found;
            if (count == capacity) {
                for (size_t at = capacity / 2; at-- > 0;) sift_down(heap, count, at);
            }
        } else if (found.age > heap[0].age) {
            heap[0] = found;
            sift_down(heap, count, 0);
        }
    }
    if (count < capacity) {
        for (size_t at = count / 2; at-- > 0;) sift_down(heap, count, at);
    }
    for (size_t left = count; left > 1; left--) {
        candidate shortest = heap[0];
        heap[0] = heap[left - 1];
        heap[left - 1] = shortest;
        sift_down(heap, left - 1, 0);
    }
    return count;
}

static bool is_over_budget(fl_idle_result *result) {
    int error = fl_system_resident(FL_SITE_IDLE_RESIDENT, &result->resident);
    if (error) {
        result->resident = 0;
        result->failure = fl_failure_at(FL_SITE_IDLE_RESIDENT, error);
        return false;
    }
    return result->resident > own.policy.budget;
}

static void keep_budget(uint32_t first, uint32_t end, uint32_t now, fl_idle_result *result) {
    if (!is_over_budget(result)) return;
    candidate few[FEW];
    candidate *heap = malloc(CANDIDATES * sizeof *heap);
    size_t capacity = heap ? CANDIDATES : FEW;
    candidate *kept = heap ? heap : few;
    bool goes_on = true;
    while (goes_on) {
        size_t count = longest_idle(kept, capacity, first, end, now);
        uint64_t before = result->hibernated;
        for (size_t n = 0; n < count && goes_on; n++) {
            hibernate(kept[n].stack, result);
            if ((n + 1) % READ_EVERY == 0 || n + 1 == count) goes_on = is_over_budget(result);
        }
        goes_on = goes_on && result->hibernated > before;
    }
    free(heap);
}

// MARK: the sweep

fl_idle_result fl_idle_sweep(uint64_t now, uint32_t entries) {
    fl_idle_result result = {.failure = fl_failure_none()};
    if (!own.is_set) {
        result.reached_end = true;
        return result;
    }
    fl_idle_countdown = FL_IDLE_CREATIONS;
    uint32_t all = fl_stack_entries(), first = own.hand < all ? own.hand : 0;
    uint32_t end = entries < all - first ? first + entries : all;
    for (uint32_t index = first; index < end; index++) {
        fl_stack *stack = fl_stack_entry(index);
        if (stack) examine(stack, coarse(now), &result);
    }
    result.examined = end - first;
    result.reached_end = end == all;
    own.hand = result.reached_end ? 0 : end;
    if (own.policy.by_budget) keep_budget(first, end, coarse(now), &result);
    return result;
}

fl_idle_result fl_idle_sweep_all(uint64_t now) {
    own.hand = 0;
    return fl_idle_sweep(now, UINT32_MAX);
}

#pragma clang attribute pop
