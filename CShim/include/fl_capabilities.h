/// What this kernel and processor offer, probed once by fl_initialize.
#ifndef FAULTLINE_CAPABILITIES_H
#define FAULTLINE_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct fl_capabilities {
    bool guard_install;       ///< MADV_GUARD_INSTALL (Linux 6.13)
    bool uffdio_move;         ///< UFFDIO_MOVE (Linux 6.8) and a userfaultfd that may be opened
    bool restores_atomically; ///< UFFDIO_COPY puts a page over a guard
    bool populate_write;      ///< MADV_POPULATE_WRITE (Linux 5.14)
    bool unwinds;             ///< `_dl_find_object` (glibc 2.35) and a Swift runtime apart from the executable
    bool finds_access_set;    ///< Swift's exclusivity access set is exchanged at each switch
    bool finds_exceptions;    ///< so are the C++ runtime's caught and uncaught exceptions
    bool finds_task_locals;   ///< and Swift's current task and the values that are bound outside a task
    int32_t overcommit_mode;  ///< vm.overcommit_memory: 0, 1, 2, or -1 where it cannot be read
    uint64_t max_map_count;   ///< vm.max_map_count, 0 where it cannot be read
    size_t page_size;         ///< bytes; the shim supports 4096
    uintptr_t nil_extent;     ///< addresses below this are the nil page: vm.mmap_min_addr, at least one page
    size_t signal_frame_size; ///< bytes the kernel needs to deliver a signal (AT_MINSIGSTKSZ)
} fl_capabilities;

/// What is left of each limit that a mapping can meet, in bytes unless said otherwise; UINT64_MAX: no limit, or it
/// cannot be read.
typedef struct fl_room_left {
    uint64_t address_space; ///< RLIMIT_AS
    uint64_t data;          ///< RLIMIT_DATA: private writable mappings
    uint64_t commit;        ///< CommitLimit, where vm.overcommit_memory is 2
    uint64_t mappings;      ///< vm.max_map_count, a number
} fl_room_left;

/// Looks, without the heap, which may be unable to grow. Signal context: forbidden.
fl_room_left fl_room_look(void);

/// Probes the machine, finds the exclusivity access set, opens the userfaultfd and installs the handlers. Returns 0 or
/// an errno value. Idempotent and thread-safe. Signal context: forbidden.
int fl_initialize(void);

/// Runs `body`, which returns 0 or an errno value, on a thread of its own, for one that has little stack left. Returns
/// the same. Signal context: forbidden.
int fl_run_apart(int (*body)(void));

/// Whether it has returned 0. Signal context: callable.
bool fl_is_initialized(void);

/// Valid after fl_initialize returned 0. Signal context: callable.
const fl_capabilities *fl_capabilities_get(void);

#pragma clang assume_nonnull end
#endif
