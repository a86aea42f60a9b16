/// What the kernel is asked and what it reports while another process does one thing: system calls, signals, and pages
/// that it supplies unseen. By ptrace, which needs no privilege for one's own children.
#ifndef FAULTLINE_TRACER_H
#define FAULTLINE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_trace_kind : uint32_t {
    FL_TRACE_CALL = 0, ///< a system call was entered: `number`
    FL_TRACE_LEAVE,    ///< rt_sigreturn was entered: a handler is left
    FL_TRACE_RETURN,   ///< a system call is about to return
    FL_TRACE_SIGNAL,   ///< a signal is about to be delivered: `number`
    FL_TRACE_END,      ///< the end mark: its `minor_faults` count until then
} fl_trace_kind;

typedef struct fl_trace_event {
    fl_trace_kind kind;
    int32_t code;          ///< of a signal, its si_code: above 0 when the kernel raised it for a fault
    uint64_t number;       ///< the system call or the signal
    uint64_t minor_faults; ///< faults since the start mark that the kernel resolved by itself
} fl_trace_event;

/// Attaches to `child`, a process of this user's with one thread, without stopping it. Returns 0 or an errno value:
/// EPERM where ptrace is not permitted.
int fl_trace_attach(pid_t child);

/// Follows `child` until it has called fl_probe_mark twice, and records what happens between the two. Then lets it go.
///
/// Returns 0 or an errno value: ESRCH when it ended before, ENOSPC when more than `capacity` events happened,
/// ETIMEDOUT.
int fl_trace_follow(pid_t child, double seconds, fl_trace_event *events, size_t capacity, size_t *count);

#pragma clang assume_nonnull end
#endif
