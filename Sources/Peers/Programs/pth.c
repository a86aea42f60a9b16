// GNU Pth as a baseline.
#include "protocol.h"

#include <pth.h>

struct turns {
    uint64_t taken, end;
};

static void *take_turns(void *argument) {
    struct turns *turns = argument;
    while (turns->taken < turns->end) {
        turns->taken++;
        pth_yield(NULL);
    }
    return NULL;
}

// The main thread and another yield in turn; a round trip is a turn of the other.
static struct outcome round_trips(uint64_t count) {
    struct turns turns = {0, count};
    pth_t other = pth_spawn(PTH_ATTR_DEFAULT, take_turns, &turns);
    if (!other) return (struct outcome){0, 0};
    uint64_t began = now();
    while (turns.taken < count) pth_yield(NULL);
    uint64_t took = now() - began;
    pth_join(other, NULL);
    return (struct outcome){took, turns.taken};
}

static void *count_one(void *argument) {
    ++*(uint64_t *)argument;
    return NULL;
}

static struct outcome spawn(uint64_t count) {
    uint64_t done = 0, began = now();
    for (uint64_t i = 0; i < count; i++) {
        pth_t other = pth_spawn(PTH_ATTR_DEFAULT, count_one, &done);
        if (!other) break;
        pth_join(other, NULL);
    }
    return (struct outcome){now() - began, done};
}

int main(void) {
    static const struct operation operations[] = {{"round-trip", round_trips}, {"spawn", spawn}};
    char version[64];
    if (!pth_init()) return 1;
    // 0x200207 is the seventh release of 2.0.
    long release = pth_version();
    snprintf(version, sizeof version, "pth %ld.%ld.%ld", release >> 20, release >> 12 & 0xff, release & 0xff);
    answer_lines(version, operations, sizeof operations / sizeof *operations);
    return 0;
}
