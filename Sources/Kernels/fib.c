/// Fibonacci numbers by definition: as many calls as possible for the work done. The checksum is the value itself.
#include "Kernels.h"

static uint64_t fibonacci(uint64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

uint64_t fl_fib_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    (void)outcome;
    return fibonacci(parameter);
}
