/// What ends a stack that has no owner to end it.
#ifndef FAULTLINE_INTERNAL_CREATE_H
#define FAULTLINE_INTERNAL_CREATE_H

#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// Gives the slot of a finished stack back, and all that belongs to it but its entry, which fl_fiber_destroy still
/// takes. Signal context: forbidden.
void fl_stack_give_slot(fl_stack *stack);

#pragma clang assume_nonnull end
#endif
