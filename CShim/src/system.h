/// Every system call of the shim. Each returns 0 or an errno value; none retries for ever.
#ifndef FAULTLINE_INTERNAL_SYSTEM_H
#define FAULTLINE_INTERNAL_SYSTEM_H

#include "common.h"
#include "fl_debug.h"
#include "fl_stack.h"

#include <signal.h>

#pragma clang assume_nonnull begin

/// Signal context: callable.
fl_failure fl_failure_none(void);
/// Signal context: callable.
fl_failure fl_failure_at(fl_site site, int error);

/// mmap; the address comes back in `*address`. Signal context: callable.
int fl_system_map(fl_site site, void *_Nonnull *_Nonnull address, size_t length, int protection, int flags);
/// Signal context: callable.
int fl_system_unmap(fl_site site, uintptr_t address, size_t length);
/// Signal context: callable.
int fl_system_protect(fl_site site, uintptr_t address, size_t length, int protection);
/// Signal context: callable.
int fl_system_advise(fl_site site, uintptr_t address, size_t length, int advice);
/// madvise of [low, high). MADV_GUARD_INSTALL may be interrupted by a racing fault and then asks to be called again,
/// which is done a few times. Signal context: callable.
int fl_system_advise_retrying(fl_site site, uintptr_t low, uintptr_t high, int advice);
/// Signal context: callable.
int fl_system_ioctl(fl_site site, int descriptor, unsigned long request, void *argument);
/// Signal context: callable.
int fl_system_mremap(fl_site site, uintptr_t from, size_t length, int flags, uintptr_t to);
/// mremap that makes a mapping larger where it is. Signal context: callable.
int fl_system_grow(fl_site site, uintptr_t low, size_t from, size_t to);
/// munlock. Signal context: callable.
int fl_system_unlock(fl_site site, uintptr_t low, size_t length);
int fl_system_userfaultfd(fl_site site, int *descriptor);
int fl_system_sigaltstack(fl_site site, const stack_t *_Nullable stack, stack_t *_Nullable old);
/// Signal context: callable.
int fl_system_sigaction(fl_site site, int signal, const struct sigaction *action, struct sigaction *_Nullable old);
/// Pages of [low, high) that are in memory, and the lowest of them, `high` where there is none. What the kernel does
/// not tell counts as the lowest, not as a page. Signal context: callable.
uint64_t fl_system_resident_pages(uintptr_t low, uintptr_t high, uintptr_t *lowest);
/// Resident bytes of the process.
int fl_system_resident(fl_site site, uint64_t *bytes);
/// The mask of this thread.
int fl_system_signal_mask(fl_site site, int how, const sigset_t *_Nullable set, sigset_t *_Nullable before);
/// Blocks every signal on this thread but those of an instruction's own faults; the mask of before comes back.
int fl_system_block_signals(fl_site site, sigset_t *before);

/// Bytes that this process may map (RLIMIT_AS), and where they are to be writable, that it may map so (RLIMIT_DATA);
/// UINT64_MAX where that is not limited. Signal context: callable.
uint64_t fl_system_mapping_limit(bool writable);

/// The error to inject at this call of `site`, 0 for none. Counts the call. Signal context: callable.
int fl_injected(fl_site site);

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // Linux 6.13, include/uapi/asm-generic/mman-common.h
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14
#endif

/// Nanoseconds of the monotonic clock. Signal context: callable.
uint64_t fl_now(void);

/// The same, a few milliseconds coarse and several times as fast. Signal context: callable.
uint64_t fl_coarse_now(void);

#pragma clang assume_nonnull end
#endif
