// What this kernel offers, found out without the shim, whose own probing is tested.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "TestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <sys/auxv.h>
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

bool ts_offers_wrgsbase(void) { return getauxval(AT_HWCAP2) & 2; } // HWCAP2_FSGSBASE

int ts_drop_lock_capability(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data)) return errno;
    for (int set = 0; set < 2; set++) {
        if (set != CAP_TO_INDEX(CAP_IPC_LOCK)) continue;
        data[set].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
        data[set].permitted &= ~CAP_TO_MASK(CAP_IPC_LOCK);
    }
    return syscall(SYS_capset, &header, data) ? errno : 0;
}
