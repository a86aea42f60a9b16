/// A suspended stack without its pages.
#ifndef FAULTLINE_INTERNAL_HIBERNATION_H
#define FAULTLINE_INTERNAL_HIBERNATION_H

#include "common.h"
#include "fl_hibernation.h"

#pragma clang assume_nonnull begin

typedef struct fl_record fl_record;

typedef enum fl_restoring : uint32_t {
    FL_RESTORED = 0,   ///< or it was no longer hibernated: the access may be tried again
    FL_NOT_RESTORABLE, ///< this process cannot replace a guard in one step
    FL_RESTORE_FAILED,
} fl_restoring;

/// A copy of a hibernated stack's words, up to its base, for free(); null where there is no memory. False: its words
/// are in their place again. Runs on the stack's thread. Signal context: forbidden.
bool fl_hibernated_copy(const fl_stack *stack, void *_Nullable *_Nonnull words, size_t *bytes);

/// Restores the hibernated stack whose slot holds `address`. Signal context: handler only.
fl_restoring fl_wake_by_fault(uintptr_t address, fl_failure *failure);

/// Whether a fault in usable memory may have been overtaken by a restoration on another thread: once for each
/// restoration in the process. Signal context: handler only.
bool fl_late_fault_is_possible(void);

#pragma clang assume_nonnull end
#endif
