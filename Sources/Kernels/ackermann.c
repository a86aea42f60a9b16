/// Ackermann's function A(3, n): tiny frames, recursion 2^(n+3) deep. The checksum is the value itself.
#include "Kernels.h"

static uint64_t ackermann(uint64_t m, uint64_t n) {
    if (m == 0) {
        return n + 1;
    }
    if (n == 0) {
        return ackermann(m - 1, 1);
    }
    return ackermann(m - 1, ackermann(m, n - 1));
}

uint64_t fl_ackermann_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    (void)outcome;
    return ackermann(3, parameter);
}
