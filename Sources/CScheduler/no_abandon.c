// What an overflow may not abandon. Containment lets a frame of this section return first, and what it called before
// that (HACKING.md, "No-abandon code"): the section is one for the whole executable, whichever module its parts come
// from.
#include "CScheduler.h"

#pragma clang section text = "fl_text"

// A jump to the last call would leave no frame here.
__attribute__((disable_tail_calls)) void fls_call_no_abandon(void (*body)(void *context), void *context) {
    body(context);
}
