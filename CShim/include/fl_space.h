/// The stack that runs; what is left of it says fl_space_left (CSwitch.h).
#ifndef FAULTLINE_SPACE_H
#define FAULTLINE_SPACE_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// The maximum of the running stack in bytes, and where only checked code makes it grow what is usable now; 0 on a
/// thread's own. Signal context: callable.
uintptr_t fl_space_maximum(void);

#pragma clang assume_nonnull end
#endif
