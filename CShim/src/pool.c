// Stacks that ended and wait for the next of their kind: a list for each thread and size of slot.
//
// A pooled stack is ready as it is: at its first size, its guard in place. Only its thread touches it, so nothing here
// needs a lock or an atomic word.
#include "internal.h"

#include <sys/mman.h>

#pragma clang section text = "fl_text"

enum {
    STACKS_PER_SIZE = 64,  // that a thread keeps, by slot size
    KEEP_BYTES = 64 << 10, // memory that a pooled stack may keep
};

static __thread fl_stack *_Nullable pool[FL_SLOT_SIZES] __attribute__((tls_model("initial-exec")));
static __thread uint32_t pooled[FL_SLOT_SIZES] __attribute__((tls_model("initial-exec")));

static bool serves(const fl_stack *stack, const fl_stack_configuration *configuration) {
    return stack->strategy == configuration->strategy && stack->guard == configuration->guard &&
           stack->initial == configuration->initial && stack->maximum == configuration->maximum &&
           stack->reserve == configuration->reserve;
}

// The first stack of the pool that fits: its slot is ready as it is.
fl_stack *_Nullable fl_pool_take(const fl_stack_configuration *configuration) {
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

bool fl_pool_keep(fl_stack *stack) {
    uint32_t size = stack->slot;
    // A moved stack ends in another slot than it began in; it is not worth keeping for the size it asked for.
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN || size != stack->first_slot ||
        stack->flags & (FL_STACK_OVERFLOWING | FL_STACK_PROVOKED) || pooled[size] >= STACKS_PER_SIZE) {
        return false;
    }
    if (stack->low != stack->base - fl_stack_usable_at_first(stack)) {
        uintptr_t keep = stack->base - KEEP_BYTES;
        if (stack->low < keep &&
            fl_system_advise(FL_SITE_RELEASE, stack->low, keep - stack->low, MADV_DONTNEED)) {
            return false;
        }
        if (fl_stack_make_ready(stack).error) return false;
    }
    stack->next = pool[size];
    pool[size] = stack;
    pooled[size]++;
    return true;
}

void fl_pool_drain(void) {
    for (uint32_t size = 0; size < FL_SLOT_SIZES; size++) {
        while (pool[size]) {
            fl_stack *stack = pool[size];
            pool[size] = stack->next;
            fl_stack_discard(stack);
        }
        pooled[size] = 0;
    }
}
