/// The words of a suspended stack in few bytes.
#ifndef FAULTLINE_INTERNAL_STACK_CODEC_H
#define FAULTLINE_INTERNAL_STACK_CODEC_H

#include "common.h"

#pragma clang assume_nonnull begin

/// Where decoding stands. `upper` and the tags are the codec's own.
typedef struct fl_word_stream {
    const uint8_t *at, *end;
    uintptr_t base;
    uint64_t upper;
    uint8_t tags;
    bool odd;
} fl_word_stream;

/// Bytes of the stream for `count` words of a stack with this base, at most. Signal context: callable.
size_t fl_words_measure(const uintptr_t *words, size_t count, uintptr_t base);

/// Encodes the words and teaches them to the dictionary. Returns the bytes of the stream, or 0 where they exceed
/// `capacity`. Signal context: forbidden.
size_t fl_words_encode(const uintptr_t *words, size_t count, uintptr_t base, uint8_t *into, size_t capacity);

/// The next `count` words of a stream. Signal context: callable.
void fl_words_decode(fl_word_stream *stream, uintptr_t *words, size_t count);

#pragma clang assume_nonnull end
#endif
