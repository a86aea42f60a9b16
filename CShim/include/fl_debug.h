/// Debug knobs: injected failures of system calls, moves that a timer provokes, stacks that begin in the same cache
/// sets.
#ifndef FAULTLINE_DEBUG_H
#define FAULTLINE_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Every place where the shim calls the kernel and must cope with a refusal.
typedef enum __attribute__((enum_extensibility(closed))) fl_site : uint32_t {
    FL_SITE_ARENA_MAP = 0,     ///< mmap of an arena
    FL_SITE_ARENA_TRIM,        ///< munmap of the unaligned ends of an arena
    FL_SITE_ARENA_OPEN,        ///< mprotect(PROT_READ | PROT_WRITE) of an arena, or of a slot after its quarantine
    FL_SITE_ARENA_UNLOCK,      ///< munlock of what mlockall has locked, or may have
    FL_SITE_ARENA_GROW,        ///< mremap of a page to what may not be locked as a whole
    FL_SITE_ARENA_GUARD,       ///< madvise(MADV_GUARD_INSTALL) of a page where mlockall is to stop filling
    FL_SITE_CORE_OMIT,         ///< madvise(MADV_DONTDUMP) of an arena
    FL_SITE_CORE_SHOW,         ///< madvise(MADV_DODUMP) of a stack that runs when the process ends
    FL_SITE_CORE_HANDLER,      ///< sigaction of a signal that leaves a core file
    FL_SITE_ARENA_TABLE,       ///< mmap of an arena's table of slots
    FL_SITE_ARENA_ADVICE,      ///< madvise(MADV_NOHUGEPAGE or MADV_HUGEPAGE) of an arena
    FL_SITE_STACK_TABLE,       ///< mmap of the table of stacks
    FL_SITE_GUARD_INSTALL,     ///< madvise(MADV_GUARD_INSTALL) when a slot is made ready
    FL_SITE_GUARD_REMOVE,      ///< madvise(MADV_GUARD_REMOVE) when a slot is made ready
    FL_SITE_GROW_INSTALL,      ///< madvise(MADV_GUARD_INSTALL) of the band below a grown stack
    FL_SITE_GROW_REMOVE,       ///< madvise(MADV_GUARD_REMOVE) of the part that a stack grows into
    FL_SITE_GROW_TABLES,       ///< madvise(MADV_DONTNEED) of a former band, for the sake of huge pages
    FL_SITE_PROTECT_NONE,      ///< mprotect(PROT_NONE) of a part that a stack gives up
    FL_SITE_PROTECT_WRITE,     ///< mprotect(PROT_READ | PROT_WRITE) when a slot is made ready
    FL_SITE_GROW_PROTECT,      ///< mprotect(PROT_READ | PROT_WRITE) of the part that a stack grows into
    FL_SITE_POPULATE,          ///< madvise(MADV_POPULATE_WRITE) of a fixed stack
    FL_SITE_RELEASE,           ///< madvise(MADV_DONTNEED)
    FL_SITE_OLD_RANGE_GUARD,   ///< the guard over the range that a stack moved away from
    FL_SITE_QUARANTINE,        ///< mmap(MAP_FIXED, PROT_NONE) over a quarantined slot
    FL_SITE_USERFAULTFD,       ///< userfaultfd
    FL_SITE_UFFDIO_API,        ///< ioctl(UFFDIO_API)
    FL_SITE_UFFDIO_REGISTER,   ///< ioctl(UFFDIO_REGISTER) of an arena
    FL_SITE_UFFDIO_MOVE,       ///< ioctl(UFFDIO_MOVE)
    FL_SITE_MREMAP,            ///< mremap
    FL_SITE_GROWS_DOWN_PROBE,  ///< mmap that finds room for a `grows-down` stack
    FL_SITE_GROWS_DOWN_MAP,    ///< mmap(MAP_GROWSDOWN)
    FL_SITE_ALTERNATE_MAP,     ///< mmap of a thread's alternate stack
    FL_SITE_ALTERNATE_PROTECT, ///< mprotect of its writable parts
    FL_SITE_ALTERNATE_SET,     ///< sigaltstack
    FL_SITE_HANDLER_SET,       ///< sigaction
    FL_SITE_HIBERNATE_PROTECT, ///< mprotect without stores while a stack's words are taken down
    FL_SITE_HIBERNATE_CLOSE,   ///< mprotect without access while its pages are replaced by guards
    FL_SITE_HIBERNATE_OPEN,    ///< mprotect that gives access back
    FL_SITE_HIBERNATE_GUARD,   ///< madvise(MADV_GUARD_INSTALL) over the pages of a hibernating stack
    FL_SITE_HIBERNATE_RELEASE, ///< madvise(MADV_DONTNEED) of what a hibernated stack used below its stack pointer
    FL_SITE_RESTORE_COPY,      ///< ioctl(UFFDIO_COPY) of a page over its guard
    FL_SITE_RESTORE_UNGUARD,   ///< madvise(MADV_GUARD_REMOVE) where pages cannot be put over guards
    FL_SITE_STORE_MAP,         ///< mmap of the store of hibernated stacks, or of a large record
    FL_SITE_STORE_RELEASE,     ///< madvise(MADV_DONTNEED) of an empty slab, munmap of a large record
    FL_SITE_HIBERNATE_MASK,    ///< pthread_sigmask while a stack hibernates
    FL_SITE_STACK_MEMORY,      ///< no system call: the limit of all stacks' memory
    FL_SITE_POOL_TRIM,         ///< madvise(MADV_DONTNEED) of a pooled stack that was not needed for a while
    FL_SITE_IDLE_RESIDENT,     ///< open or read of /proc/self/statm
    FL_SITE_SHRINK_RELEASE,    ///< madvise(MADV_DONTNEED) of what a suspended stack left below its stack pointer
    FL_SITE_SHRINK_GUARD,      ///< madvise(MADV_GUARD_INSTALL) or mprotect(PROT_NONE) where its guard comes up again
    FL_SITE_SHRINK_MASK,       ///< pthread_sigmask while a stack moves to a smaller slot
    FL_SITE_WORDS_THREAD,      ///< pthread_create of the thread that looks for the words of a switch
    FL_SITE_WORDS_MASK,        ///< pthread_sigmask of that thread
    FL_SITE_SIGNAL_MASK,       ///< pthread_sigmask of a thread that enters a stack
    FL_SITE_THREAD_BOUNDS,     ///< pthread_getattr_np of a thread whose own stack is asked for
    FL_SITE_INITIALIZE_THREAD, ///< pthread_create of the thread that initializes for one with little stack left
    FL_SITE_ANNOUNCE,          ///< no system call: what a sanitizer can hold of stacks, or of calls on one
    FL_SITE_COUNT,
} fl_site;

