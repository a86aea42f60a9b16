// What this kernel offers, probed once. The userfaultfd lives in a page that a fork wipes: in a child the descriptor
// would still act on the parent's memory, so there it must not be found.
#include "shim_code.h"

#include "capabilities.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "system.h"

#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16) // Linux 6.8
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

static fl_capabilities capabilities;
static int *descriptor_page; // descriptor + 1; 0 after a fork

const fl_capabilities *fl_capabilities_get(void) { return &capabilities; }

bool fl_userfaultfd_is_lost(int error) {
    // What the kernel refuses a userfaultfd; any other answer is another file's.
    if (error == 0 || error == ENOMEM || error == EAGAIN || error == EINTR || error == EPERM || error == EBUSY)
        return false;
    if (descriptor_page) *descriptor_page = 0;
    return true;
}

int fl_userfaultfd(void) { return descriptor_page ? *descriptor_page - 1 : -1; }

// The beginning of a file of the kernel, as a string; empty where it cannot be read.
static void read_text(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, size - 1);
    if (file >= 0) close(file);
    text[length > 0 ? length : 0] = 0;
}

static uint64_t read_number(const char *path, uint64_t otherwise) {
    char text[32];
    read_text(path, text, sizeof text);
    return text[0] ? strtoull(text, NULL, 10) : otherwise;
}

static void probe_mappings(void) {
    void *page = NULL;
    if (fl_system_map(FL_SITE_ARENA_MAP, &page, FL_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE))
        return;
    uintptr_t low = (uintptr_t)page;
    (void)fl_system_unlock(FL_SITE_ARENA_UNLOCK, low, FL_PAGE);
    capabilities.guard_install = fl_system_advise(FL_SITE_GUARD_INSTALL, low, FL_PAGE, MADV_GUARD_INSTALL) == 0 &&
                                 fl_system_advise(FL_SITE_GUARD_REMOVE, low, FL_PAGE, MADV_GUARD_REMOVE) == 0;
    capabilities.populate_write = fl_system_advise(FL_SITE_POPULATE, low, FL_PAGE, MADV_POPULATE_WRITE) == 0;
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, FL_PAGE);
}

// Whether a guarded page can be replaced in one step, as hibernation does it.
static bool restores_atomically(int descriptor) {
    static const uintptr_t content[FL_PAGE / FL_WORD] = {1};
    void *page = NULL;
    if (fl_system_map(FL_SITE_ARENA_MAP, &page, FL_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE))
        return false;
    uintptr_t low = (uintptr_t)page;
    (void)fl_system_unlock(FL_SITE_ARENA_UNLOCK, low, FL_PAGE);
    struct uffdio_range range = {.start = low, .len = FL_PAGE};
    struct uffdio_register request = {.range = range, .mode = UFFDIO_REGISTER_MODE_WP};
    struct uffdio_copy copy = {.dst = low, .src = (uintptr_t)content, .len = FL_PAGE};
    *(volatile uintptr_t *)page = 2;
    bool works = fl_system_ioctl(FL_SITE_UFFDIO_REGISTER, descriptor, UFFDIO_REGISTER, &request) == 0 &&
                 fl_system_advise(FL_SITE_HIBERNATE_GUARD, low, FL_PAGE, MADV_GUARD_INSTALL) == 0 &&
                 fl_system_ioctl(FL_SITE_RESTORE_COPY, descriptor, UFFDIO_COPY, &copy) == 0 &&
                 *(volatile uintptr_t *)page == 1;
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, FL_PAGE);
    return works;
}

static void open_userfaultfd(void) {
    int descriptor;
    if (fl_system_userfaultfd(FL_SITE_USERFAULTFD, &descriptor)) return;
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_MOVE};
    void *page = NULL;
    if (fl_system_ioctl(FL_SITE_UFFDIO_API, descriptor, UFFDIO_API, &api) == 0 &&
        fl_system_map(FL_SITE_ARENA_MAP, &page, FL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS) == 0) {
        if (fl_system_advise(FL_SITE_ARENA_ADVICE, (uintptr_t)page, FL_PAGE, MADV_WIPEONFORK) == 0) {
            descriptor_page = page;
            *descriptor_page = descriptor + 1;
            capabilities.uffdio_move = true;
            capabilities.restores_atomically = capabilities.guard_install && restores_atomically(descriptor);
            return;
        }
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)page, FL_PAGE);
    }
    close(descriptor);
}

int fl_capabilities_probe(void) {
    capabilities.page_size = (size_t)sysconf(_SC_PAGESIZE);
    capabilities.overcommit_mode = (int32_t)read_number("/proc/sys/vm/overcommit_memory", (uint64_t)-1);
    capabilities.max_map_count = read_number("/proc/sys/vm/max_map_count", 0);
    capabilities.nil_extent = fl_maximum(FL_PAGE, read_number("/proc/sys/vm/mmap_min_addr", FL_PAGE));
    capabilities.signal_frame_size = fl_maximum(2048, getauxval(51 /* AT_MINSIGSTKSZ */));
    if (capabilities.page_size != FL_PAGE) return ENOTSUP;
    probe_mappings();
    if (!descriptor_page) open_userfaultfd();
    return 0;
}

void fl_capabilities_set_unwinds(bool unwinds) { capabilities.unwinds = unwinds; }
void fl_capabilities_set_thread_words(bool accesses, bool exceptions, bool task_locals) {
    capabilities.finds_access_set = accesses;
    capabilities.finds_exceptions = exceptions;
    capabilities.finds_task_locals = task_locals;
}

// MARK: limits

// The bytes behind a name such as "VmSize:", 0 where it is not there.
static uint64_t field(const char *text, const char *name) {
    const char *found = strstr(text, name);
    return found ? strtoull(found + strlen(name), NULL, 10) << 10 : 0;
}

static uint64_t less(uint64_t limit, uint64_t used) { return used < limit ? limit - used : 0; }

static uint64_t left_of(__rlimit_resource_t resource, uint64_t used) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return less(limit.rlim_cur, used);
}

static uint64_t count_mappings(void) {
    char text[4096];
    uint64_t lines = 0;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    for (ssize_t length; (length = read(file, text, sizeof text)) > 0;) {
        for (ssize_t at = 0; at < length; at++) lines += text[at] == '\n';
    }
    close(file);
    return lines;
}

fl_room_left fl_room_look(void) {
    char text[4096];
    fl_room_left left = {.commit = UINT64_MAX, .mappings = UINT64_MAX};
    read_text("/proc/self/status", text, sizeof text);
    left.address_space = left_of(RLIMIT_AS, field(text, "VmSize:"));
    left.data = left_of(RLIMIT_DATA, field(text, "VmData:"));
    if (read_number("/proc/sys/vm/overcommit_memory", 0) == 2) {
        read_text("/proc/meminfo", text, sizeof text);
        uint64_t limit = field(text, "CommitLimit:");
        if (limit) left.commit = less(limit, field(text, "Committed_AS:"));
    }
    uint64_t allowed = read_number("/proc/sys/vm/max_map_count", 0);
    if (allowed) left.mappings = less(allowed, count_mappings());
    return left;
}

#pragma clang attribute pop
