/// Stacks that each thread keeps for the next of their kind, and how long.
#ifndef FAULTLINE_POOL_H
#define FAULTLINE_POOL_H

#include <stdint.h>

#pragma clang assume_nonnull begin

enum {
    FL_POOL_STACKS = 1024,       ///< that a thread keeps at most, of each size of slot
    FL_POOL_STACKS_UNASKED = 64, ///< of those, small ones that may be as deep as they were used; `fixed` ones at all
    FL_POOL_QUIET_SECONDS = 10,  ///< the standard quiet time: StackPool.quietTime says why
    FL_POOL_USES_BETWEEN_LOOKS = 64, ///< stacks kept, or asked for and not found, before a thread reads the clock
};

/// Discards what this thread's pool keeps. Signal context: forbidden.
void fl_pool_drain(void);

/// Looks which of this thread's pooled stacks were not needed since its last look. Their pages go back to the kernel;
/// the slots of those whose pages went at an earlier look are given back. Does nothing when that look was less than
/// `quiet` nanoseconds before `now`. A refused system call leaves a stack its pages until the next look.
/// Signal context: forbidden.
void fl_pool_trim(uint64_t now, uint64_t quiet);

/// Nanoseconds of the clock that the looks go by: monotonic, a few milliseconds coarse, read without a system call.
/// Signal context: callable.
uint64_t fl_pool_now(void);

/// The quiet time of every thread's pool, in nanoseconds. Signal context: callable.
uint64_t fl_pool_quiet(void);

/// Signal context: callable.
void fl_pool_set_quiet(uint64_t nanoseconds);

#pragma clang assume_nonnull end
#endif
