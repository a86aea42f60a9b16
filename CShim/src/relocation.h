/// The roots of a moved stack.
#ifndef FAULTLINE_INTERNAL_RELOCATION_H
#define FAULTLINE_INTERNAL_RELOCATION_H

#include "common.h"

#include <ucontext.h>

#pragma clang assume_nonnull begin

typedef struct fl_relocation {
    uintptr_t low, base; ///< former range; one past the end counts
    uintptr_t reach;     ///< words in memory count from here on: the stack pointer less the red zone, set by callers
    uintptr_t delta;     ///< to add
    uint64_t scanned, relocated;
} fl_relocation;

/// Signal context: callable.
static inline uintptr_t fl_relocate(fl_relocation *relocation, uintptr_t value) {
    if (value - relocation->low > relocation->base - relocation->low) return value;
    relocation->relocated++;
    return value + relocation->delta;
}

/// Signal context: callable.
void fl_relocate_words(fl_relocation *relocation, uintptr_t *words, size_t count);
/// General registers and the vector registers of the XSAVE area. Signal context: handler only.
void fl_relocate_context(fl_relocation *relocation, ucontext_t *context);
/// This thread's static TLS block. Signal context: callable.
void fl_relocate_thread(fl_relocation *relocation);

#pragma clang assume_nonnull end
#endif
