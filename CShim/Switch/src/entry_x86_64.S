// fl_fiber_entry: the outermost frame of every coroutine on x86-64.
//
//     void fl_fiber_entry(void)      reached by a jump from fl_switch, never called
//
// On arrival   rsi = &fiber->own, which is the fiber itself (offset 0); rsp = its outermost frame, 16-aligned
// Frame        fl_outermost_frame at rsp (CSwitch.h); above it the mailbox, then nothing up to the base
// Calls        frame->body(frame->argument), as C does and as Swift does a closure (its context is in r13); then
//              fl_fiber_ended(), and continues the resumer of the fiber that this returns for the last time
//
// Unwinding: the caller of this frame is the code that resumed the coroutine last. Its three words are in
// frame->resumer, the first of the frame (offsets 0, 8, 16), so the rules below follow the coroutine from one resumer
// to the next, and wherever its stack has moved. `.cfi_signal_frame` tells debuggers that the stack pointer may jump to
// another stack here; without it gdb stops with "previous frame inner to this frame".
// The body's frame pointer leads to the first two words, which are a frame record: Swift's backtracer and perf, which
// follow frame pointers, find the resumer, too. The backtracer takes only a record at a multiple of 16.
// A C++ exception does not pass: the personality routine ends the process (forced_unwind.c of the shim).
#if defined(__x86_64__)
    .hidden fl_entry_personality
    .hidden fl_fiber_ended
    .text
    .globl fl_fiber_entry
    .hidden fl_fiber_entry
    .type fl_fiber_entry, @function
    .p2align 6
fl_fiber_entry:
    .cfi_startproc simple
    // DW_EH_PE_pcrel | DW_EH_PE_sdata4
    .cfi_personality 0x1b, fl_entry_personality
    .cfi_signal_frame
    // CFA = *(rsp + 16), the resumer's stack pointer: DW_CFA_def_cfa_expression, 3 bytes: breg7 16, deref
    .cfi_escape 0x0f, 0x03, 0x77, 0x10, 0x06
    // rip is saved at rsp + 8: DW_CFA_expression r16, 2 bytes: breg7 8
    .cfi_escape 0x10, 0x10, 0x02, 0x77, 0x08
    // rbp is saved at rsp
    .cfi_escape 0x10, 0x06, 0x02, 0x77, 0x00
    // The other registers that a callee keeps are not known here: the switch has the resumer save them itself.
    .cfi_undefined %rbx
    .cfi_undefined %r12
    .cfi_undefined %r13
    .cfi_undefined %r14
    .cfi_undefined %r15
    movq fl_current_fiber@gottpoff(%rip), %rax
    movq %rsi, %fs:(%rax)
    movq 32(%rsp), %rdi
    movq %rdi, %r13
    movq %rsp, %rbp
    callq *40(%rsp)
    callq fl_fiber_ended
    // The body has returned: the last switch, as in fl_switch, with rdi = &fiber->own for the resumer. A body that did
    // this itself and never returned would leave the processor's return stack one entry off.
    movq %rax, %rdi
    movq 8(%rsp), %rax
    movq (%rsp), %rbp
    movq 16(%rsp), %rsp
    jmpq *%rax
    .cfi_endproc
    .size fl_fiber_entry, . - fl_fiber_entry
    .p2align 6 // FL_ENTRY_BYTES of the shim
#endif
    .section .note.GNU-stack, "", @progbits
