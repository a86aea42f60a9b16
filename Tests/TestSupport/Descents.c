// Recursion without end, in frames of any size.
#include "TestSupport.h"

__attribute__((noinline)) void ts_descend(size_t frame) {
    volatile char local[frame];
    local[0] = local[frame - 1] = 1;
    ts_descend(frame);
    local[0] = 2;
}

#if defined(__x86_64__)
// What a compiler makes of it with split stacks: the check, the cold path, the body.
__attribute__((naked, noinline)) void ts_descend_checked(__attribute__((unused)) size_t frame) {
    __asm__("movq %rsp, %r11\n\t"
            "subq %rdi, %r11\n\t"
            "cmpq %fs:0x70, %r11\n\t"
            "ja 1f\n\t"
            "movl %edi, %r10d\n\t"
            "xorl %r11d, %r11d\n\t"
            "callq fl_morestack\n\t"
            "retq\n"
            "1: pushq %rbp\n\t"
            ".cfi_def_cfa_offset 16\n\t"
            ".cfi_offset %rbp, -16\n\t"
            "movq %rsp, %rbp\n\t"
            ".cfi_def_cfa_register %rbp\n\t"
            "subq %rdi, %rsp\n\t"
            "movq %rdi, (%rsp)\n\t"
            "callq ts_descend_checked\n\t"
            "leaveq\n\t"
            ".cfi_def_cfa %rsp, 8\n\t"
            "retq");
}
#endif
