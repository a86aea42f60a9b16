// fl_morestack: what the prologue of checked code calls when its check fails.
//
//     void fl_morestack(void)     r10 = size of the frame that is entered, r11 = bytes of its arguments on the stack
//
// On entry     rsp + 0    return address into the cold path, which reads: ret; jmp body
//              rsp + 8    return address of the function that was entered
//              rsp + 16   its arguments on the stack
// Frame        rbp + 0    the caller's rbp          rbp - 8   the save area (rbp - 8 is unused but keeps rsp aligned)
// Save area    fl_morestack_frame (morestack.h), 704 bytes, at a multiple of 64
//
// It keeps every register. A stack that moved continues behind the `ret`, on the moved stack: the save area moved with
// it. With segments the body is called on the new one and returns here; then the `ret` of the cold path is next.
#if defined(__x86_64__)
    // Not in the section fl_text: its frames separate the segments of a stack and hold nothing, so they may be given up
    // like the user's.
    .text

    .macro SAVE_VECTORS
    movl fl_vector_width(%rip), %eax
    cmpl $1, %eax
    ja 3f
    je 2f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movaps %xmm\n, (64 * \n)(%rsp)
    .endr
    jmp 4f
2:  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovaps %ymm\n, (64 * \n)(%rsp)
    .endr
    jmp 4f
3:  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovaps %zmm\n, (64 * \n)(%rsp)
    .endr
4:
    .endm

    .macro RESTORE_VECTORS
    movl fl_vector_width(%rip), %eax
    cmpl $1, %eax
    ja 3f
    je 2f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movaps (64 * \n)(%rsp), %xmm\n
    .endr
    jmp 4f
2:  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovaps (64 * \n)(%rsp), %ymm\n
    .endr
    jmp 4f
3:  .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    vmovaps (64 * \n)(%rsp), %zmm\n
    .endr
4:
    .endm

    .macro SAVE_GENERAL
    movq %rax, 512(%rsp)
    movq %rbx, 520(%rsp)
    movq %rcx, 528(%rsp)
    movq %rdx, 536(%rsp)
    movq %rsi, 544(%rsp)
    movq %rdi, 552(%rsp)
    movq %r8, 560(%rsp)
    movq %r9, 568(%rsp)
    movq %r10, 576(%rsp)
    movq %r11, 584(%rsp)
    movq %r12, 592(%rsp)
    movq %r13, 600(%rsp)
    movq %r14, 608(%rsp)
    movq %r15, 616(%rsp)
    .endm

    .macro RESTORE_GENERAL
    movq 512(%rsp), %rax
    movq 520(%rsp), %rbx
    movq 528(%rsp), %rcx
    movq 536(%rsp), %rdx
    movq 544(%rsp), %rsi
    movq 552(%rsp), %rdi
    movq 560(%rsp), %r8
    movq 568(%rsp), %r9
    movq 592(%rsp), %r12
    movq 600(%rsp), %r13
    movq 608(%rsp), %r14
    movq 616(%rsp), %r15
    .endm

    // Continues on this thread's stack for __morestack; clobbers rax.
    .macro ONTO_THREAD_STACK
    movq fl_this_thread@gottpoff(%rip), %rax
    movq %fs:(%rax), %rax
    movq (%rax), %rsp
    .endm

    .globl fl_morestack
    .type fl_morestack, @function
    .p2align 4
fl_morestack:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    subq $720, %rsp
    andq $-64, %rsp
    SAVE_GENERAL
    movq %rbp, 624(%rsp)
    movq %rsp, %rbx
    SAVE_VECTORS
    movq %rsp, %rdi
    ONTO_THREAD_STACK
    callq fl_morestack_work
    movq %rax, %rsp
    movq 624(%rsp), %rbp
    cmpq $0, 632(%rsp)
    jne 5f
    RESTORE_VECTORS
    RESTORE_GENERAL
    movq %rbp, %rsp
    popq %rbp
    .cfi_remember_state
    .cfi_def_cfa %rsp, 8
    incq (%rsp)
    retq
    .cfi_restore_state

    // The body on its segment. r10 and r11 are free: a checked function gets no static chain.
5:  movq %rsp, -8(%rbp)
    RESTORE_VECTORS
    RESTORE_GENERAL
    movq 640(%rsp), %r10
    movq 8(%rbp), %r11
    incq %r11
    movq %r10, %rsp
    callq *%r11
    // Back, on the segment, with the results in any of the registers; the body kept rbp.
    movq -8(%rbp), %rsp
    SAVE_GENERAL
    SAVE_VECTORS
    movq %rsp, %rbx
    ONTO_THREAD_STACK
    callq fl_morestack_release
    movq %rbx, %rsp
    RESTORE_VECTORS
    RESTORE_GENERAL
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 8
    retq
    .cfi_endproc
    .size fl_morestack, . - fl_morestack
#endif
    .section .note.GNU-stack, "", @progbits
