/// What experiments use to see what happens: stores that go down a stack, counters, a tracer, the parts of a trap.
#ifndef FAULTLINE_CPROBES_H
#define FAULTLINE_CPROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl_stepper.h"
#include "fl_tracer.h"
#include "fl_trap_parts.h"

#pragma clang assume_nonnull begin

/// Bytes that the C library's allocator has handed out and not got back.
uint64_t fl_probe_heap_in_use(void);

/// Lowers the stack pointer page by page to `bytes` below, storing one word in each, then restores it: what a deep call
/// does to a stack, and what compilers' stack probes do.
void fl_probe_touch_stack(size_t bytes);

/// Recursion by small frames until one lies below `end`; their number. With `end` 0 it never returns.
uint64_t fl_probe_descend(uintptr_t end);

/// The same by frames of 128 bytes, of which it writes some words: what a parser or a walk over a tree does.
uint64_t fl_probe_recurse(uintptr_t end);

/// Lowers the stack pointer by `bytes`, stores one word there, and restores it: a deep call that uses no page on its
/// way.
void fl_probe_store_at(size_t bytes);

/// What fl_probe_touch_stack stores, page by page downward, into ordinary memory that ends at `end`.
void fl_probe_touch_memory(void *end, size_t bytes);

/// Lowers the stack pointer by `bytes`, fills every word there (each 64th with an address of this stack), then times
/// the first store on the page below. Returns nanoseconds by the time-stamp counter, calibrated against
/// CLOCK_MONOTONIC.
uint64_t fl_probe_store_below(size_t bytes);

/// Gives the page on which that store is its memory, and takes its permissions away again, so that the store faults and
/// the kernel has no page to supply. For stacks whose unused part is pages without access. Returns 0 or an errno value.
int fl_probe_make_resident_below(size_t bytes);

enum { FL_PROBE_INTERVAL = 64 };

/// The same where each `interval`-th word, a power of two, is an address of this stack.
uint64_t fl_probe_store_below_filled(size_t bytes, size_t interval);

enum { FL_PROBE_CHECKED_FRAME = 160 << 10 };

/// Begins like a function with a frame of FL_PROBE_CHECKED_FRAME bytes and compiler-inserted checks, then returns:
/// calls `morestack` where the frame does not fit above the limit at %fs:0x70.
void fl_probe_checked_call(const void *morestack);

/// Ticks of the time-stamp counter in a nanosecond; the first call takes 10 ms to calibrate.
double fl_ticks_per_nanosecond(void);

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t fl_probe_now(void);

/// Nanoseconds that `count` raise(SIGUSR1) with an empty handler take: signal delivery and return alone.
uint64_t fl_probe_signals(uint64_t count);

/// `count` system calls that do nothing (getppid).
void fl_probe_system_calls(uint64_t count);

/// Starts counting the instructions that this thread executes outside the kernel. Returns a descriptor to read the
/// count from, or a negative errno value: ENOENT or EOPNOTSUPP where there is no such counter (many virtual machines),
/// EACCES or EPERM where it takes a privilege (kernel.perf_event_paranoid).
int fl_counter_open(void);

/// Stores the count since `fl_counter_open`. Returns 0 or an errno value.
int fl_counter_read(int descriptor, uint64_t *count);

/// Ends counting.
void fl_counter_close(int descriptor);

/// Whether this process is refused huge pages from now on (PR_SET_THP_DISABLE). Returns 0 or an errno value.
int fl_disable_huge_pages(bool disabled);

#pragma clang assume_nonnull end
#endif
