/// How deep each function of a program really goes: one call runs instruction by instruction, and the stack pointer is
/// looked at behind each. By ptrace, which needs no privilege for one's own children.
#ifndef FAULTLINE_STEPPER_H
#define FAULTLINE_STEPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// What was seen of one function.
typedef struct fl_step_mark {
    uint64_t calls;   ///< those that returned
    uint64_t deepest; ///< bytes below its return address, of the deepest call
} fl_step_mark;

typedef struct fl_step_request {
    /// What is run and its environment, both ended by NULL. Its input and output are /dev/null.
    char *const _Nullable *_Nonnull arguments;
    char *const _Nullable *_Nonnull environment;
    /// The addresses of the functions, in ascending order; the program is loaded at the addresses of its file.
    const uint64_t *entries;
    size_t count;
    /// Of each function, whether its entry ends what is seen of its callers: from there on their stack is no longer
    /// theirs.
    const bool *ends;
    /// The function whose first call is looked at. It stays on its thread.
    size_t start;
    /// Of a Go program, the address of runtime.stackfree, else 0.
    uint64_t stack_free;
    /// Seconds after which the program is ended, at least 1.
    unsigned seconds;
} fl_step_request;

/// Runs a program until its function `start` has returned, then ends it, and stores what it saw of each function in
/// `marks`: of a goroutine its own stack only, also where that moves. Stores the number of instructions.
///
/// Returns 0 or an errno value: ETIMEDOUT, ECHILD where the program ended before or cannot be run, EPERM where ptrace
/// is not permitted, ENOMEM.
int fl_step_marks(const fl_step_request *request, fl_step_mark *marks, uint64_t *instructions);

#pragma clang assume_nonnull end
#endif
