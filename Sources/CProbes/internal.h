/// What the files of this target share.
#ifndef FAULTLINE_CPROBES_INTERNAL_H
#define FAULTLINE_CPROBES_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct ticks {
    uint64_t began;
    uint64_t ended;
} ticks;

/// The time-stamp counter before and after the store of fl_probe_store_below_filled.
ticks fl_ticks_of_store_below(size_t bytes, size_t interval);

/// The system call that a tracer waits for: getpgid of a process that cannot exist.
enum { FL_MARK_ARGUMENT = -0x464c };

#pragma clang assume_nonnull end
#endif
