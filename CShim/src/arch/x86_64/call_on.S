// bool fl_call_on(void *argument, bool (*function)(void *), uintptr_t top): calls `function` on the stack that ends at `top`,
// a multiple of 16.
#if defined(__x86_64__)
    .section fl_text, "ax", @progbits

    .globl fl_call_on
    .hidden fl_call_on
    .type fl_call_on, @function
    .p2align 4
fl_call_on:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdx, %rsp
    callq *%rsi
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 8
    retq
    .cfi_endproc
    .size fl_call_on, . - fl_call_on
#endif
    .section .note.GNU-stack, "", @progbits
