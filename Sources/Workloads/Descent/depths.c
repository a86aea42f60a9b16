/// Functions that are as deep as they are meant to be, called in the ways that compilers have: arguments on the stack,
/// tail calls, the parts of a switch, a leaf that uses the red zone, and functions that have no bound.
#include "fl_workload.h"

#define SEPARATE __attribute__((noinline))

static SEPARATE uint64_t leaf(uint64_t seed) {
    volatile uint64_t local[8];
    for (unsigned index = 0; index < 8; index++) local[index] = seed + index;
    return local[seed & 7];
}

static SEPARATE uint64_t large(uint64_t seed) {
    volatile uint64_t local[300];
    local[seed & 255] = seed;
    return local[seed & 255] + leaf(seed);
}

static SEPARATE uint64_t sum(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g,
                             uint64_t h, uint64_t i, uint64_t j) {
    volatile uint64_t local[4] = {a + b, c + d, e + f, g + h};
    return local[a & 3] + i + leaf(j);
}

static SEPARATE uint64_t arguments(uint64_t seed) {
    uint64_t first = sum(seed, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    return first + sum(first, seed, 1, 2, 3, 4, 5, 6, 7, seed);
}

static SEPARATE uint64_t forward(uint64_t seed) { return large(seed + 1); }

static SEPARATE uint64_t choose(uint64_t which, uint64_t seed) {
    switch (which) {
    case 0: return leaf(seed) + 1;
    case 1: return large(seed) + 2;
    case 2: return arguments(seed) + 3;
    case 3: return forward(seed) + 4;
    case 4: return leaf(seed + 1) * 5;
    case 5: return leaf(seed + 2) * 7;
    default: return seed;
    }
}

static SEPARATE uint64_t recursion(uint64_t depth) { return depth ? leaf(depth + recursion(depth - 1)) : 1; }

static SEPARATE uint64_t variable(size_t size) {
    volatile uint8_t local[size];
    local[size / 2] = 1;
    return local[size / 2];
}

static SEPARATE uint64_t outer(uint64_t seed) {
    uint64_t result = 0;
    for (uint64_t which = 0; which < 8; which++) result += choose(which, seed + which);
    return result;
}

uint64_t fl_depths_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    outcome->counts[0] = recursion(parameter) + variable(parameter);
    return outer(parameter);
}
