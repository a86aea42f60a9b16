/// Counts what the process allocates, and proves that a piece of code makes no system call.
#ifndef FAULTLINE_ALLOCATION_COUNTER_H
#define FAULTLINE_ALLOCATION_COUNTER_H

#include <stdint.h>

/// Calls of malloc and its like since the process started, in every library that the program loads.
uint64_t ac_allocations(void);

/// Bytes that the C library's allocator has handed out and not got back.
uint64_t ac_bytes_in_use(void);

/// From here on any system call of this thread but read, write and its end is SIGKILL. Returns 0 or an errno value.
int ac_forbid_system_calls(void);

/// Writes `name=COUNT` to standard error, without an allocation. The name has at most 30 characters.
void ac_report(const char *name, uint64_t count);

/// Ends the only thread, and the process with it, by the one call that is allowed.
_Noreturn void ac_end_thread(int status);

/// Takes every key of thread-specific data that is left. Returns how many.
int ac_take_thread_keys(void);

#endif
