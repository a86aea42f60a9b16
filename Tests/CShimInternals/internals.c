#include "internals.h"

#include <sys/uio.h>
#include <unistd.h>

bool fl_is_readable(uintptr_t address) {
    char byte;
    struct iovec into = {.iov_base = &byte, .iov_len = 1}, from = {.iov_base = (void *)address, .iov_len = 1};
    return process_vm_readv(getpid(), &into, 1, &from, 1, 0) == 1;
}
