// What a connection does with its stack in `bench connections`: the same frames as `descend` in go/connections.go.
#include "CPeers.h"

#include <string.h>

enum { FRAME_WORDS = 32, DEPTH = 119 };

static __attribute__((noinline)) uint64_t descend(uint32_t depth, const uint64_t *outer) {
    uint64_t own[FRAME_WORDS];
    memset(own, 0, sizeof own);
    own[depth % FRAME_WORDS] = outer[(depth + 1) % FRAME_WORDS] + 1;
    // The compiler must not see which words stay zero.
    __asm__ volatile("" : : "r"(own) : "memory");
    if (depth == 0) return own[0];
    return descend(depth - 1, own) + own[1];
}

uint64_t fl_peer_use_stack(void) {
    uint64_t first[FRAME_WORDS] = {0};
    return descend(DEPTH, first);
}
