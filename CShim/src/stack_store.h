/// Where the words of hibernated stacks are kept.
#ifndef FAULTLINE_INTERNAL_STACK_STORE_H
#define FAULTLINE_INTERNAL_STACK_STORE_H

#include "common.h"
#include "fl_hibernation.h"

#pragma clang assume_nonnull begin

/// A block of at least `bytes`. Signal context: forbidden.
fl_failure fl_store_take(size_t bytes, void *_Nullable *_Nonnull block);
/// Gives a block back; `bytes` is what was asked for. Signal context: forbidden.
void fl_store_give(void *block, size_t bytes);

#pragma clang assume_nonnull end
#endif
