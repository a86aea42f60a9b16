/// The address space of arenas: reserved, opened for use, closed again.
#ifndef FAULTLINE_INTERNAL_ARENA_MEMORY_H
#define FAULTLINE_INTERNAL_ARENA_MEMORY_H

#include "common.h"
#include "fl_debug.h"
#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// What distinguishes the memory of one arena from that of another.
typedef struct fl_arena_kind {
    bool is_writable; ///< as a whole: guard pages stand in it
    bool is_deep;     ///< asks for huge pages instead of refusing them
    bool is_moved;    ///< registered with the userfaultfd, where there is one
} fl_arena_kind;

/// Reserves `length` bytes at a multiple of 1 GiB, without access. Signal context: callable.
fl_failure fl_arena_reserve(uintptr_t length, uintptr_t *low);

/// Maps writable memory that the kernel does not fill before it is used. Signal context: callable.
int fl_memory_map(fl_site site, uintptr_t length, void *_Nonnull *_Nonnull address);

/// Leaves the memory out of core files (core_dump.c). Signal context: callable.
void fl_arena_omit(uintptr_t low, uintptr_t length);

/// Guards the page at `low`, where it can: an mlockall that comes later fills no more of the mapping from there on.
/// Signal context: callable.
void fl_arena_guard_page(uintptr_t low);

/// Makes reserved memory ready for slots. What was closed and is opened again becomes one mapping with its neighbours.
/// `*registered`: whether UFFDIO_MOVE works there. Signal context: callable.
fl_failure fl_arena_open(uintptr_t low, uintptr_t length, fl_arena_kind kind, bool *registered);

/// Takes memory, page tables and access away from a part of an arena. Signal context: callable.
int fl_arena_close(uintptr_t low, uintptr_t length);

#pragma clang assume_nonnull end
#endif
