// The address space of arenas. Nothing here knows slots.
//
// An arena is reserved without access and then opened. With guard pages it is one writable mapping; with PROT_NONE it
// is not accessible but for the usable parts (slot.c). A slot in quarantine is closed: a mapping of its own without
// access. Opening it again takes the same steps as opening the arena did, the one that gives access last, after which
// the kernel joins the mapping to its neighbours.
#include "arena_memory.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "capabilities.h"
#include "system.h"

#pragma clang section text = "fl_text"

#define GIB ((uintptr_t)1 << 30)
enum {
    RESERVED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
    PLACES = 64, // tried, each 1 GiB below the last
};

// More than is needed, and the rest given back. Signal context: callable.
static int reserve_and_trim(uintptr_t length, uintptr_t *low) {
    void *mapped = NULL;
    int error = fl_system_map(FL_SITE_ARENA_MAP, &mapped, length + GIB, PROT_NONE, RESERVED);
    if (error) return error;
    uintptr_t start = (uintptr_t)mapped, aligned = (start + GIB - 1) & ~(GIB - 1), end = aligned + length;
    // A refused trim leaves address space reserved and unused: harmless, and nothing to undo.
    if (aligned > start) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, start, aligned - start);
    if (start + GIB > aligned) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, end, start + length + GIB - end);
    *low = aligned;
    return 0;
}

// Signal context: callable.
static int reserve_at(uintptr_t low, uintptr_t length) {
    void *mapped = (void *)low;
    int error = fl_system_map(FL_SITE_ARENA_MAP, &mapped, length, PROT_NONE, RESERVED | MAP_FIXED_NOREPLACE);
    if (error || (uintptr_t)mapped == low) return error;
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)mapped, length); // valgrind takes the address for a wish
    return EEXIST;
}

fl_failure fl_arena_reserve(uintptr_t length, uintptr_t *low) {
    void *found = NULL;
    int error = fl_system_map(FL_SITE_ARENA_MAP, &found, length, PROT_NONE, RESERVED);
    if (error) return fl_failure_at(FL_SITE_ARENA_MAP, error);
    *low = (uintptr_t)found & ~(GIB - 1);
    if (*low == (uintptr_t)found) return fl_failure_none();
    // The kernel fills its addresses from the top: right below the place it found there is room, as a rule. Where
    // another thread is faster, or something stands there, further down.
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)found, length);
    error = EEXIST;
    for (int attempt = 0; attempt < PLACES && error == EEXIST && *low > GIB; attempt++, *low -= GIB) {
        error = reserve_at(*low, length);
        if (!error) return fl_failure_none();
    }
    if (error == EEXIST) error = reserve_and_trim(length, low);
    return error ? fl_failure_at(FL_SITE_ARENA_MAP, error) : fl_failure_none();
}

// Registration for write-protection alone is enough for UFFDIO_MOVE and leaves demand paging to the kernel.
// Signal context: callable.
static bool register_for_moves(uintptr_t low, size_t length) {
    int descriptor = fl_userfaultfd();
    if (descriptor < 0) return false;
    struct uffdio_register request = {.range = {.start = low, .len = length}, .mode = UFFDIO_REGISTER_MODE_WP};
    return fl_system_ioctl(FL_SITE_UFFDIO_REGISTER, descriptor, UFFDIO_REGISTER, &request) == 0;
}

fl_failure fl_arena_open(uintptr_t low, uintptr_t length, fl_arena_kind kind, bool *registered) {
    // Small stacks must not be backed by 2 MiB pages. EINVAL: a kernel without huge pages, where there is no danger.
    (void)fl_system_advise(FL_SITE_ARENA_ADVICE, low, length, kind.is_deep ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    // A refusal costs nothing but that mover: the ioctl fails later and the next one in the chain is taken.
    *registered = kind.is_moved && register_for_moves(low, length);
    int error = kind.is_writable ? fl_system_protect(FL_SITE_ARENA_OPEN, low, length, PROT_READ | PROT_WRITE) : 0;
    return error ? fl_failure_at(FL_SITE_ARENA_OPEN, error) : fl_failure_none();
}

int fl_arena_close(uintptr_t low, uintptr_t length) {
    void *address = (void *)low;
    return fl_system_map(FL_SITE_QUARANTINE, &address, length, PROT_NONE, RESERVED | MAP_FIXED);
}
