// The words of a suspended stack in few bytes.
//
//     stream   | tags | payload | payload | tags | payload | payload | …       a byte of tags for each two words
//
//     tag      0        the word is zero                      (dead slots and the red zone: most of them)
//              1 … 8    this many bytes, the rest is zero
//              9        distance to the base, 2 bytes         (saved frame pointers, addresses of locals)
//              10       lower 4 bytes, the upper 4 as in the last word of more than 4 bytes   (code, objects)
//              11       index in the dictionary of words that many stacks hold                (return addresses)
//
// The stream ends with the last word that is not zero, and what is missing decodes as zeros: bases are staggered, so
// that up to 1 KiB below the base was never used. Words go from the lowest address up, so that pages can be decoded one
// after the other. Encoding reads each word once: a thread that stores meanwhile makes the stream longer or shorter,
// never malformed. Decoding never reads beyond the stream.
#include "shim_code.h"

#include "stack_codec.h"

#include "word_dictionary.h"

enum { TAG_NEAR = 9, TAG_SAME_UPPER = 10, TAG_KNOWN = 11 };

static const uint8_t payload[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 1};

// Signal context: callable.
static uint32_t tag_of(uint64_t word, uint64_t upper, uintptr_t base, int *index) {
    if (word == 0) return 0;
    if (base - word <= UINT16_MAX) return TAG_NEAR;
    uint32_t bytes = 8 - (uint32_t)__builtin_clzll(word) / 8;
    if (bytes > 2 && (*index = fl_dictionary_find(word)) >= 0) return TAG_KNOWN;
    return bytes > 4 && word >> 32 == upper ? TAG_SAME_UPPER : bytes;
}

// Also where the word is known, so that learning it changes nothing for those that follow. Signal context: callable.
static bool sets_upper(uint32_t tag, uint64_t word) {
    return (tag > 4 && tag <= 8) || (tag == TAG_KNOWN && word >> 32);
}

size_t fl_words_measure(const uintptr_t *words, size_t count, uintptr_t base) {
    uint64_t upper = 0;
    size_t length = 0, ended = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
        int index;
        uint32_t tag = tag_of(word, upper, base, &index);
        if (sets_upper(tag, word)) upper = word >> 32;
        length += payload[tag] + (i % 2 == 0);
        if (tag) ended = length;
    }
    return ended;
}

size_t fl_words_encode(const uintptr_t *words, size_t count, uintptr_t base, uint8_t *into, size_t capacity) {
    uint64_t upper = 0;
    size_t length = 0, tags = 0, ended = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
        int index = 0;
        uint32_t tag = tag_of(word, upper, base, &index);
        if (sets_upper(tag, word)) upper = word >> 32;
        size_t needed = payload[tag] + (i % 2 == 0);
        if (needed > capacity - length) {
            // Zeros at the end have no room, and need none.
            if (tag) return 0;
            continue;
        }
        if (i % 2 == 0) {
            tags = length++;
            into[tags] = (uint8_t)tag;
        } else if (tag) { // a pair of zeros at the end may have no byte of tags
            into[tags] |= (uint8_t)(tag << 4);
        }
        uint64_t value = tag == TAG_NEAR ? base - word : tag == TAG_KNOWN ? (uint64_t)index : word;
        memcpy(into + length, &value, payload[tag]);
        length += payload[tag];
        if (tag) ended = length;
        // It takes fewer bytes from now on: what was measured is enough.
        if (tag > 2 && tag != TAG_NEAR && tag != TAG_KNOWN) fl_dictionary_learn(word, base);
    }
    memset(into + ended, 0, capacity - ended);
    return ended;
}

void fl_words_decode(fl_word_stream *stream, uintptr_t *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t tag;
        if (stream->odd) {
            tag = stream->tags >> 4;
        } else {
            stream->tags = stream->at < stream->end ? *stream->at++ : 0;
            tag = stream->tags & 15;
        }
        stream->odd = !stream->odd;
        uint64_t word = 0;
        for (uint32_t byte = 0; byte < payload[tag] && stream->at < stream->end; byte++) {
            word |= (uint64_t)*stream->at++ << (8 * byte);
        }
        if (tag == TAG_NEAR) word = stream->base - word;
        if (tag == TAG_KNOWN) word = fl_dictionary_word((uint8_t)word);
        if (tag == TAG_SAME_UPPER) word |= stream->upper << 32;
        if (sets_upper(tag, word)) stream->upper = word >> 32;
        words[i] = word;
    }
}

#pragma clang attribute pop
