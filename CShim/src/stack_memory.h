/// How much memory all stacks may use together.
#ifndef FAULTLINE_INTERNAL_STACK_MEMORY_H
#define FAULTLINE_INTERNAL_STACK_MEMORY_H

#include "common.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// fl_memory_limit_set.
extern _Atomic(uint64_t) fl_stack_memory_limit;

/// Counts `bytes` as usable by stacks, unless that exceeds the limit. Signal context: callable.
fl_failure fl_memory_take(uintptr_t bytes);
/// Signal context: callable.
void fl_memory_give(uintptr_t bytes);

#pragma clang assume_nonnull end
#endif
