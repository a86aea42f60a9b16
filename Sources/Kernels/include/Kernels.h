/// The workloads' C kernels, and the sources of all workload code as text.
#ifndef FAULTLINE_KERNELS_H
#define FAULTLINE_KERNELS_H

#include "fl_embedded.h"
#include "fl_workload.h"

#pragma clang assume_nonnull begin

/// The entry points of the C kernels, compiled into the program. `parameter` is the size; there is no input.
uint64_t fl_ackermann_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter,
                          fl_workload_outcome *outcome);
uint64_t fl_closures_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter,
                         fl_workload_outcome *outcome);
uint64_t fl_fib_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter, fl_workload_outcome *outcome);
uint64_t fl_nqueens_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter,
                        fl_workload_outcome *outcome);
uint64_t fl_sort_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter, fl_workload_outcome *outcome);
uint64_t fl_tak_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter, fl_workload_outcome *outcome);
uint64_t fl_trees_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter, fl_workload_outcome *outcome);

/// Where checked code goes when its loader was given no `__morestack`: writes one line to standard error and aborts.
/// Never reached on a stack whose limit (%fs:0x70) is 0, as on every ordinary thread.
void fl_morestack_missing(void);

#pragma clang assume_nonnull end

#endif
