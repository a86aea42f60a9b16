// The roots of a moved stack: every place that may hold an address of the former range, adjusted by value.
//
// A word in memory or in a vector register is relocated when its value lies in [reach, base], one past the end
// included, whatever it means: what looks like such an address is changed too (docs/HAZARDS.md says what that implies).
// Nothing valid lies below the red zone, so nothing below it is taken for an address: a small structure stored over the
// low bytes of a dead pointer often looks like an address somewhere in the slot (seen in the Swift runtime's demangler,
// whose nodes end in padding). General registers count from the slot's end, because probes of large frames hold
// addresses further down.
#include "shim_code.h"

#include "relocation.h"

#include "alternate_stack.h"

void fl_relocate_words(fl_relocation *relocation, uintptr_t *words, size_t count) {
    uintptr_t low = relocation->reach, span = relocation->base - low, delta = relocation->delta;
    uint64_t relocated = 0;
    for (size_t i = 0; i < count; i++) {
        uintptr_t value = words[i];
        if (value - low <= span) {
            words[i] = value + delta;
            relocated++;
        }
    }
    relocation->scanned += count;
    relocation->relocated += relocated;
}

void fl_relocate_thread(fl_relocation *relocation) {
    const fl_thread *thread = fl_this_thread;
    if (!thread) return;
    fl_relocate_words(relocation, (uintptr_t *)thread->tls_low, (thread->tls_high - thread->tls_low) / FL_WORD);
}

#pragma clang attribute pop
