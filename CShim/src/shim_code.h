/// What every C file of the shim begins with. It ends with `#pragma clang attribute pop`.
///
/// In between, functions are no-abandon code (HACKING.md), and no sanitizer instruments them (sanitizers.c).
#ifndef FAULTLINE_INTERNAL_SHIM_CODE_H
#define FAULTLINE_INTERNAL_SHIM_CODE_H

#pragma clang section text = "fl_text"
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)

#define FL_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))

#if FL_SANITIZED
// In the process memset and its kin are the sanitizer's: they refuse what it has closed around variables, and may wait
// for a lock that the code under a handler holds. The compiler calls them on its own, so the names get another meaning.
__asm__(".set memcpy, fl_copy_bytes\n\t.set memmove, fl_move_bytes\n\t.set memset, fl_set_bytes");

#define FL_BYTES __attribute__((used, no_builtin)) static void *

/// Signal context: callable.
FL_BYTES fl_copy_bytes(void *to, const void *from, __SIZE_TYPE__ count) {
    for (__SIZE_TYPE__ i = 0; i < count; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

/// Signal context: callable.
FL_BYTES fl_move_bytes(void *to, const void *from, __SIZE_TYPE__ count) {
    if ((__UINTPTR_TYPE__)to <= (__UINTPTR_TYPE__)from) return fl_copy_bytes(to, from, count);
    for (__SIZE_TYPE__ i = count; i > 0; i--) ((char *)to)[i - 1] = ((const char *)from)[i - 1];
    return to;
}

/// Signal context: callable.
FL_BYTES fl_set_bytes(void *to, int value, __SIZE_TYPE__ count) {
    for (__SIZE_TYPE__ i = 0; i < count; i++) ((char *)to)[i] = (char)value;
    return to;
}
#endif

#endif
