/// The step over a frame that has no description.
#ifndef FAULTLINE_INTERNAL_FRAME_POINTER_H
#define FAULTLINE_INTERNAL_FRAME_POINTER_H

#include "unwind_plain.h"

#pragma clang assume_nonnull begin

/// Steps by the frame pointer where that cannot skip a frame of no-abandon code. `rule` is that of the frame, of the
/// kind FL_UNWIND_NO_RULES. Otherwise as fl_unwind_step. Signal context: callable.
fl_unwind_result fl_frame_pointer_step(const fl_unwind_rule *rule, fl_unwind_registers *registers,
                                       fl_unwind_frame *frame, fl_unwind_cache *cache, uintptr_t low, uintptr_t high)
    __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
