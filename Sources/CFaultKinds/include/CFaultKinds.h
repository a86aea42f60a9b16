/// Accesses that Swift cannot make, or not without its own checks: one function for each way to raise a fault.
#ifndef FAULTLINE_FAULT_KINDS_H
#define FAULTLINE_FAULT_KINDS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Reads, writes or calls what is at `address`.
void fk_read(uintptr_t address);
void fk_write(uintptr_t address);
void fk_call(uintptr_t address);
/// Reads at `address` through two registers of which neither holds it.
void fk_read_indexed(uintptr_t address);
/// Maps a page to be read and writes to it (a constant will not do: gold puts those of a Swift program into writable
/// memory). Returns an errno value where that cannot be arranged.
int fk_write_read_only(void);
/// Calls a byte of data.
void fk_call_data(void);
/// Pushes with a stack pointer that is not canonical.
void fk_push_non_canonical(void);
/// Maps an empty file and reads it. Returns an errno value where that cannot be arranged.
int fk_read_beyond_file(void);
/// Frames one below the other until `bytes` are used.
uint64_t fk_recurse(size_t bytes);
/// An address in the caller's frame or just below.
uintptr_t fk_frame_address(void);
/// Lowers the stack pointer to `distance` bytes above the lowest page of this stack that can be read, and has the
/// kernel deliver `signal` there.
void fk_signal_near_end(int signal, size_t distance);
/// Installs a handler without SA_ONSTACK that does nothing. Returns 0 or an errno value.
int fk_install_plain_handler(int signal);
/// Installs handlers of SIGSEGV and SIGBUS that call `report`, restore the default action and let the signal end the
/// process. Returns 0 or an errno value.
int fk_install_reporter(void (*report)(int signal));
/// Runs `body` in a copy of this process (fork), which `body` may kill and which is killed after `seconds`. Returns
/// what waitpid says of its end, or -1 and an errno value in `*error`. Only for a process with one thread.
int fk_run_in_copy(void (*body)(void *_Nullable), void *_Nullable context, unsigned seconds, int *error);

#pragma clang assume_nonnull end
#endif
