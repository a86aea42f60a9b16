/// Goes down a stack and works at the bottom: what a growth costs, what calls cost beside it, and how deep a stack is.
///
/// The input is six words: levels to go down, the operation at the bottom, its count, and for a descent that is watched
/// how many levels lie between two calls of a function, that function, and its argument. The checksum is the number of
/// calls that the operation made, or Ackermann's value. Results that are of interest even if a fault abandons the
/// frames are stored as they are known: counts[0] ticks of the first call of a loop, counts[1] of the others, counts[2]
/// the greatest depth.
#include "kernel.h"

enum operation { CALLS, LOOP, ACKERMANN, RUNAWAY, WATCHED };
enum { LEVELS, OPERATION, COUNT, INTERVAL, WATCHER, ARGUMENT, WORDS };

// What the compiler may neither remove nor move a call across.
#define KEPT(value) __asm__ volatile("" : "+r"(value) : : "memory")
// The same for all of a local array.
#define KEPT_ROOM(room) __asm__ volatile("" : : "r"(room) : "memory")

// Calls itself so that there are exactly `count` calls: little work in each, at most 64 deep.
static __attribute__((noinline)) uint64_t tree(uint64_t count) {
    uint64_t left = (count - 1) / 2, right = count - 1 - left, made = 1;
    if (left) made += tree(left);
    KEPT(made);
    if (right) made += tree(right);
    KEPT(made);
    return made;
}

// A frame of 1 KiB whose far end is used: here the stack grows.
static __attribute__((noinline)) uint64_t on_new_room(uint64_t count) {
    volatile uint64_t room[128];
    KEPT_ROOM(room);
    room[0] = count;
    return tree(room[0]);
}

static __attribute__((noinline)) uint64_t leaf(uint64_t number) {
    volatile uint64_t room[64];
    KEPT_ROOM(room);
    room[0] = number;
    return room[0];
}

static __attribute__((noinline)) uint64_t loop(uint64_t count, fl_workload_outcome *outcome) {
    uint64_t made = 0, began = __builtin_ia32_rdtsc();
    made += leaf(1);
    uint64_t second = __builtin_ia32_rdtsc();
    outcome->counts[0] = second - began;
    for (uint64_t i = 1; i < count; i++) made += leaf(1);
    outcome->counts[1] = __builtin_ia32_rdtsc() - second;
    return made;
}

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n, uint64_t depth, uint64_t *deepest) {
    if (depth > *deepest) *deepest = depth;
    if (m == 0) return n + 1;
    uint64_t inner = n == 0 ? 1 : ackermann(m, n - 1, depth + 1, deepest);
    KEPT(inner);
    uint64_t value = ackermann(m - 1, inner, depth + 1, deepest);
    KEPT(value);
    return value;
}

// Ends at the end of the stack.
static __attribute__((noinline)) uint64_t runaway(uint64_t depth, uint64_t *deepest) {
    *deepest = depth;
    if (depth == UINT64_MAX) return 0;
    uint64_t value = runaway(depth + 1, deepest);
    KEPT(value);
    return value;
}

static uint64_t work(uint64_t operation, uint64_t count, fl_workload_outcome *outcome) {
    switch ((enum operation)operation) {
    case CALLS: return on_new_room(count);
    case LOOP: return loop(count, outcome);
    case ACKERMANN:
        // The two arguments in one word.
        return ackermann(count >> 32, count & 0xffffffff, 1, &outcome->counts[2]);
    case RUNAWAY: return runaway(1, &outcome->counts[2]);
    case WATCHED: break;
    }
    return 0;
}

static __attribute__((noinline)) uint64_t descend(uint64_t levels, const uint64_t *words,
                                                  fl_workload_outcome *outcome) {
    volatile uint64_t room[8];
    KEPT_ROOM(room);
    room[0] = levels;
    uint64_t value = levels == 0 ? work(words[OPERATION], words[COUNT], outcome) : descend(room[0] - 1, words, outcome);
    KEPT(value);
    return value;
}

// Calls the watcher on the way down and on the way back, but not before it has gone down once as far as that.
static void look(uint64_t depth, const uint64_t *words) {
    if (depth && depth % words[INTERVAL] == 0) {
        ((void (*)(void *))(uintptr_t)words[WATCHER])((void *)(uintptr_t)words[ARGUMENT]);
    }
}

static __attribute__((noinline)) uint64_t descend_watched(uint64_t depth, const uint64_t *words) {
    volatile uint64_t room[8];
    KEPT_ROOM(room);
    room[0] = depth;
    look(depth, words);
    uint64_t made = depth < words[COUNT] ? descend_watched(room[0] + 1, words) : 0;
    KEPT(made);
    look(room[0], words);
    return made + (depth ? 1 : 0);
}

uint64_t fl_descent_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    const uint64_t *words = (const uint64_t *)(const void *)input;
    (void)parameter;
    if (length < WORDS * sizeof(uint64_t)) {
        fl_outcome_fail(outcome, "descent: the input is six words");
        return 0;
    }
    if (words[OPERATION] == WATCHED) return descend_watched(0, words);
    return descend(words[LEVELS], words, outcome);
}
