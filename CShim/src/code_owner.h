/// Whose code an address is, and whether it keeps frame pointers.
#ifndef FAULTLINE_INTERNAL_CODE_OWNER_H
#define FAULTLINE_INTERNAL_CODE_OWNER_H

#include "common.h"
#include "fl_code_owner.h"
#include "unwind_rules.h"

#pragma clang assume_nonnull begin

typedef struct fl_code {
    fl_code_owner owner;
    /// All of its functions without a frame description do: Swift code does, in C code without tables none need.
    bool keeps_frame_pointer;
} fl_code;

/// Signal context: callable.
fl_code fl_code_at(uintptr_t address) __attribute__((visibility("hidden")));

/// Finds what this process resolves the allocator, the locks and the runtimes to. Before the first stack is made.
/// Signal context: forbidden.
void fl_code_owners_find(void) __attribute__((visibility("hidden")));

/// Lets the frames of one function of a library that keeps frame pointers be abandoned. Before the first stack is made.
/// Signal context: forbidden.
void fl_code_owner_may_abandon(fl_code_range function) __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
