/// Hibernation: a suspended stack's live bytes wait in a compact store, its pages are the kernel's, and its addresses
/// are guarded. A resume brings the bytes back first; so does the fault handler when another thread, or a pointer that
/// was kept, touches them.
#ifndef FAULTLINE_HIBERNATION_H
#define FAULTLINE_HIBERNATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fl_stack.h"

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_hibernation : uint32_t {
    FL_HIBERNATION_DONE = 0,
    FL_HIBERNATION_NOT_SUSPENDED, ///< it never started, runs, or has ended
    FL_HIBERNATION_STRATEGY,      ///< fixed keeps its memory by design; a grows-down mapping is the kernel's
    FL_HIBERNATION_SEGMENTS,      ///< its frames are in several segments
    FL_HIBERNATION_GUARD,         ///< only guard pages can be replaced one by one
    FL_HIBERNATION_OVERFLOWING,   ///< it finishes on its reserve, or a debug knob has guarded part of it
    FL_HIBERNATION_SHARED,        ///< this kernel cannot restore atomically, and the caller did not say `unshared`
    FL_HIBERNATION_FAILED,        ///< the kernel refused; `*failure` says what
} fl_hibernation;

/// Puts a suspended stack's live bytes, its red zone included, into the store and gives its pages back. With any other
/// result than FL_HIBERNATION_DONE the stack is as before. `unshared`: the caller promises that no other thread and no
/// kernel object uses the stack; then a kernel that cannot restore atomically suffices, but there a stray access is
/// fatal. For a stack that hibernates already the result is FL_HIBERNATION_DONE. Signal context: forbidden.
fl_hibernation fl_stack_hibernate(fl_stack *stack, bool unshared, fl_failure *failure);

/// Brings a hibernated stack's bytes back, unless a fault did so already, and makes it FL_FIBER_SUSPENDED. An idle one
/// becomes FL_FIBER_SUSPENDED, too. After a failure nothing is lost and it may be tried again.
/// Signal context: forbidden.
fl_failure fl_stack_wake(fl_stack *stack);

/// Whether the stack's bytes are in the store: false again once a fault brought them back. Signal context: callable.
bool fl_stack_is_hibernated(const fl_stack *stack);

/// What the store holds now.
typedef struct fl_store_usage {
    uint64_t records;   ///< hibernated stacks, and those that a fault restored and that were not resumed since
    uint64_t bytes;     ///< of their blocks
    uint64_t committed; ///< bytes of the slabs and mappings that hold at least one block, or are kept for the next
} fl_store_usage;

/// Signal context: forbidden.
fl_store_usage fl_store_usage_get(void);

/// Gives the one empty slab that is kept back to the kernel. Signal context: forbidden.
void fl_store_drain(void);

#pragma clang assume_nonnull end
#endif
