// What every peer in C and C++ shares: it reads a line "operation count", performs the operation that often, and
// answers with the nanoseconds that this took and how often it was done. "version" is answered with the peer and its
// version. It ends with its input.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// An operation was done that often, in that many nanoseconds.
struct outcome {
    uint64_t nanoseconds, done;
};

struct operation {
    const char *name;
    struct outcome (*perform)(uint64_t count);
};

static inline uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline void answer_lines(const char *version, const struct operation *operations, size_t number) {
    char line[128], name[64];
    while (fgets(line, sizeof line, stdin)) {
        unsigned long count = 0;
        const struct operation *asked = NULL;
        int words = sscanf(line, "%63s %lu", name, &count);
        for (size_t i = 0; words == 2 && i < number; i++) {
            if (!strcmp(operations[i].name, name)) asked = &operations[i];
        }
        if (asked) {
            struct outcome outcome = asked->perform(count);
            printf("%lu %lu\n", outcome.nanoseconds, outcome.done);
        } else if (words == 1 && !strcmp(name, "version")) {
            puts(version);
        } else {
            puts("error: a request is: version, or an operation of this program and a count");
        }
        fflush(stdout);
    }
}
