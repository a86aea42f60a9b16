/// The loaded object that holds an address, as the dynamic linker knows it: no lock, no allocation.
#ifndef FAULTLINE_INTERNAL_LOADED_OBJECT_H
#define FAULTLINE_INTERNAL_LOADED_OBJECT_H

#include "common.h"
#include "unwind_cursor.h"

#pragma clang assume_nonnull begin

typedef struct fl_loaded_object {
    fl_unwind_object unwind;
    const char *_Nullable path; ///< empty: the executable, or the vDSO, which is not a file
    const void *_Nullable map;  ///< its struct link_map
    bool is_executable;
} fl_loaded_object;

/// Signal context: callable.
bool fl_loaded_object_of(uintptr_t address, fl_loaded_object *object) __attribute__((visibility("hidden")));

/// Whether [address - before, address) lies in one executable segment of `object`, where it can be read: between
/// segments there may be pages without access. Signal context: callable.
bool fl_object_has_code(const fl_loaded_object *object, uintptr_t address, uintptr_t before)
    __attribute__((visibility("hidden")));

/// Where the dynamic linker's answer comes from, 0 where there is none (glibc before 2.35). Signal context: callable.
uintptr_t fl_object_finder(void) __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
