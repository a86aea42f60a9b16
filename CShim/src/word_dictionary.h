/// Words that many stacks hold.
#ifndef FAULTLINE_INTERNAL_WORD_DICTIONARY_H
#define FAULTLINE_INTERNAL_WORD_DICTIONARY_H

#include "common.h"

#pragma clang assume_nonnull begin

/// Index of a word that is known, else -1. Signal context: callable.
int fl_dictionary_find(uint64_t word);
/// A word by its index. Signal context: callable.
uint64_t fl_dictionary_word(uint8_t index);
/// A stack with this base holds `word`. Signal context: forbidden.
void fl_dictionary_learn(uint64_t word, uintptr_t base);

#pragma clang assume_nonnull end
#endif
