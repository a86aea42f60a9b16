/// One trap taken apart: when the store began, when the handler was entered and left, when the store was done.
#ifndef FAULTLINE_TRAP_PARTS_H
#define FAULTLINE_TRAP_PARTS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Nanoseconds of one store, part by part. All by the time-stamp counter.
typedef struct fl_trap_parts {
    uint64_t delivery; ///< from before the store to the handler's first instruction
    uint64_t handler;  ///< in the handler
    uint64_t back;     ///< from the handler's last instruction until the store is done
    uint64_t total;    ///< all of it
    uint64_t traps;    ///< how often the handler was entered: 1, or there are no parts
} fl_trap_parts;

/// Puts a handler in front of that of SIGSEGV, which reads the time-stamp counter, calls the one behind it and reads
/// the counter again. Make stacks before: none is made while another handler is in front. One thread at a time. Returns
/// 0 or an errno value.
int fl_probe_watch_begin(void);

/// Takes it away again.
int fl_probe_watch_end(void);

/// Like fl_probe_store_below, with the parts of the trap that the store took while the handler is watched.
fl_trap_parts fl_probe_store_parts(size_t bytes);

/// Nanoseconds from the last instruction of an empty handler to the instruction behind the one that trapped (int3),
/// `count` times: the kernel's way back alone. The handler runs on an alternate stack, as this library's does.
uint64_t fl_probe_signal_returns(uint64_t count);

/// A system call that does nothing but be seen by a tracer: `fl_trace` begins and ends with it.
void fl_probe_mark(void);

#pragma clang assume_nonnull end
#endif
