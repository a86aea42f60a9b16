/// Where the words are that a switch exchanges.
#ifndef FAULTLINE_INTERNAL_THREAD_WORDS_H
#define FAULTLINE_INTERNAL_THREAD_WORDS_H

#include "common.h"

/// Finds them and notes which were found (fl_capabilities). Once, before the first stack. Returns 0, or an errno value
/// where they could not be looked for. Signal context: forbidden.
int fl_thread_words_find(void);

/// Whether they lie as plain coroutines have them (CSwitch.h). Signal context: callable.
bool fl_thread_words_are_plain(void);

#endif
