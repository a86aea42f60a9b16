// Words that many stacks hold: return addresses, code and data of images, constants. The codec writes one byte for
// each.
//
// A word is learned when stacks with two different bases hold it, until the dictionary is full. Invariants: an entry
// never changes, so that decoding needs no lock; an index is published after its word. Learning needs the lock and is
// left out where another thread has it.
#include "shim_code.h"

#include "word_dictionary.h"

enum { ENTRIES = 256, BUCKETS = 1024, SEEN = 1024, PROBES = 8 };

static _Atomic(uint64_t) entries[ENTRIES];
static _Atomic(uint16_t) buckets[BUCKETS]; // by hash: index + 1
static uint32_t known;
static atomic_flag learning = ATOMIC_FLAG_INIT;
static struct {
    uint64_t word;
    uintptr_t base;
} seen[SEEN]; // by hash: the last word, and the stack that held it

// Signal context: callable.
static uint32_t hash(uint64_t word) { return (uint32_t)((word * 0x9E3779B97F4A7C15) >> 54); }
_Static_assert(BUCKETS == 1 << (64 - 54) && SEEN == BUCKETS, "a hash is an index");

int fl_dictionary_find(uint64_t word) {
    uint32_t at = hash(word);
    for (uint32_t probe = 0; probe < PROBES; probe++, at = (at + 1) % BUCKETS) {
        uint32_t index = atomic_load_explicit(&buckets[at], memory_order_acquire);
        if (!index) return -1;
        if (atomic_load_explicit(&entries[index - 1], memory_order_relaxed) == word) return (int)index - 1;
    }
    return -1;
}

uint64_t fl_dictionary_word(uint8_t index) { return atomic_load_explicit(&entries[index], memory_order_relaxed); }

static void add(uint64_t word) {
    uint32_t at = hash(word);
    for (uint32_t probe = 0; probe < PROBES; probe++, at = (at + 1) % BUCKETS) {
        if (atomic_load_explicit(&buckets[at], memory_order_relaxed)) continue;
        atomic_store_explicit(&entries[known], word, memory_order_relaxed);
        atomic_store_explicit(&buckets[at], (uint16_t)++known, memory_order_release);
        return;
    }
}

void fl_dictionary_learn(uint64_t word, uintptr_t base) {
    if (atomic_flag_test_and_set_explicit(&learning, memory_order_acquire)) return;
    uint32_t at = hash(word);
    if (seen[at].word == word && seen[at].base != base) {
        if (known < ENTRIES && fl_dictionary_find(word) < 0) add(word);
    } else {
        seen[at].word = word;
        seen[at].base = base;
    }
    atomic_flag_clear_explicit(&learning, memory_order_release);
}

#pragma clang attribute pop
