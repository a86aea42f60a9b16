/// The mapping of a `grows-down` stack, which has no slot.
#ifndef FAULTLINE_INTERNAL_GROWS_DOWN_H
#define FAULTLINE_INTERNAL_GROWS_DOWN_H

#include "common.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// Maps a configured stack. Signal context: forbidden.
fl_failure fl_grows_down_map(fl_stack *stack);
/// Signal context: forbidden.
void fl_grows_down_unmap(const fl_stack *stack);
/// No memory and no access for a while (quarantine.c), then as fl_grows_down_unmap. Signal context: forbidden.
void fl_grows_down_quarantine(const fl_stack *stack);

#pragma clang assume_nonnull end
#endif
