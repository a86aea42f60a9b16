// How much memory all stacks may use together.
//
// A process that fills its control group, or the machine, is ended by the kernel at whatever touches the page too many:
// no stack can be told. A limit that the library keeps is met where a stack asks for room, and that stack's coroutine
// alone gets the error.
//
// Counted is what a stack may touch without asking again: the usable part of each slot that is in use, and all of a
// `grows-down` stack. Pooled and hibernated stacks count too, since they may be used again without a question.
#include "shim_code.h"

#include "stack_memory.h"

#include "system.h"

static _Atomic(uint64_t) in_use;
_Atomic(uint64_t) fl_stack_memory_limit = UINT64_MAX;

void fl_memory_limit_set(uint64_t bytes) { atomic_store_explicit(&fl_stack_memory_limit, bytes, memory_order_relaxed); }
uint64_t fl_memory_limit(void) { return atomic_load_explicit(&fl_stack_memory_limit, memory_order_relaxed); }
uint64_t fl_memory_in_use(void) { return atomic_load_explicit(&in_use, memory_order_relaxed); }

fl_failure fl_memory_take(uintptr_t bytes) {
    int error = fl_injected(FL_SITE_STACK_MEMORY);
    if (error) return fl_failure_at(FL_SITE_STACK_MEMORY, error);
    uint64_t maximum = atomic_load_explicit(&fl_stack_memory_limit, memory_order_relaxed);
    uint64_t used = atomic_load_explicit(&in_use, memory_order_relaxed);
    // Never more than the limit for an instant: another's smaller request would be refused meanwhile. Each failed
    // exchange means that another thread took or gave.
    do {
        if (bytes > maximum || used > maximum - bytes) return fl_failure_at(FL_SITE_STACK_MEMORY, ENOMEM);
    } while (!atomic_compare_exchange_weak_explicit(&in_use, &used, used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return fl_failure_none();
}

void fl_memory_give(uintptr_t bytes) { atomic_fetch_sub_explicit(&in_use, bytes, memory_order_relaxed); }

#pragma clang attribute pop
