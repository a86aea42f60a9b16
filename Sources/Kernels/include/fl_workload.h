/// The binary interface between a workload's code and the program that runs it.
///
/// Each workload's code is one function of type `fl_workload_run`. It exists several times: compiled into the program,
/// and built at run time from the same source without checks, with compiler-inserted prologue checks, and with no-ops
/// of the same length (Sources/Workloads/README.md). All have this interface, whatever language they are written in.
#ifndef FAULTLINE_WORKLOAD_H
#define FAULTLINE_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum {
    FL_WORKLOAD_COUNTS = 4,
    FL_WORKLOAD_MESSAGE_SIZE = 216,
};

/// What a run reports besides its checksum. The caller zeroes it; the code stores only what it has to say.
/// Swift code reads and writes it through `Sources/Workloads/Code/Outcome.swift`, which mirrors these offsets.
typedef struct fl_workload_outcome {
    uint64_t status;                        ///< 0: the work is done; otherwise `message` says why not
    uint64_t counts[FL_WORKLOAD_COUNTS];    ///< meaning depends on the workload
    char message[FL_WORKLOAD_MESSAGE_SIZE]; ///< UTF-8, NUL-terminated, one line
} fl_workload_outcome;

_Static_assert(offsetof(fl_workload_outcome, status) == 0, "mirrored in Outcome.swift");
_Static_assert(offsetof(fl_workload_outcome, counts) == 8, "mirrored in Outcome.swift");
_Static_assert(offsetof(fl_workload_outcome, message) == 40, "mirrored in Outcome.swift");
_Static_assert(sizeof(fl_workload_outcome) == 256, "mirrored in Outcome.swift");

/// Does the work once, on the calling stack. Returns a 64-bit checksum of the result (FNV-1a unless the workload says
/// otherwise). Keeps no state between calls, prints nothing, starts no thread. `input` is read only and may be null
/// when `length` is 0; `parameter` is the workload's size.
typedef uint64_t fl_workload_run(const uint8_t *_Nullable input, size_t length, uint64_t parameter,
                                 fl_workload_outcome *outcome);

#pragma clang assume_nonnull end

#endif
