// What this kernel offers, found out without the shim, whose own probing is tested.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "TestSupport.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

bool ts_offers_guard_pages(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    bool offers = madvise(page, 4096, 102) == 0; // MADV_GUARD_INSTALL
    munmap(page, 4096);
    return offers;
}

bool ts_offers_uffdio_move(void) {
    int descriptor = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1); // UFFD_USER_MODE_ONLY
    if (descriptor < 0) return false;
    struct uffdio_api api = {.api = UFFD_API, .features = 1 << 16}; // UFFD_FEATURE_MOVE
    bool offers = ioctl(descriptor, UFFDIO_API, &api) == 0;
    close(descriptor);
    return offers;
}
