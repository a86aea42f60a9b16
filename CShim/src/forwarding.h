/// Stale accesses to old ranges.
#ifndef FAULTLINE_INTERNAL_FORWARDING_H
#define FAULTLINE_INTERNAL_FORWARDING_H

#include "common.h"

#include <ucontext.h>

#pragma clang assume_nonnull begin

/// Redirects the registers that point into an old range of a stack of this thread. False: no register does, or the
/// stack is not this thread's. Signal context: handler only.
bool fl_forward(ucontext_t *context, uintptr_t address);

#pragma clang assume_nonnull end
#endif
