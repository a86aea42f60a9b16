// fl_contained_return: where the outermost no-abandon frame of an overflowing coroutine returns to. The results in the
// registers belong to frames that are given up. An exception that is thrown there ends here, too
// (fl_contained_personality).
#if defined(__x86_64__)
    .section fl_text, "ax", @progbits

    .globl fl_contained_return
    .hidden fl_contained_return
    .hidden fl_contained_personality
    .type fl_contained_return, @function
    .p2align 4
    .cfi_startproc
    // DW_EH_PE_pcrel | DW_EH_PE_sdata4
    .cfi_personality 0x1b, fl_contained_personality
    .cfi_undefined %rip
    nop // unwinders look up the address before a return address
fl_contained_return:
    // Right below the outermost frame there is room: no frame is needed any more.
    movq fl_current_fiber@gottpoff(%rip), %rax
    movq %fs:(%rax), %rax
    movq 24(%rax), %rsp
    callq fl_contained_finish
    ud2
    .cfi_endproc
    .size fl_contained_return, . - fl_contained_return
#endif
    .section .note.GNU-stack, "", @progbits
