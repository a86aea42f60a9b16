/// The alternatives that Faultline is measured beside, as far as they are C.
#ifndef FAULTLINE_CPEERS_H
#define FAULTLINE_CPEERS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// `count` round trips between two ucontexts (swapcontext, which makes a system call for the signal mask each time).
/// Returns 0 or an errno value.
int fl_peer_ucontext_round_trips(uint64_t count);

/// `count` times: make a ucontext on one and the same stack, run it to its end.
int fl_peer_ucontext_spawn(uint64_t count);

/// `count` round trips between two POSIX threads that hand a turn to each other (mutex and condition variable).
int fl_peer_thread_round_trips(uint64_t count);

/// `count` times: create a POSIX thread that does nothing, join it.
int fl_peer_thread_spawn(uint64_t count);

/// Makes a POSIX thread with a stack of that many bytes, has it call `body`, joins it. Returns 0 or an errno value.
int fl_peer_call_on_thread(size_t stack_size, void (*body)(void));

/// Makes POSIX threads that wait until the process ends, `count` of them or until one is refused. Returns how many
/// wait; the errno value of a refusal is in `*error`, else 0.
uint64_t fl_peer_threads_wait(uint64_t count, int *error);

/// `count` calls of a function that the compiler can neither inline nor see through.
void fl_peer_plain_calls(uint64_t count);

/// A recursion of 120 frames of at least 256 bytes, each of which writes all of its own: some 32 KiB of stack.
uint64_t fl_peer_use_stack(void);

#pragma clang assume_nonnull end
#endif
