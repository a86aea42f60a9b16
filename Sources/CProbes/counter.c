/// The processor's own count of instructions, where the kernel and the machine let a process read it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CProbes.h"

int fl_counter_open(void) {
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    // This thread, on any processor.
    long descriptor = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int fl_counter_read(int descriptor, uint64_t *count) {
    ssize_t size;
    do size = read(descriptor, count, sizeof *count);
    while (size < 0 && errno == EINTR);
    if (size == (ssize_t)sizeof *count) return 0;
    return size < 0 ? errno : EIO;
}

void fl_counter_close(int descriptor) { close(descriptor); }
