/// What all C kernels share. Everything is static: a kernel must be complete in one translation unit.
#ifndef FAULTLINE_KERNEL_H
#define FAULTLINE_KERNEL_H

#include "fl_workload.h"

/// FNV-1a, 64 bit: offset basis and prime as published by Fowler, Noll and Vo.
#define FL_HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define FL_HASH_PRIME UINT64_C(0x00000100000001b3)

/// Adds the eight bytes of `word`, least significant first.
static inline uint64_t fl_hash_word(uint64_t hash, uint64_t word) {
    for (int index = 0; index < 8; index++) {
        hash = (hash ^ (word & 0xff)) * FL_HASH_PRIME;
        word >>= 8;
    }
    return hash;
}

/// Reports a failure; the kernel then returns 0.
static inline void fl_outcome_fail(fl_workload_outcome *outcome, const char *message) {
    size_t index = 0;
    outcome->status = 1;
    while (message[index] != 0 && index + 1 < FL_WORKLOAD_MESSAGE_SIZE) {
        outcome->message[index] = message[index];
        index++;
    }
    outcome->message[index] = 0;
}

/// Marsaglia's xorshift64 (shifts 13, 7, 17): `state` must not be 0.
static inline uint64_t fl_random_next(uint64_t *state) {
    uint64_t value = *state;
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
    return *state = value;
}

#endif
