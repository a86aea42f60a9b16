/// How much is left of the stack that runs.
#ifndef FAULTLINE_SPACE_H
#define FAULTLINE_SPACE_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// Bytes between the stack pointer and the end of the running stack: a stack's maximum, whether it has grown that far
/// or not, what is usable now where only checked code makes it grow, or the end of the thread's own. 0 where that is
/// not known, for instance on an alternate signal stack or one that other code made, and beyond the maximum. Signal
/// context: forbidden.
uintptr_t fl_space_left(void);

/// The maximum of the running stack in bytes; 0 on a thread's own. Signal context: callable.
uintptr_t fl_space_maximum(void);

#pragma clang assume_nonnull end
#endif
