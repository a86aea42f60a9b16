// libgcc's own split stacks: a call in a loop at the end of a segment. Compiled by gcc with -fsplit-stack.
//
// Reads lines "loop COUNT LEVELS" and answers with the nanoseconds of COUNT calls, made LEVELS below the depth at which
// the called function is the one that does not fit its segment (above, if LEVELS is negative). A call before them is
// not timed. Ends with its input.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ALONE __attribute__((noinline))
// What calls the C library stays on the thread's stack, which has room for it.
#define UNSPLIT __attribute__((noinline, no_split_stack))

enum { DEEPEST = 1 << 16, FAR = 8 << 10 };

// A local of which the compiler may not leave out what it sees no use for.
#define KEPT(local) __asm__ volatile("" : : "r"(local) : "memory")

struct job {
    uint64_t count;
    uint64_t nanoseconds;
    uintptr_t caller;
    uintptr_t callee;
};

UNSPLIT static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

ALONE static uint64_t leaf(uint64_t number, struct job *job) {
    volatile uint64_t room[64];
    KEPT(room);
    room[0] = number;
    job->callee = (uintptr_t)room;
    return room[0];
}

ALONE static uint64_t loop(struct job *job) {
    volatile uint64_t here = 0;
    uint64_t made = leaf(1, job);
    job->caller = (uintptr_t)&here;
    if (job->count == 0) return made;
    uint64_t began = now();
    for (uint64_t i = 0; i < job->count; i++) made += leaf(1, job);
    job->nanoseconds = now() - began;
    return made;
}

ALONE static uint64_t descend(uint64_t levels, struct job *job) {
    volatile uint64_t room[8];
    KEPT(room);
    room[0] = levels;
    uint64_t made = levels == 0 ? loop(job) : descend(room[0] - 1, job);
    __asm__ volatile("" : "+r"(made) : : "memory");
    return made;
}

// Whether the function that is called at that depth runs on another segment than its caller.
__attribute__((always_inline)) static inline int crosses(uint64_t levels) {
    struct job job = {.count = 0};
    descend(levels, &job);
    uintptr_t distance = job.caller > job.callee ? job.caller - job.callee : job.callee - job.caller;
    return distance > FAR;
}

UNSPLIT static uint64_t read_line(char *line, int size) { return fgets(line, size, stdin) != NULL; }

UNSPLIT static void answer(const char *line, uint64_t *count, int64_t *levels) {
    if (sscanf(line, "loop %lu %ld", count, levels) != 2) {
        puts("error: a request is: loop COUNT LEVELS");
        *count = 0;
    }
}

UNSPLIT static void report(uint64_t nanoseconds) {
    printf("%lu\n", nanoseconds);
    fflush(stdout);
}

UNSPLIT static void give_up(void) {
    puts("error: no segment ends within reach");
    fflush(stdout);
}

// `crosses` is inlined, so that both descents begin at the same depth.
int main(void) {
    char line[128];
    uint64_t boundary = 1;
    // Twice: after its first segment libgcc computes the end of the thread's own stack in another way.
    for (int pass = 0; pass < 2; pass++) {
        boundary = 1;
        while (boundary < DEEPEST && !crosses(boundary)) boundary++;
    }
    while (read_line(line, sizeof line)) {
        struct job job = {.count = 0};
        int64_t levels = 0;
        answer(line, &job.count, &levels);
        if (boundary == DEEPEST) {
            give_up();
            continue;
        }
        if (job.count == 0) continue;
        int64_t depth = (int64_t)boundary + levels;
        descend(depth > 0 ? (uint64_t)depth : 0, &job);
        report(job.nanoseconds);
    }
    return 0;
}
