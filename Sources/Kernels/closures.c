/// Indirect calls: the expression `n < 2 ? n : fib(n-1) + fib(n-2)` compiled to closures, one call per node.
/// The checksum is the value itself.
#include "Kernels.h"
#include "kernel.h"

#include <stdlib.h>

typedef struct closure closure;
struct closure {
    uint64_t (*call)(const closure *self, uint64_t argument);
    const closure *first;
    const closure *second;
    const closure *third;
    uint64_t value;
};

static uint64_t call_argument(const closure *self, uint64_t argument) {
    (void)self;
    return argument;
}

static uint64_t call_constant(const closure *self, uint64_t argument) {
    (void)argument;
    return self->value;
}

static uint64_t call_add(const closure *self, uint64_t argument) {
    return self->first->call(self->first, argument) + self->second->call(self->second, argument);
}

static uint64_t call_subtract(const closure *self, uint64_t argument) {
    return self->first->call(self->first, argument) - self->second->call(self->second, argument);
}

static uint64_t call_less(const closure *self, uint64_t argument) {
    return self->first->call(self->first, argument) < self->second->call(self->second, argument);
}

static uint64_t call_conditional(const closure *self, uint64_t argument) {
    const closure *chosen = self->first->call(self->first, argument) != 0 ? self->second : self->third;
    return chosen->call(chosen, argument);
}

/// Calls the function whose body is `first` with the value of `second`.
static uint64_t call_function(const closure *self, uint64_t argument) {
    return self->first->call(self->first, self->second->call(self->second, argument));
}

uint64_t fl_closures_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    // On the heap, or the compiler sees every target and turns the indirect calls into direct ones.
    enum { ARGUMENT, ONE, TWO, LESS, MINUS_ONE, MINUS_TWO, CALL_ONE, CALL_TWO, SUM, BODY, NODES };
    closure *node = calloc(NODES, sizeof(closure));
    if (node == NULL) {
        fl_outcome_fail(outcome, "closures: out of memory");
        return 0;
    }
    node[ARGUMENT] = (closure){.call = call_argument};
    node[ONE] = (closure){.call = call_constant, .value = 1};
    node[TWO] = (closure){.call = call_constant, .value = 2};
    node[LESS] = (closure){.call = call_less, .first = &node[ARGUMENT], .second = &node[TWO]};
    node[MINUS_ONE] = (closure){.call = call_subtract, .first = &node[ARGUMENT], .second = &node[ONE]};
    node[MINUS_TWO] = (closure){.call = call_subtract, .first = &node[ARGUMENT], .second = &node[TWO]};
    node[CALL_ONE] = (closure){.call = call_function, .first = &node[BODY], .second = &node[MINUS_ONE]};
    node[CALL_TWO] = (closure){.call = call_function, .first = &node[BODY], .second = &node[MINUS_TWO]};
    node[SUM] = (closure){.call = call_add, .first = &node[CALL_ONE], .second = &node[CALL_TWO]};
    node[BODY] =
        (closure){.call = call_conditional, .first = &node[LESS], .second = &node[ARGUMENT], .third = &node[SUM]};
    uint64_t result = node[BODY].call(&node[BODY], parameter);
    free(node);
    return result;
}
