/// Queens on an n by n board, by backtracking over bit sets. The checksum is the number of solutions.
#include "Kernels.h"
#include "kernel.h"

/// Solutions that extend a partial board: `all` has a bit per column, the others the attacked columns of this row.
static uint64_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
    if (columns == all) {
        return 1;
    }
    uint64_t solutions = 0;
    uint32_t open = all & ~(columns | left | right);
    while (open != 0) {
        uint32_t queen = open & (0u - open);
        open ^= queen;
        solutions += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
    return solutions;
}

uint64_t fl_nqueens_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    (void)input;
    (void)length;
    if (parameter < 1 || parameter > 30) {
        fl_outcome_fail(outcome, "nqueens: the board size must be 1 to 30");
        return 0;
    }
    return place((UINT32_C(1) << parameter) - 1, 0, 0, 0);
}
