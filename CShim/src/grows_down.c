// How far the kernel has grown a mapping of the strategy `grows-down`.
//
// The addresses that it may still grow into are not reserved, or it could not: any other mapping may have come to stand
// there. An accessible one keeps a MiB of distance, the kernel's gap, but one without access may lie right below. So the
// mapping ends where a page cannot be read, and nothing below that may be touched when the stack ends.
#include "internal.h"

#include <sys/uio.h>
#include <unistd.h>

#pragma clang section text = "fl_text"

enum { PAGES_AT_ONCE = 64 };

uintptr_t fl_grows_down_low(const fl_stack *stack) {
    uintptr_t low = stack->base - fl_stack_initial(stack), end = stack->base - fl_stack_maximum(stack);
    while (low > end) {
        struct iovec from[PAGES_AT_ONCE];
        char bytes[PAGES_AT_ONCE];
        size_t count = fl_minimum(PAGES_AT_ONCE, (low - end) / FL_PAGE);
        for (size_t page = 0; page < count; page++) {
            from[page] = (struct iovec){.iov_base = (void *)(low - (page + 1) * FL_PAGE), .iov_len = 1};
        }
        struct iovec into = {.iov_base = bytes, .iov_len = count};
        // It reads as far as it can. Where it is forbidden the grown part stays mapped: a leak, and nobody's harm.
        ssize_t read = process_vm_readv(getpid(), &into, 1, from, count, 0);
        if (read <= 0) break;
        low -= (size_t)read * FL_PAGE;
        if ((size_t)read < count) break;
    }
    return low;
}
