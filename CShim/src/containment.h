/// A coroutine ends instead of the process.
#ifndef FAULTLINE_INTERNAL_CONTAINMENT_H
#define FAULTLINE_INTERNAL_CONTAINMENT_H

#include "common.h"
#include "fl_stack.h"
#include "fl_unwind.h"

#pragma clang assume_nonnull begin

typedef enum fl_containment : uint32_t {
    FL_CONTAIN_NOW = 0, ///< all frames may be abandoned: the coroutine may end here
    FL_CONTAIN_LATER,   ///< a return address was replaced: let the code run on the reserve
    FL_CONTAIN_NEVER,   ///< a frame cannot be unwound, or its owner cannot be told
} fl_containment;

/// Fills the report's backtrace and decides how the running coroutine may end. With `now_only`, nothing is replaced
/// and FL_CONTAIN_LATER says that a no-abandon frame is in the way. Signal context: callable.
fl_containment fl_contain(fl_stack *stack, const fl_unwind_registers *at, bool now_only);

/// How the code goes on after an overflow, or where room could not be made.
typedef enum fl_ending : uint32_t { FL_END_COROUTINE = 0, FL_END_CONTINUE, FL_END_PROCESS } fl_ending;

/// Fills the report and, where the stack contains overflows, prepares the end. FL_END_CONTINUE: the reserve is open and
/// a return address was replaced. FL_END_PROCESS: a message was written. Signal context: callable.
fl_ending fl_overflow(fl_stack *stack, const fl_unwind_registers *at, uintptr_t address, fl_failure failure);

/// Where a replaced return address leads (src/arch).
extern void fl_contained_return(void);

#pragma clang assume_nonnull end
#endif
