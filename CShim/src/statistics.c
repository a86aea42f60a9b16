// Counters of the process and of each stack. The process-wide ones fill whole pages of their own.
#include "shim_code.h"

#include "statistics.h"

#include "system.h"

_Alignas(FL_PAGE) fl_counters fl_process_counters;

enum { FIRST_BUCKET_LOG2 = 6 }; // 64 ns: no trap is faster

uint64_t fl_histogram_bound(uint32_t bucket) {
    uint64_t octave = (uint64_t)1 << (FIRST_BUCKET_LOG2 + bucket / 4);
    return octave + octave / 4 * (bucket % 4 + 1);
}

// Signal context: callable.
static uint32_t bucket_of(uint64_t nanoseconds) {
    if (nanoseconds < (1u << FIRST_BUCKET_LOG2)) return 0;
    uint32_t log2 = 63u - (uint32_t)__builtin_clzll(nanoseconds);
    uint32_t bucket = (log2 - FIRST_BUCKET_LOG2) * 4 + (uint32_t)((nanoseconds >> (log2 - 2)) & 3);
    return bucket < FL_HISTOGRAM_BUCKETS ? bucket : FL_HISTOGRAM_BUCKETS - 1;
}

// Signal context: callable.
static void raise_to(uint64_t *maximum, uint64_t value) {
    uint64_t seen = __atomic_load_n(maximum, __ATOMIC_RELAXED);
    // Each failed exchange means that another thread raised it: at most as many rounds as there are threads.
    while (seen < value &&
           !__atomic_compare_exchange_n(maximum, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

// Signal context: callable.
static void add_time(fl_counters *counters, uint32_t bucket, uint64_t nanoseconds) {
    __atomic_fetch_add(&counters->handler_time[bucket], 1, __ATOMIC_RELAXED);
    raise_to(&counters->handler_max, nanoseconds);
}

void fl_statistics_time(fl_stack *stack, uint64_t nanoseconds) {
    uint32_t bucket = bucket_of(nanoseconds);
    add_time(&fl_process_counters, bucket, nanoseconds);
    if (stack) add_time(&fl_stack_details_of(stack)->counters, bucket, nanoseconds);
}

void fl_statistics_used(fl_stack *stack, uintptr_t bytes) {
    stack->touched_details = 1;
    raise_to(&fl_stack_details_of(stack)->counters.high_water, bytes);
    raise_to(&fl_process_counters.high_water, bytes);
}

// Both kinds of counter are 64- and 32-bit words one behind the other, each read by one load. Signal context: callable.
static void snapshot(const fl_counters *from, fl_counters *into) {
    const uint32_t *source = (const uint32_t *)(const void *)from;
    uint32_t *target = (uint32_t *)(void *)into;
    size_t wide = offsetof(fl_counters, handler_time) / sizeof(uint32_t);
    for (size_t i = 0; i < wide; i += 2) {
        uint64_t value = __atomic_load_n((const uint64_t *)(const void *)(source + i), __ATOMIC_RELAXED);
        memcpy(target + i, &value, sizeof value);
    }
    for (size_t i = wide; i < sizeof(fl_counters) / sizeof(uint32_t); i++) {
        target[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
    }
}

void fl_statistics_process(fl_counters *into) { snapshot(&fl_process_counters, into); }

void fl_statistics_reset(void) { memset(&fl_process_counters, 0, sizeof fl_process_counters); }

void fl_stack_counters(const fl_stack *stack, fl_counters *into) {
    if (stack->touched_details) {
        snapshot(&fl_stack_details_of(stack)->counters, into);
    } else {
        memset(into, 0, sizeof *into);
    }
    // The kernel pages these in without a trap: what is in memory tells. What an earlier use of a pooled stack left
    // counts as well.
    if (stack->base && (stack->strategy == FL_STRATEGY_DEMAND || stack->strategy == FL_STRATEGY_CHECK_FIXED)) {
        uintptr_t lowest;
        into->bytes_committed = fl_system_resident_pages(stack->low, stack->base, &lowest) * FL_PAGE;
        into->high_water = fl_maximum(into->high_water, stack->base - lowest);
    }
}

#pragma clang attribute pop
