/// Counters and the histogram of handler times. Updating is signal-safe and reading is lock-free: relaxed atomics.
#ifndef FAULTLINE_STATISTICS_H
#define FAULTLINE_STATISTICS_H

#include <stdint.h>

#include "fl_fault.h"

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_mover : uint32_t {
    FL_MOVER_COPY = 0,
    FL_MOVER_UFFDIO_MOVE = 1,
    FL_MOVER_MREMAP = 2,
    FL_MOVER_AUTOMATIC = 3,
} fl_mover;

enum { FL_MOVER_COUNT = 3 };

/// Four buckets an octave from 64 ns: bucket b ends at fl_histogram_bound(b) ns; the last one takes the rest.
enum { FL_HISTOGRAM_BUCKETS = 96 };

typedef struct fl_counters {
    uint64_t traps[FL_VERDICT_COUNT]; ///< faults by verdict
    uint64_t growths;                 ///< times that room was made, in place or by a move
    uint64_t bytes_committed;         ///< committed by growth
    uint64_t moves[FL_MOVER_COUNT];   ///< by the mover that finished the move
    uint64_t bytes_moved;
    uint64_t words_scanned;
    uint64_t words_relocated;
    uint64_t forwards;      ///< stale accesses that were redirected
    uint64_t checks_failed; ///< entries of __morestack
    uint64_t segments;      ///< segments that check-segment added
    uint64_t overflows;     ///< overflows, contained or not
    uint64_t high_water;    ///< most bytes of one stack in use at a trap, failed check or overflow
    uint64_t handler_max;   ///< ns
    uint64_t hibernations;  ///< of the process alone, as the next five: an idle stack's own stay untouched
    uint64_t bytes_stored;  ///< by hibernations
    uint64_t wakes_by_resume;
    uint64_t wakes_by_fault;
    uint64_t shrinks;        ///< that gave pages back or moved the stack
    uint64_t bytes_released; ///< by shrinking
    uint32_t handler_time[FL_HISTOGRAM_BUCKETS];
} fl_counters;

/// A snapshot of the process-wide counters. Each counter is read once; together they are not one instant.
/// Signal context: callable.
void fl_statistics_process(fl_counters *into);

/// Sets the process-wide counters to zero. Signal context: callable.
void fl_statistics_reset(void);

/// Upper bound of a bucket in nanoseconds. Signal context: callable.
uint64_t fl_histogram_bound(uint32_t bucket);

#pragma clang assume_nonnull end
#endif
