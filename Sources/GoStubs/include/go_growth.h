// Code that `faultline go strip --growth fault` adds to a Go program: it makes stacks that have a guard, sends a fault
// of a probe to the code that follows a failed check, and counts. It is never run here; GoBinary copies its bytes.
// Position-independent; what it writes to is memory of the program that GoBinary adds.
//
//     marker     16 bytes of text, by which a patched program is known
//     parameters seven numbers, filled in when it is copied
//     code       the entries below, and its texts
//     probes     appended when it is copied: by address, where each is and where its failed check leads
#ifndef FAULTLINE_GO_GROWTH_H
#define FAULTLINE_GO_GROWTH_H

#include "go_stubs.h"

#pragma clang assume_nonnull begin

/// Filled in when the code is copied; little-endian. Distances count from its first byte.
struct FL_SWIFT_NAME("GoGrowthParameters") fl_go_growth_parameters {
    /// Where thread-local storage holds the goroutine, from the thread pointer.
    int64_t tls_offset;
    /// The memory that it writes to.
    int64_t data_offset;
    /// What the numbers in the table of probes count from.
    int64_t text_offset;
    /// The table of probes.
    int64_t probes_offset;
    /// How many there are.
    uint64_t probe_count;
    /// What the runtime sets where it does not preempt by signals: `debug.asyncpreemptoff`, of four bytes.
    int64_t no_preemption_offset;
    /// Where the record of a thread notes that a signal by which Go preempts is under way: `signalPending` of `m`, of
    /// four bytes.
    int64_t pending_offset;
};

/// Where the parts are, in bytes from the first. All zero where the code is not for this processor.
struct FL_SWIFT_NAME("GoGrowthLayout") fl_go_growth_layout {
    uint32_t size;
    uint32_t parameters;
    /// Bytes of the memory that it writes to, zero at first.
    uint32_t data_size;
    /// What is subtracted from the address of each probe.
    uint32_t reach;
    /// Before the first instruction of the program, and room for a jump to it.
    uint32_t on_start;
    uint32_t on_start_end;
    /// Around minit, and room for a jump to it; before the calls of copystack in newstack and in shrinkstack.
    uint32_t on_thread;
    uint32_t on_thread_end;
    uint32_t on_growth;
    uint32_t on_growth_end;
    uint32_t on_shrink;
    uint32_t on_shrink_end;
    /// Instead of stackalloc, stackfree and freeStackSpans.
    uint32_t allocate;
    uint32_t release;
    uint32_t trim;
    /// Looks at a signal before Go does. eax: number, rbx: siginfo, rcx: ucontext.
    uint32_t on_signal;
    /// Where a signal that is Go's goes on: room for a jump.
    uint32_t on_signal_end;
    /// Instead of exit.
    uint32_t on_exit;
};

extern const uint8_t fl_go_growth_begin[];
/// The first byte.
static inline const uint8_t *fl_go_growth_code(void) { return fl_go_growth_begin; }
/// Where the parts are.
extern const struct fl_go_growth_layout fl_go_growth_layout;

#pragma clang assume_nonnull end

#endif
