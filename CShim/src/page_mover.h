/// How the pages of a stack move.
#ifndef FAULTLINE_INTERNAL_PAGE_MOVER_H
#define FAULTLINE_INTERNAL_PAGE_MOVER_H

#include "common.h"
#include "fl_statistics.h"

#pragma clang assume_nonnull begin

/// Moves the pages [from, from + length) to `to`, which has none, and reports which mover finished.
/// Signal context: callable, not on the stack that moves.
fl_mover fl_pages_move(fl_mover wanted, uintptr_t from, uintptr_t to, size_t length);

#pragma clang assume_nonnull end
#endif
