// How far the kernel has grown a mapping of the strategy `grows-down`.
//
// The addresses that it may still grow into are not reserved, or it could not: any other mapping may have come to stand
// there. An accessible one keeps a MiB of distance, the kernel's gap, but one without access may lie right below. So
// the mapping ends where a page cannot be read, and nothing below that may be touched when the stack ends.
#include "shim_code.h"

#include "grows_down.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arena_memory.h"
#include "quarantine.h"
#include "stack_memory.h"
#include "stack_table.h"
#include "system.h"

enum {
    PAGES_AT_ONCE = 64,
    GAP = 1 << 20, // the kernel's stack_guard_gap: 256 pages that nothing may be mapped in
};

// A mapping of its own, found by reserving the largest it may become. Between the unmap and the map another thread's
// mapping can take the place: then MAP_FIXED_NOREPLACE refuses, and a few more tries follow.
//
// Without MAP_NORESERVE: the kernel charges what such a mapping grows by in any case, and gives the charge back only
// for a mapping that was charged from the beginning. What others grew by would stay in Committed_AS until the machine
// restarts.
static fl_failure map(fl_stack *stack) {
    uintptr_t length = fl_stack_maximum(stack) + GAP + FL_PAGE;
    int error = 0;
    for (int attempt = 0; attempt < 8; attempt++) {
        void *probe = NULL;
        error = fl_system_map(FL_SITE_GROWS_DOWN_PROBE, &probe, length, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_PROBE, error);
        uintptr_t base = (uintptr_t)probe + length;
        // What lies below the maximum stays reserved: it ends the kernel's growth there, however much RLIMIT_STACK
        // allows.
        (void)fl_system_unmap(FL_SITE_ARENA_TRIM, base - fl_stack_maximum(stack), fl_stack_maximum(stack));
        void *address = (void *)(base - fl_stack_initial(stack));
        error = fl_system_map(FL_SITE_GROWS_DOWN_MAP, &address, fl_stack_initial(stack), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE);
        if (error) (void)fl_system_unmap(FL_SITE_ARENA_TRIM, (uintptr_t)probe, length - fl_stack_maximum(stack));
        if (error == EEXIST) continue;
        if (error) return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
        stack->base = base;
        stack->low = base - fl_stack_initial(stack);
        return fl_failure_none();
    }
    return fl_failure_at(FL_SITE_GROWS_DOWN_MAP, error);
}

fl_failure fl_grows_down_map(fl_stack *stack) {
    fl_failure failure = fl_memory_take(fl_stack_maximum(stack));
    if (failure.error) return failure;
    failure = map(stack);
    if (failure.error) fl_memory_give(fl_stack_maximum(stack));
    return failure;
}

// The lowest address that the kernel has grown the mapping to.
static uintptr_t lowest(const fl_stack *stack) {
    uintptr_t low = stack->base - fl_stack_initial(stack), end = stack->base - fl_stack_maximum(stack);
    while (low > end) {
        struct iovec from[PAGES_AT_ONCE];
        char bytes[PAGES_AT_ONCE];
        size_t count = fl_minimum(PAGES_AT_ONCE, (low - end) / FL_PAGE);
        for (size_t page = 0; page < count; page++) {
            from[page] = (struct iovec){.iov_base = (void *)(low - (page + 1) * FL_PAGE), .iov_len = 1};
        }
        struct iovec into = {.iov_base = bytes, .iov_len = count};
        // It reads as far as it can. Where it is forbidden the grown part stays mapped: a leak, and no more.
        ssize_t read = process_vm_readv(getpid(), &into, 1, from, count, 0);
        if (read <= 0) break;
        low -= (size_t)read * FL_PAGE;
        if ((size_t)read < count) break;
    }
    return low;
}

// What ends the kernel's growth; others may have mapped between it and the stack. Refused, it stays reserved.
static void unmap_gap(const fl_stack *stack) {
    uintptr_t end = stack->base - fl_stack_maximum(stack), reserved = GAP + FL_PAGE;
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, end - reserved, reserved);
}

void fl_grows_down_unmap(const fl_stack *stack) {
    uintptr_t low = lowest(stack);
    (void)fl_system_unmap(FL_SITE_ARENA_TRIM, low, stack->base - low);
    unmap_gap(stack);
    fl_memory_give(fl_stack_maximum(stack));
}

void fl_grows_down_quarantine(const fl_stack *stack) {
    uintptr_t low = lowest(stack);
    // Refused, it is what it was, but for the memory that it counts for, until its quarantine ends.
    if (fl_arena_close(low, stack->base - low) == 0) unmap_gap(stack);
    fl_quarantine_mapping(low, stack->base);
    fl_memory_give(fl_stack_maximum(stack));
}

#pragma clang attribute pop
