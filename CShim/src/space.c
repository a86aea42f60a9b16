// How much is left of the stack that runs.
#include "shim_code.h"

#include "common.h"
#include "fl_space.h"

#include <pthread.h>

#include "stack.h"
#include "system.h"

__thread struct fl_own_stack fl_own_stack __attribute__((tls_model("initial-exec")));

// Bytes between `sp` and the end of the thread's own stack.
static uintptr_t find_own(uintptr_t sp) {
    enum {
        // A main thread's stack may reach down to what is mapped below it, and the kernel keeps this distance
        // (stack_guard_gap). A limit of that size cannot be told from none.
        LARGE = 64 << 20,
        GAP = 256 * FL_PAGE,
        LARGEST = 1 << 30,
    };
    pthread_attr_t attributes;
    void *low;
    size_t size;
    if (fl_injected(FL_SITE_THREAD_BOUNDS) || pthread_getattr_np(pthread_self(), &attributes)) return 0;
    int error = pthread_attr_getstack(&attributes, &low, &size);
    (void)pthread_attr_destroy(&attributes);
    if (error) return 0;
    // One without a limit ends where the largest of this library would: else code that asks would take all memory.
    size_t whole = size > LARGE ? size - GAP : size;
    if (whole > LARGEST) whole = LARGEST;
    fl_own_stack = (struct fl_own_stack){.low = (uintptr_t)low + (size - whole), .size = whole};
    uintptr_t left = sp - fl_own_stack.low;
    return left < fl_own_stack.size ? left : 0;
}

uintptr_t fl_space_find(uintptr_t sp) {
    const fl_stack *stack = fl_stack_running();
    if (!stack) return fl_own_stack.size ? 0 : find_own(sp);
    // What grows by checks does not grow for the caller, which may have none.
    uintptr_t size = stack->base - stack->low, left = sp - stack->low;
    return left < size ? left : 0;
}

uintptr_t fl_space_maximum(void) {
    const fl_stack *stack = fl_stack_running();
    if (!stack) return 0;
    return stack->strategy >= FL_STRATEGY_CHECK_MOVE ? stack->base - stack->low : fl_stack_maximum(stack);
}

#pragma clang attribute pop
