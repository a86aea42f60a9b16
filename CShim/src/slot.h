/// One slot: usable part and guards.
#ifndef FAULTLINE_INTERNAL_SLOT_H
#define FAULTLINE_INTERNAL_SLOT_H

#include "quarantine.h"

#pragma clang assume_nonnull begin

/// Makes [low, base) of the slot usable and guards what lies below. Signal context: callable.
fl_failure fl_slot_make_usable(fl_slot_handle handle, uintptr_t low);

/// Where growth to `low` should end: a multiple of 2 MiB in a slot for deep stacks, once 1 MiB is passed.
/// Signal context: callable.
uintptr_t fl_slot_growth_end(fl_slot_handle handle, uintptr_t low);

/// Lowers the usable part of a live slot to `low`; the guard band slides down first. Signal context: callable.
fl_failure fl_slot_extend(fl_slot_handle handle, uintptr_t low);

/// Raises the usable part of a live slot to `low`: what lies below is guarded again. It holds nothing any more. After a
/// refusal the slot has either its former bounds, or the new ones with its former guard.
/// Signal context: callable.
fl_failure fl_slot_lift(fl_slot_handle handle, uintptr_t low);

/// Guards [live, base) of a slot that its stack moved away from. `provoked`: a debug knob has guarded more of it.
/// Signal context: callable.
fl_failure fl_slot_retire(fl_slot_handle handle, uintptr_t live, bool provoked);

/// Gives a slot back, its memory to the kernel. Signal context: callable.
void fl_slot_release(fl_slot_handle handle, bool provoked);

/// Takes a slot out of use for a while: no memory and no access (quarantine.c). Signal context: callable.
fl_failure fl_slot_quarantine(fl_slot_handle handle);

#pragma clang assume_nonnull end
#endif
