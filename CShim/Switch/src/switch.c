// The words that the switch shares with the rest of the shim, and the part of it that is seldom needed.
#include "CSwitch.h"

__thread fl_fiber *_Nullable fl_current_fiber __attribute__((tls_model("initial-exec")));
__thread uint64_t fl_this_thread_id __attribute__((tls_model("initial-exec")));
__thread uintptr_t fl_no_words[2] __attribute__((tls_model("initial-exec")));
struct fl_thread_offsets fl_thread_offsets;

#if defined(__x86_64__)

static void exchange_fp_control(fl_outermost_frame *frame) {
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(frame->mxcsr), "m"(frame->x87_control));
    frame->mxcsr = mxcsr;
    frame->x87_control = x87;
}

#endif

static intptr_t offset_of(fl_thread_word word) {
    switch (word) {
    case FL_WORD_LIMIT: return FL_LIMIT_OFFSET;
    case FL_WORD_ACCESSES: return fl_thread_offsets.accesses;
    case FL_WORD_CAUGHT: return fl_thread_offsets.exceptions;
    case FL_WORD_UNCAUGHT: return fl_thread_offsets.exceptions + 8;
    case FL_WORD_TASK: return fl_thread_offsets.task;
    case FL_WORD_TASK_LOCALS: return fl_thread_offsets.task_locals;
    case FL_WORDS: break;
    }
    __builtin_unreachable();
}

static inline __attribute__((always_inline)) void exchange(fl_fiber *fiber) {
    fl_outermost_frame *frame = fiber->frame;
    uintptr_t any = 0;
    for (uint32_t word = 0; word < FL_WORDS; word++) {
        intptr_t offset = offset_of((fl_thread_word)word);
        uintptr_t mine = FL_THREAD_WORD(offset);
        if (mine != frame->words[word]) {
            FL_THREAD_WORD(offset) = frame->words[word];
            frame->words[word] = mine;
        }
        any |= mine;
    }
    fiber->has_words = any != 0;
    if (fiber->keeps_fp_control) exchange_fp_control(frame);
}

// An overflow of the caller's stack may abandon this frame at its first store, before anything was exchanged, and at no
// other: `room` is more than the rest of the function needs.
void fl_exchange(fl_fiber *fiber) {
    volatile char room[256];
    room[0] = 0;
    exchange(fiber);
}

// An overflow here strikes the resumer while the thread has the coroutine's words: this frame is never abandoned.
__attribute__((section("fl_text"))) void fl_exchange_back(fl_fiber *fiber) { exchange(fiber); }

void fl_lend_words(fl_fiber *fiber) {
    for (uint32_t word = FL_WORD_LIMIT + 1; word < FL_WORDS; word++) {
        fiber->frame->words[word] = FL_THREAD_WORD(offset_of((fl_thread_word)word));
    }
    fiber->has_words = true;
}
