// The words that the switch shares with the rest of the shim, and the part of it that is seldom needed.
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#include "CSwitch.h"

__thread fl_fiber *_Nullable fl_current_fiber __attribute__((tls_model("initial-exec")));
__thread uint64_t fl_this_thread_id __attribute__((tls_model("initial-exec")));
__thread uint64_t fl_unlimited_thread_id __attribute__((tls_model("initial-exec")));
__thread uintptr_t fl_no_words[4] __attribute__((tls_model("initial-exec")));
struct fl_thread_offsets fl_thread_offsets;
void (*_Nullable fl_announcer)(fl_fiber *fiber);

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

// Signal context: callable.
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

void fl_thread_note_limit(void) { fl_unlimited_thread_id = FL_THREAD_WORD(FL_LIMIT_OFFSET) ? 0 : fl_this_thread_id; }

// To the compiler the whole array is written, so it has all of it; inlined, it would be part of the caller's frame.
__attribute__((noinline)) void fl_reach_down(void) {
    char room[2 << 10];
    __asm__ volatile("movb $0, %0" : "=m"(room));
}

__attribute__((noinline)) void fl_reach_down_far(void) {
    char room[16 << 10];
    __asm__ volatile("" : "=m"(room));
    for (size_t at = sizeof room; at > 0; at -= 4096) __asm__ volatile("movb $0, %0" : "=m"(room[at - 4096]));
}

// Runs on the stack that is about to be left, which does not overflow once anything is exchanged.
static __attribute__((noinline)) void exchange(fl_fiber *fiber) {
    fl_reach_down();
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
    fl_thread_note_limit();
    if (fiber->keeps_fp_control) exchange_fp_control(frame);
}

void fl_exchange_if_needed(fl_fiber *fiber) {
    if (fiber->has_words || fiber->keeps_fp_control || fl_has_thread_words()) exchange(fiber);
}

static uint64_t status(const fl_fiber *fiber, fl_fiber_state state) {
    return fl_fiber_status(fiber) >> 32 << 32 | state;
}

static __attribute__((noinline)) fl_fiber *end_otherwise(fl_fiber *fiber) {
    fl_fiber_set_status(fiber, status(fiber, FL_FIBER_FINISHED));
    fl_exchange_if_needed(fiber);
    return fiber;
}

fl_fiber *fl_fiber_ended(void) {
    fl_fiber *fiber = fl_current_fiber;
    if (fl_fiber_status(fiber) != FL_FIBER_RUNNING || fl_has_words_or_limit()) return end_otherwise(fiber);
    fl_fiber_set_status(fiber, FL_FIBER_FINISHED);
    return fiber;
}

// No sanitizer may follow it from one stack to the other.
fl_resumed fl_resume(fl_fiber *fiber) {
    // ThreadSanitizer's calls and its allocator's are deep.
    if (fl_announcer) fl_reach_down_far();
    fl_exchange_if_needed(fiber);
    if (fl_announcer) fl_announcer(fiber);
    fl_fiber *running = fl_current_fiber;
    fl_resumed resumed = fl_enter(fiber, fiber->frame, status(fiber, FL_FIBER_RUNNING));
    fl_current_fiber = running;
    if (fl_announcer) fl_announcer(resumed.fiber);
    return resumed;
}

fl_resumed fl_suspend(fl_fiber *fiber) {
    fl_exchange_if_needed(fiber);
    fl_resumed resumed = fl_leave(fiber, fiber->frame, status(fiber, FL_FIBER_SUSPENDED));
    fl_current_fiber = resumed.fiber;
    return resumed;
}

fl_resumed fl_transfer(fl_fiber *fiber, fl_fiber *to) {
    if (fl_announcer) fl_reach_down_far();
    // The thread has the resumer's words in between.
    fl_exchange_if_needed(fiber);
    fl_exchange_if_needed(to);
    if (fl_announcer) {
        fl_announcer(fiber);
        fl_announcer(to);
    }
    fl_resumed resumed =
        fl_hand_over(fiber, fiber->frame, to, status(fiber, FL_FIBER_SUSPENDED), status(to, FL_FIBER_RUNNING));
    fl_current_fiber = resumed.fiber;
    return resumed;
}

void fl_lend_words(fl_fiber *fiber) {
    for (uint32_t word = FL_WORD_LIMIT + 1; word < FL_WORDS; word++) {
        fiber->frame->words[word] = FL_THREAD_WORD(offset_of((fl_thread_word)word));
    }
    fiber->has_words = true;
}

#pragma clang attribute pop
