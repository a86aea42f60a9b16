// The address space of arenas. Nothing here knows slots.
//
// An arena is reserved without access and then opened. With guard pages it is one writable mapping; with PROT_NONE it
// is not accessible but for the usable parts (slot.c). A slot in quarantine is closed: a mapping of its own without
// access. Opening it again takes the same steps as opening the arena did, the one that gives access last, after which
// the kernel joins the mapping to its neighbours.
//
// No stack is locked by mlockall: the kernel would fill the whole arena at once. A lock that comes later is undone
// where it is in the way (fl_slot_advise), and before that stops filling at a guard in the first page of each mapping.
#include "shim_code.h"

#include "arena_memory.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "capabilities.h"
#include "system.h"

#define GIB ((uintptr_t)1 << 30)
enum {
    RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
    PLACES = 64, // tried, each 1 GiB below the last
};

// More than is needed, and the rest given back. Signal context: callable.
static int reserve_and_trim(fl_site site, uintptr_t length, uintptr_t alignment, uintptr_t *low) {
    void *mapped = NULL;
    int error = fl_system_map(site, &mapped, length + alignment, PROT_NONE, RESERVED);
    if (error) return error;
    uintptr_t start = (uintptr_t)mapped, aligned = (start + alignment - 1) & ~(alignment - 1), end = aligned + length;
    // A refused trim leaves address space reserved and unused: harmless, and nothing to undo.
    if (aligned > start) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, start, aligned - start);
    if (start + alignment > aligned) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, end, start + length + alignment - end);
    *low = aligned;
    return 0;
}

// EEXIST: something stands there. ENOTSUP: an address is but a hint here. `begun`: of these bytes a mapping is made,
// which grows to `length`. Signal context: callable.
static int reserve_at(fl_site site, uintptr_t low, uintptr_t length, uintptr_t begun) {
    void *mapped = (void *)low;
    int error = fl_system_map(site, &mapped, begun, PROT_NONE, RESERVED | MAP_FIXED_NOREPLACE);
    if (error) return error;
    if ((uintptr_t)mapped != low) error = ENOTSUP; // valgrind, and kernels before 4.17
    if (!error && begun < length) {
        error = fl_system_unlock(FL_SITE_ARENA_UNLOCK, low, begun);
        if (!error) error = fl_system_grow(FL_SITE_ARENA_GROW, low, begun, length);
    }
    if (error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)mapped, begun);
    return error;
}

static _Atomic(uintptr_t) lowest_grown;

// Where mlockall(MCL_FUTURE) is in force, the kernel locks each new mapping, fills what is writable, and refuses
// (EAGAIN) what exceeds RLIMIT_MEMLOCK. What has no access it cannot fill; a page is within that limit, and once it is
// unlocked it grows without a question. Signal context: callable.
static int reserve(fl_site site, uintptr_t length, uintptr_t alignment, uintptr_t *low) {
    void *found = NULL;
    uintptr_t begun = length;
    int error = fl_system_map(site, &found, begun, PROT_NONE, RESERVED);
    if (error == EAGAIN) error = fl_system_map(site, &found, begun = FL_PAGE, PROT_NONE, RESERVED);
    if (error) return error;
    *low = (uintptr_t)found & ~(alignment - 1);
    if (*low == (uintptr_t)found && begun == length) return 0;
    // The kernel fills its addresses from the top: right below the place it found there is room, as a rule. Where
    // another thread is faster, or something stands there, further down.
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)found, begun);
    uintptr_t step = alignment;
    if (begun < length) {
        // A page is found a place without regard to what it will grow to: below the last that grew there is room.
        uintptr_t last = atomic_load_explicit(&lowest_grown, memory_order_relaxed);
        *low = ((last ? last : (uintptr_t)found) - length) & ~(alignment - 1);
        step = fl_maximum(alignment, length & ~(alignment - 1));
    }
    for (int attempt = 0; attempt < PLACES && *low > step; attempt++, *low -= step) {
        error = reserve_at(site, *low, length, begun);
        if (!error && begun < length) atomic_store_explicit(&lowest_grown, *low, memory_order_relaxed);
        if (error == ENOTSUP) break;
        // ENOMEM: a page did not grow, since there was no room for it.
        if (error != EEXIST && !(error == ENOMEM && begun < length)) return error;
    }
    return begun == length ? reserve_and_trim(site, length, alignment, low) : error;
}

fl_failure fl_arena_reserve(uintptr_t length, uintptr_t *low) {
    int error = reserve(FL_SITE_ARENA_MAP, length, GIB, low);
    return error ? fl_failure_at(FL_SITE_ARENA_MAP, error) : fl_failure_none();
}

int fl_memory_map(fl_site site, uintptr_t length, void **address) {
    uintptr_t low;
    int error = reserve(site, length, FL_PAGE, &low);
    if (error) return error;
    error = fl_system_unlock(FL_SITE_ARENA_UNLOCK, low, length);
    if (!error) error = fl_system_protect(site, low, length, PROT_READ | PROT_WRITE);
    if (error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, length);
    *address = (void *)low;
    return error;
}

void fl_arena_guard_page(uintptr_t low) {
    (void)fl_system_advise_retrying(FL_SITE_ARENA_GUARD, low, low + FL_PAGE, MADV_GUARD_INSTALL);
}

void fl_arena_omit(uintptr_t low, uintptr_t length) {
    (void)fl_system_advise(FL_SITE_CORE_OMIT, low, length, MADV_DONTDUMP); // refused, a core file takes long
}

// Registration for write-protection alone is enough for UFFDIO_MOVE and leaves demand paging to the kernel.
// Signal context: callable.
static bool register_for_moves(uintptr_t low, size_t length) {
    int descriptor = fl_userfaultfd();
    if (descriptor < 0) return false;
    struct uffdio_register request = {.range = {.start = low, .len = length}, .mode = UFFDIO_REGISTER_MODE_WP};
    int error = fl_system_ioctl(FL_SITE_UFFDIO_REGISTER, descriptor, UFFDIO_REGISTER, &request);
    (void)fl_userfaultfd_is_lost(error);
    return error == 0;
}

fl_failure fl_arena_open(uintptr_t low, uintptr_t length, fl_arena_kind kind, bool *registered) {
    int error = fl_system_unlock(FL_SITE_ARENA_UNLOCK, low, length);
    if (error) return fl_failure_at(FL_SITE_ARENA_UNLOCK, error);
    // Small stacks must not be backed by 2 MiB pages. EINVAL: a kernel without huge pages, where there is no danger.
    (void)fl_system_advise(FL_SITE_ARENA_ADVICE, low, length, kind.is_deep ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    fl_arena_omit(low, length);
    // A refusal costs nothing but that mover: the ioctl fails later and the next one in the chain is taken.
    *registered = kind.is_moved && register_for_moves(low, length);
    error = kind.is_writable ? fl_system_protect(FL_SITE_ARENA_OPEN, low, length, PROT_READ | PROT_WRITE) : 0;
    return error ? fl_failure_at(FL_SITE_ARENA_OPEN, error) : fl_failure_none();
}

int fl_arena_close(uintptr_t low, uintptr_t length) {
    void *address = (void *)low;
    return fl_system_map(FL_SITE_QUARANTINE, &address, length, PROT_NONE, RESERVED | MAP_FIXED);
}

#pragma clang attribute pop
