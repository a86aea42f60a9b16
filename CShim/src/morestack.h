// The save area of fl_morestack, shared with arch/x86_64/morestack.S, which writes it on the stack that must grow.
#ifndef FAULTLINE_INTERNAL_MORESTACK_H
#define FAULTLINE_INTERNAL_MORESTACK_H

#include "alternate_stack.h"

enum { FL_MORESTACK_CONTINUE = 0, FL_MORESTACK_SEGMENT = 1 };

typedef struct fl_morestack_frame {
    uint8_t vectors[8][64];       ///< 0: xmm0-7, as wide as the processor's registers
    uintptr_t rax, rbx, rcx, rdx; ///< 512
    uintptr_t rsi, rdi, r8, r9;   ///< 544
    uintptr_t frame_size;         ///< 576: r10
    uintptr_t arguments_size;     ///< 584: r11
    uintptr_t r12, r13, r14, r15; ///< 592
    uintptr_t bp;                 ///< 624: of __morestack's frame; [bp] caller's rbp, [bp + 8] into the cold path,
                                  ///<      [bp + 16] the return address of the function that was entered
    uintptr_t mode;               ///< 632
    uintptr_t segment_sp;         ///< 640: where the segment's copy of the arguments begins
    uintptr_t reserved[7];
} fl_morestack_frame;

_Static_assert(offsetof(fl_morestack_frame, rax) == 512, "morestack.S");
_Static_assert(offsetof(fl_morestack_frame, frame_size) == 576, "morestack.S");
_Static_assert(offsetof(fl_morestack_frame, r12) == 592, "morestack.S");
_Static_assert(offsetof(fl_morestack_frame, bp) == 624, "morestack.S");
_Static_assert(offsetof(fl_morestack_frame, mode) == 632, "morestack.S");
_Static_assert(offsetof(fl_morestack_frame, segment_sp) == 640, "morestack.S");
_Static_assert(sizeof(fl_morestack_frame) == 704, "morestack.S");
_Static_assert(offsetof(fl_thread, morestack_base) == 0, "morestack.S");

/// Called by fl_morestack on the thread's __morestack stack. Returns the frame, where it is now.
fl_morestack_frame *fl_morestack_work(fl_morestack_frame *frame) __attribute__((visibility("hidden")));
/// Called when the body has returned from its segment.
void fl_morestack_release(void) __attribute__((visibility("hidden")));

#endif
