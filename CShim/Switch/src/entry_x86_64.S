// fl_fiber_entry: the outermost frame of every coroutine on x86-64.
//
//     void fl_fiber_entry(void)      reached by a jump from fl_switch, never called
//
// On arrival   rsi = &fiber->own, which is the fiber itself (offset 0); rsp = the initial stack pointer, 16-aligned
// Frame        rsp + 0   the fiber, written when the stack was made ready
//              rsp + 8   unused
// Calls        fiber->body(fiber->argument), then marks the fiber finished (FL_FIBER_FINISHED = 3, offset 96) and
//              continues its resumer for the last time
//
// Unwinding: the caller of this frame is whoever resumed the coroutine last. Its three words stand in
// fiber->resumer (offsets 24, 32, 40), and the fiber is found at the frame's own rsp + 0, so the rules below follow
// the coroutine from one resumer to the next. `.cfi_signal_frame` tells debuggers that the stack pointer may jump to
// another stack here; without it gdb stops with "previous frame inner to this frame".
#if defined(__x86_64__)
    .text
    .globl fl_fiber_entry
    .hidden fl_fiber_entry
    .type fl_fiber_entry, @function
    .p2align 4
fl_fiber_entry:
    .cfi_startproc simple
    .cfi_signal_frame
    // CFA = *( *(rsp + 0) + 24 ), the resumer's stack pointer:
    // DW_CFA_def_cfa_expression, 6 bytes: breg7 0, deref, plus_uconst 24, deref
    .cfi_escape 0x0f, 0x06, 0x77, 0x00, 0x06, 0x23, 0x18, 0x06
    // rip is saved at *(rsp + 0) + 40: DW_CFA_expression r16, 5 bytes: breg7 0, deref, plus_uconst 40
    .cfi_escape 0x10, 0x10, 0x05, 0x77, 0x00, 0x06, 0x23, 0x28
    // rbp is saved at *(rsp + 0) + 32
    .cfi_escape 0x10, 0x06, 0x05, 0x77, 0x00, 0x06, 0x23, 0x20
    // The other registers that a callee keeps are not known here: the switch has the resumer save them itself.
    .cfi_undefined %rbx
    .cfi_undefined %r12
    .cfi_undefined %r13
    .cfi_undefined %r14
    .cfi_undefined %r15
    movq fl_current_fiber@gottpoff(%rip), %rax
    movq %rsi, %fs:(%rax)
    movq 64(%rsi), %rdi
    xorl %ebp, %ebp
    callq *56(%rsi)
    // The body has returned: the last switch, as in fl_switch, with rdi = &fiber->own for the resumer. A body that did
    // this itself and never returned would leave the processor's return stack one entry off.
    movq (%rsp), %rdi
    movl $3, 96(%rdi)
    movq 40(%rdi), %rax
    movq 32(%rdi), %rbp
    movq 24(%rdi), %rsp
    jmpq *%rax
    .cfi_endproc
    .size fl_fiber_entry, . - fl_fiber_entry
#endif
    .section .note.GNU-stack, "", @progbits
