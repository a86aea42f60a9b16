/// Stacks that wait for the next of their kind.
#ifndef FAULTLINE_INTERNAL_POOL_H
#define FAULTLINE_INTERNAL_POOL_H

#include "address_space.h"
#include "fl_pool.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

typedef struct fl_pool_list {
    fl_stack *_Nullable first;
    uint32_t count;
    uint32_t unneeded; ///< the fewest since the last look
} fl_pool_list;

typedef struct fl_pool {
    fl_pool_list lists[FL_SLOT_SIZES];
    uint64_t looked; ///< when
    uint64_t window; ///< processor cycles at which a stack was last asked how deep it was
    uint32_t uses;   ///< stacks kept, or asked for when the pool was empty
    bool ends;       ///< the end of this thread will drain it
} fl_pool;

extern __thread fl_pool fl_this_pool __attribute__((tls_model("initial-exec"), visibility("hidden")));

/// Processor cycles, in units of 1,024; it comes round after about 20 minutes. Signal context: callable.
static inline uint32_t fl_pool_cycles(void) { return (uint32_t)(__builtin_readcyclecounter() >> 10); }

/// A stack of this thread's pool that fits, or null. Signal context: forbidden.
fl_stack *_Nullable fl_pool_take(const fl_stack_configuration *configuration);

/// The latest one if it is of these sizes and of this kind, or null. Signal context: forbidden.
static inline fl_stack *_Nullable fl_pool_take_latest(uint64_t sizes, uint32_t kind) {
    // Where it waits a stack may have these besides.
    enum { AT_REST = FL_STACK_LOW_USE | FL_STACK_EMPTIED };
    fl_pool_list *list = &fl_this_pool.lists[kind >> 4 & 15];
    fl_stack *stack = list->first;
    if (!stack || stack->sizes != sizes || (stack->kind & ~((uint32_t)AT_REST << 24)) != kind) return NULL;
    list->first = stack->next;
    if (--list->count < list->unneeded) list->unneeded = list->count;
    return stack;
}

/// Notes in its frame when a stack was taken. Signal context: forbidden.
static inline void fl_pool_note_taken(const fl_stack *stack) {
    fl_outermost_frame *frame = stack->fiber.frame;
    if (fl_announcer) {
        frame->announcement = NULL;
    } else if (fl_current_fiber && fl_slot_is_deep((fl_slot_size)stack->slot)) {
        frame->pool_use.taken = fl_pool_cycles();
        frame->pool_use.nested = 0;
    } else {
        frame->pool_window = fl_this_pool.window;
    }
}

/// Makes an ended stack as it was at first and keeps it. False: it has to be discarded. Signal context: forbidden.
bool fl_pool_keep(fl_stack *stack);

#pragma clang assume_nonnull end
#endif
