/// Whose code an address is, for the question "may this frame be abandoned?".
#ifndef FAULTLINE_CODE_OWNER_H
#define FAULTLINE_CODE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_code_owner : uint32_t {
    /// May be abandoned: the executable, a library of the user, and functions of the Swift runtime that hold nothing
    /// while they call the user's code.
    FL_CODE_USER = 0,
    /// Never abandoned: libc, ld.so, the Swift runtime and their kin, the vDSO, this shim, and whatever `malloc`,
    /// `operator new`, `pthread_mutex_lock` and the C++ runtime resolve to in this process.
    FL_CODE_NO_ABANDON = 1,
    FL_CODE_UNKNOWN = 2, ///< no loaded object: never abandoned
} fl_code_owner;

/// Signal context: callable.
fl_code_owner fl_code_owner_of(uintptr_t address);

/// Called where a value is asked for its text by the Swift standard library, before the first stack is made: the
/// library's functions between here and the code that wanted the text may be abandoned from now on, unless one is also
/// on a way of which `stream_may_lock` was said. Those ways come first. Signal context: forbidden.
void fl_runtime_code_asked(bool stream_may_lock);

/// Whether this process can tell the Swift runtime's code from the user's (it cannot when the standard library is
/// linked statically into the executable, or when `_dl_find_object` is missing). Signal context: callable.
bool fl_code_owner_is_known(void);

#pragma clang assume_nonnull end
#endif
