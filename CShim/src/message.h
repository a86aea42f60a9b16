/// One line to standard error from a handler, and the end of a process that cannot go on.
#ifndef FAULTLINE_INTERNAL_MESSAGE_H
#define FAULTLINE_INTERNAL_MESSAGE_H

#include "common.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// Writes one line to standard error: "faultline: …". Signal context: callable.
void fl_message(const char *_Nonnull const *_Nonnull parts, size_t count);
/// What keeps an overflow from being contained: where that is, between what it is and what to do.
typedef struct fl_obstacle {
    const char *_Nullable what;
    const char *_Nullable library;
    const char *_Nullable remedy;
} fl_obstacle;

/// Writes the message for an overflow or failed growth that is not contained. Without an obstacle the remedy is more
/// room. Signal context: callable.
void fl_message_overflow(const fl_stack *stack, const fl_fault_report *report, const char *reason,
                         fl_obstacle obstacle);
/// Decimal digits of `value`. `buffer` has room for 24 bytes. Signal context: callable.
const char *fl_decimal(char *buffer, uint64_t value);
/// Signal context: callable.
const char *fl_hexadecimal(char *buffer, uint64_t value);
/// Ends the process by SIGSEGV with its default action, from outside a fault. Signal context: callable.
_Noreturn void fl_die(void);

#pragma clang assume_nonnull end
#endif
