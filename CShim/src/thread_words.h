/// Where the words are that a switch exchanges.
#ifndef FAULTLINE_INTERNAL_THREAD_WORDS_H
#define FAULTLINE_INTERNAL_THREAD_WORDS_H

#include "CSwitch.h"

/// Finds them and notes which were found (fl_capabilities). Once, before the first stack. Signal context: forbidden.
void fl_thread_words_find(void);

#endif
