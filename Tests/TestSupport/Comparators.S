// Comparators that a library calls: with and without a frame pointer, with and without an unwind table. Each calls the
// hook and returns what it returns.
#if defined(__x86_64__)
    .text

    .globl ts_comparator_bare
    .type ts_comparator_bare, @function
    .p2align 4
ts_comparator_bare:
    subq $40, %rsp
    callq *ts_comparator_hook(%rip)
    addq $40, %rsp
    retq
    .size ts_comparator_bare, . - ts_comparator_bare

    .globl ts_comparator_framed
    .type ts_comparator_framed, @function
    .p2align 4
ts_comparator_framed:
    pushq %rbp
    movq %rsp, %rbp
    subq $32, %rsp
    callq *ts_comparator_hook(%rip)
    leave
    retq
    .size ts_comparator_framed, . - ts_comparator_framed

    .globl ts_comparator_described
    .type ts_comparator_described, @function
    .p2align 4
ts_comparator_described:
    .cfi_startproc
    subq $40, %rsp
    .cfi_adjust_cfa_offset 40
    callq *ts_comparator_hook(%rip)
    addq $40, %rsp
    .cfi_adjust_cfa_offset -40
    retq
    .cfi_endproc
    .size ts_comparator_described, . - ts_comparator_described

    .data
    .p2align 3
    .globl ts_comparator_hook
    .type ts_comparator_hook, @object
ts_comparator_hook:
    .quad 0
    .size ts_comparator_hook, 8
#endif
    .section .note.GNU-stack, "", @progbits
