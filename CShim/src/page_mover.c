// Moving the pages of a stack: by the page table (UFFDIO_MOVE, mremap) or by copying. Each chain ends in copy, which
// cannot fail. A mover that stops half way leaves the rest to copy: pages it has moved are at their destination.
//
// Legal pairs: UFFDIO_MOVE needs a destination registered with the userfaultfd (the arenas of guard pages) and without
// any page-table entry, guard markers included; mremap needs nothing but splits mappings for good; copy needs nothing.
#include "shim_code.h"

#include "page_mover.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "address_space.h"
#include "capabilities.h"
#include "system.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

// From include/uapi/linux/userfaultfd.h of Linux 6.8; Debian 12's headers are older.
struct uffdio_move_request {
    uint64_t to, from, length, mode;
    int64_t moved;
};
#define UFFDIO_MOVE_REQUEST _IOWR(UFFDIO, 0x05, struct uffdio_move_request)
enum { ALLOW_SOURCE_HOLES = 2 };

// Bytes that UFFDIO_MOVE has moved, from the low end. Signal context: callable.
static size_t move_by_userfaultfd(uintptr_t from, uintptr_t to, size_t length) {
    int descriptor = fl_userfaultfd();
    if (descriptor < 0) return 0;
    size_t done = 0;
    // EAGAIN reports progress in `moved`; a few rounds without any are given up.
    for (int idle = 0; done < length && idle < 3;) {
        struct uffdio_move_request request = {
            .to = to + done, .from = from + done, .length = length - done, .mode = ALLOW_SOURCE_HOLES};
        int error = fl_system_ioctl(FL_SITE_UFFDIO_MOVE, descriptor, UFFDIO_MOVE_REQUEST, &request);
        if (error == 0) return length;
        if (error != EAGAIN) break;
        if (request.moved > 0) {
            done += (size_t)request.moved;
        } else {
            idle++;
        }
    }
    return done;
}

// Linux 6.17 and later move a range of several mappings one by one, and a refusal in the middle leaves those before it
// moved: what is empty here and reads as zeros has gone to its destination, or was never touched.
// Signal context: callable.
static void copy_what_stayed(uintptr_t from, uintptr_t to, size_t length) {
    for (size_t done = 0; done < length; done += FL_PAGE) {
        const uintptr_t *source = (const uintptr_t *)(from + done);
        unsigned char resident = 1;
        if (mincore((void *)(from + done), FL_PAGE, &resident) == 0 && !(resident & 1)) {
            size_t word = 0;
            while (word < FL_PAGE / FL_WORD && source[word] == 0) word++; // a page in swap comes back here
            if (word == FL_PAGE / FL_WORD) continue;
        }
        memcpy((void *)(to + done), source, FL_PAGE);
    }
}

// Where a stack's pages may be moved by the userfaultfd that is the fastest at any size (2 µs for up to 32 KiB).
// Elsewhere copying wins up to about 32 KiB (16 µs against 5 µs for mremap there, `faultline bench move`); mremap also
// costs mappings for good, so it must save a tenth of a millisecond before it is chosen without having been asked for.
enum { MREMAP_FROM = 256 << 10 };

// Signal context: callable.
static fl_mover automatic(uintptr_t to, size_t length) {
    fl_slot_handle handle = fl_slot_of(to);
    bool registered = handle.arena && handle.arena->guard == FL_GUARD_PAGES;
    if (registered && fl_capabilities_get()->uffdio_move) return FL_MOVER_UFFDIO_MOVE;
    return length >= MREMAP_FROM ? FL_MOVER_MREMAP : FL_MOVER_COPY;
}

fl_mover fl_pages_move(fl_mover wanted, uintptr_t from, uintptr_t to, size_t length) {
    size_t done = 0;
    if (wanted == FL_MOVER_AUTOMATIC) wanted = automatic(to, length);
    if (wanted == FL_MOVER_UFFDIO_MOVE) {
        done = move_by_userfaultfd(from, to, length);
        if (done == length) return FL_MOVER_UFFDIO_MOVE;
    } else if (wanted == FL_MOVER_MREMAP) {
        int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
        if (fl_system_mremap(FL_SITE_MREMAP, from, length, flags, to) == 0) return FL_MOVER_MREMAP;
        copy_what_stayed(from, to, length);
        return FL_MOVER_COPY;
    }
    memcpy((void *)(to + done), (const void *)(from + done), length - done);
    return FL_MOVER_COPY;
}

#pragma clang attribute pop