/// The name of a site for messages, for instance "uffdio-move". Signal context: callable.
const char *fl_site_name(fl_site site);

/// Lets the system call at `site` fail with `error` (an errno value), once `after` calls have passed; `error` 0 ends
/// it.
/// Signal context: forbidden.
void fl_debug_fail(fl_site site, int error, uint32_t after);

/// How many calls `site` has made since the process started. Signal context: callable.
uint64_t fl_debug_calls(fl_site site);

/// Adds up, while it is on, the time that the shim's system calls on memory take, two readings of the clock included.
/// Signal context: callable.
void fl_debug_time_calls(bool on);

/// Nanoseconds that were added up since the process started. Signal context: callable.
uint64_t fl_debug_time_in_calls(void);

/// Whether the first frames of stacks that are made, or taken from this thread's pool, from now on begin at staggered
/// cache lines, as they do at first. Signal context: forbidden.
void fl_debug_stagger(bool on);

/// Whether threads are looked at when they enter a stack (fl_thread_enter), as they are at first. Off, other code may
/// put a handler in front that calls this library's, and an entry makes no system call. Signal context: callable.
void fl_debug_look(bool on);

/// Provokes moves of this thread's running `fault-move` stack every `microseconds` until called with 0. With
/// `anywhere` false the timer only guards the pages just below the stack pointer, so that the next store that reaches
/// them moves the stack: a growth point. With `anywhere` true it moves the stack at the interrupted instruction, which
/// is unsound by design (docs/HAZARDS.md). Returns 0 or an errno value. Signal context: forbidden.
int fl_debug_provoke_moves(uint32_t microseconds, bool anywhere);

#pragma clang assume_nonnull end
#endif
