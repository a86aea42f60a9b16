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

/// The kind of stack that this thread made last with a number of the caller's. One that ends as it began is kept in
/// hand, and the next coroutine takes it in a few steps.
typedef struct fl_pool_usual {
    fl_stack *_Nullable in_hand; ///< finished without flags, as it was at first; not in a list
    uint64_t number;             ///< 0: none
    uint64_t sizes;              ///< of its stacks
    uintptr_t usable;            ///< bytes, likewise
    uint32_t kind;               ///< likewise, at rest
    bool is_deep;                ///< fl_slot_is_deep
    uint64_t limit;              ///< StackMemory.limit, which decides what `automatic` is
    bool keeps_fp_control;       ///< as configured
} fl_pool_usual;

typedef struct fl_pool {
    fl_pool_list lists[FL_SLOT_SIZES];
    fl_pool_usual usual;
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

/// The latest of its list if it is of the usual kind, or null. Signal context: forbidden.
fl_stack *_Nullable fl_pool_take_usual(void);

/// From now on stacks of this kind are the usual ones. Signal context: forbidden.
void fl_pool_expect(const fl_pool_usual *usual);

/// Notes in its frame when a stack was taken. Signal context: forbidden.
static inline void fl_pool_note_taken(fl_outermost_frame *frame, bool is_deep) {
    if (is_deep && fl_current_fiber) {
        frame->pool_use.taken = fl_pool_cycles();
        frame->pool_use.nested = 0;
    } else {
        frame->pool_window = fl_this_pool.window;
    }
}

/// Makes an ended stack as it was at first and keeps it. False: it has to be discarded. Signal context: forbidden.
bool fl_pool_keep(fl_stack *stack);

/// Looks at the clock, and gives back what was not needed for long. Signal context: forbidden.
void fl_pool_look(void);

/// Counts a stack that is kept, or asked for when none was there; at some of them the thread looks at the clock.
/// Signal context: forbidden.
static inline void fl_pool_count_use(void) {
    if (__builtin_expect(++fl_this_pool.uses % FL_POOL_USES_BETWEEN_LOOKS == 0, 0)) fl_pool_look();
}

/// Whether a stack that finished without flags is of the usual kind and as it was at first. Signal context: forbidden.
static inline bool fl_pool_is_usual(const fl_stack *stack) {
    const fl_pool_usual *usual = &fl_this_pool.usual;
    // Another thread may be leaving it (forced_unwind.c).
    return __atomic_load_n(&stack->kind, __ATOMIC_ACQUIRE) == usual->kind && stack->sizes == usual->sizes &&
           stack->base - stack->low == usual->usable && fl_this_pool.ends;
}

/// Where the usual stacks wait. Signal context: forbidden.
static inline fl_pool_list *fl_pool_usual_list(void) { return &fl_this_pool.lists[fl_this_pool.usual.kind >> 4 & 15]; }

/// What a pool does not keep of such a stack it gives back, where the stack may have been that deep. False: the kernel
/// refused. Signal context: forbidden.
bool fl_pool_forgets_depth(const fl_stack *stack);

/// Keeps such a stack in hand, if nothing is there and few wait. Signal context: forbidden.
static inline bool fl_pool_keep_at_once(fl_stack *stack) {
    fl_pool_usual *usual = &fl_this_pool.usual;
    if (usual->in_hand || !fl_pool_is_usual(stack) || fl_pool_usual_list()->count >= FL_POOL_STACKS_UNASKED ||
        (usual->is_deep && !fl_pool_forgets_depth(stack))) {
        return false;
    }
    usual->in_hand = stack;
    fl_pool_count_use();
    return true;
}

/// Keeps a stack that finished without flags in hand, if it is of the usual kind and as it was at first. False:
/// fl_pool_keep decides. Signal context: forbidden.
bool fl_pool_keep_usual(fl_stack *stack);

#pragma clang assume_nonnull end
#endif
