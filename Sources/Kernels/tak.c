/// Takeuchi's function tak(3k, 2k, k) for parameter k: three arguments, four calls. The checksum is the value itself.
#include "Kernels.h"

static int64_t tak(int64_t x, int64_t y, int64_t z) {
    if (y >= x) {
        return z;
    }
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

uint64_t fl_tak_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    (void)outcome;
    int64_t k = (int64_t)parameter;
    return (uint64_t)tak(3 * k, 2 * k, k);
}
