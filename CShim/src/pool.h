/// Stacks that wait for the next of their kind.
#ifndef FAULTLINE_INTERNAL_POOL_H
#define FAULTLINE_INTERNAL_POOL_H

#include "common.h"
#include "fl_pool.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// A stack of this thread's pool that fits, or null. Signal context: forbidden.
fl_stack *_Nullable fl_pool_take(const fl_stack_configuration *configuration);

/// Makes an ended stack as it was at first and keeps it. False: it has to be discarded. Signal context: forbidden.
bool fl_pool_keep(fl_stack *stack);

#pragma clang assume_nonnull end
#endif
