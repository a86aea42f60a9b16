/// The alternatives that Faultline is measured beside, as far as they are C, and the probes that benchmarks time.
#ifndef FAULTLINE_CPEERS_H
#define FAULTLINE_CPEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl_orphans.h"
#include "fl_tracer.h"
#include "fl_trap_parts.h"

#pragma clang assume_nonnull begin

/// `count` round trips between two ucontexts (swapcontext, which makes a system call for the signal mask each time).
/// Returns 0 or an errno value.
int fl_peer_ucontext_round_trips(uint64_t count);

/// `count` times: make a ucontext on one and the same stack, run it to its end.
int fl_peer_ucontext_spawn(uint64_t count);

/// `count` round trips between two POSIX threads that hand a turn to each other (mutex and condition variable).
int fl_peer_thread_round_trips(uint64_t count);

/// `count` times: create a POSIX thread that does nothing, join it.
int fl_peer_thread_spawn(uint64_t count);

/// Makes POSIX threads that wait until the process ends, `count` of them or until one is refused. Returns how many wait;
/// the errno value of a refusal is in `*error`, else 0.
uint64_t fl_peer_threads_wait(uint64_t count, int *error);

/// `count` calls of a function that the compiler can neither inline nor see through.
void fl_peer_plain_calls(uint64_t count);

/// A recursion of 120 frames of at least 256 bytes, each of which writes all of its own: some 32 KiB of stack.
uint64_t fl_peer_use_stack(void);

/// Bytes that the C library's allocator has handed out and not got back.
uint64_t fl_probe_heap_in_use(void);

/// Lowers the stack pointer page by page to `bytes` below, storing one word in each, then restores it: what a deep call
/// does to a stack, and what compilers' stack probes do.
void fl_probe_touch_stack(size_t bytes);

/// Lowers the stack pointer by `bytes`, stores one word there, and restores it: a deep call that uses no page on its way.
void fl_probe_store_at(size_t bytes);

/// What fl_probe_touch_stack stores, page by page downward, into ordinary memory that ends at `end`.
void fl_probe_touch_memory(void *end, size_t bytes);

/// Lowers the stack pointer by `bytes`, fills every word there (each 64th with an address of this stack), then times the
/// first store on the page below. Returns nanoseconds by the time-stamp counter, calibrated against CLOCK_MONOTONIC.
uint64_t fl_probe_store_below(size_t bytes);

enum { FL_PROBE_INTERVAL = 64 };

/// The same where each `interval`-th word, a power of two, is an address of this stack.
uint64_t fl_probe_store_below_filled(size_t bytes, size_t interval);

enum { FL_PROBE_CHECKED_FRAME = 160 << 10 };

/// Begins like a function with a frame of FL_PROBE_CHECKED_FRAME bytes and compiler-inserted checks, then returns: calls
/// `morestack` where the frame does not fit above the limit at %fs:0x70.
void fl_probe_checked_call(const void *morestack);

/// Ticks of the time-stamp counter in a nanosecond; the first call takes 10 ms to calibrate.
double fl_ticks_per_nanosecond(void);

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t fl_probe_now(void);

/// Nanoseconds that `count` raise(SIGUSR1) with an empty handler take: signal delivery and return alone.
uint64_t fl_probe_signals(uint64_t count);

/// `count` system calls that do nothing (getppid).
void fl_probe_system_calls(uint64_t count);

/// Starts counting the instructions that this thread executes outside the kernel. Returns a descriptor to read the count
/// from, or a negative errno value: ENOENT or EOPNOTSUPP where there is no such counter (many virtual machines), EACCES or
/// EPERM where it is not for everybody (kernel.perf_event_paranoid).
int fl_counter_open(void);

/// Stores the count since `fl_counter_open`. Returns 0 or an errno value.
int fl_counter_read(int descriptor, uint64_t *count);

/// Ends counting.
void fl_counter_close(int descriptor);

/// Whether this process is refused huge pages from now on (PR_SET_THP_DISABLE). Returns 0 or an errno value.
int fl_disable_huge_pages(bool disabled);

#pragma clang assume_nonnull end
#endif
