/// Counters of the process and of each stack.
#ifndef FAULTLINE_INTERNAL_STATISTICS_H
#define FAULTLINE_INTERNAL_STATISTICS_H

#include "fl_statistics.h"
#include "stack_table.h"

#pragma clang assume_nonnull begin

extern fl_counters fl_process_counters;

/// Signal context: callable.
static inline void fl_count(uint64_t *counter, uint64_t by) { __atomic_fetch_add(counter, by, __ATOMIC_RELAXED); }

#define FL_COUNT(stack_, field, by)                                         \
    do {                                                                    \
        fl_count(&fl_process_counters.field, (by));                         \
        fl_stack *counted_ = (stack_);                                      \
        if (counted_) {                                                     \
            counted_->touched_details = 1;                                  \
            fl_count(&fl_stack_details_of(counted_)->counters.field, (by)); \
        }                                                                   \
    } while (0)

/// Signal context: callable.
void fl_statistics_time(fl_stack *_Nullable stack, uint64_t nanoseconds);
/// Signal context: callable.
void fl_statistics_used(fl_stack *stack, uintptr_t bytes);

#pragma clang assume_nonnull end
#endif
