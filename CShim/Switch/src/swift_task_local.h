/// What the Swift concurrency library exports for values of `TaskLocal`. All weak: a program need not have it.
#ifndef FAULTLINE_SWIFT_TASK_LOCAL_H
#define FAULTLINE_SWIFT_TASK_LOCAL_H

#pragma clang assume_nonnull begin

extern __attribute__((swiftcall)) void *_Nullable swift_task_localValueGet(const void *key) __attribute__((weak));
/// Takes the value over.
extern __attribute__((swiftcall)) void swift_task_localValuePush(const void *key, void *value, const void *type)
    __attribute__((weak));
extern __attribute__((swiftcall)) void swift_task_localValuePop(void) __attribute__((weak));

/// The type Int.
extern const char int_type __asm__("$sSiN") __attribute__((weak));

#pragma clang assume_nonnull end
#endif
