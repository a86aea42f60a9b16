/// Slots whose frames were abandoned: closed for a while, then used again.
#ifndef FAULTLINE_INTERNAL_QUARANTINE_H
#define FAULTLINE_INTERNAL_QUARANTINE_H

#include "address_space.h"

#pragma clang assume_nonnull begin

/// Takes a slot: a free one, one of a new arena, or else the oldest of that size in quarantine. Lock-free.
/// Signal context: callable.
fl_failure fl_slot_take(fl_slot_size size, fl_guard guard, fl_stack *owner, fl_slot_handle *handle);

/// Closes a slot that a stack leaves behind, `usable` its lowest usable address, and puts it into quarantine; the
/// oldest one there is free again. Signal context: callable.
fl_failure fl_quarantine_slot(fl_slot_handle handle, uintptr_t usable);

/// Puts a closed mapping that belongs to no arena into quarantine. At the end of it the mapping is undone.
/// Signal context: callable.
void fl_quarantine_mapping(uintptr_t low, uintptr_t base);

#pragma clang assume_nonnull end
#endif
