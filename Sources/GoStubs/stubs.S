// See go_stubs.h. What the code may use: Go's internal calling convention keeps only rsp, rbp, r14, r15 and xmm15
// across a call, so that at the entry of a function all registers but its arguments are free, and at a return all but
// its results. A system call changes rax, rcx and r11. Nothing of it is known to Go's tables: a signal that arrives
// here finds an address of no function, which Go treats like code of the kernel's vDSO (no preemption, no traceback).

#if defined(__x86_64__) && defined(__linux__)

#include "threads.h"

#define SYS_WRITE 1
#define SYS_MPROTECT 10
#define SYS_MADVISE 28
#define SYS_EXIT_GROUP 231
#define MADV_GUARD_INSTALL 102 // Linux 6.13
#define MADV_GUARD_REMOVE 103
#define PROT_NONE 0
#define PROT_READ_WRITE 3
#define EINVAL 22
// struct siginfo: si_addr. struct ucontext: the stack pointer, REG_RSP of the general registers that begin at 40.
#define SI_ADDR 16
#define UC_RSP 160
// What Go's handler pushes on the stack of the goroutine, and the kernel and Go need not: a return address.
#define MARGIN 512

    .section .rodata
    .balign 16
    .globl fl_go_stub_begin
    .hidden fl_go_stub_begin
    .type fl_go_stub_begin, @object
fl_go_stub_begin:
    .ascii "faultline strip\n"
parameters:
threshold:      .quad 0
guard_size:     .quad 0
tls_offset:     .quad 0
message_length: .quad 0
pending_offset: .quad 0

install_guard:
    movl $MADV_GUARD_INSTALL, %edx
    movl $PROT_NONE, %r9d
    jmp change_guard
remove_guard:
    movl $MADV_GUARD_REMOVE, %edx
    movl $PROT_READ_WRITE, %r9d
// rax, rbx: a stack. edx: advice. r9d: protection where the kernel does not know the advice.
change_guard:
    movq %rbx, %rcx
    subq %rax, %rcx
    cmpq threshold(%rip), %rcx
    jb 2f
    movq %rax, %r8
    movq %rax, %rdi
    movq guard_size(%rip), %rsi
    movl $SYS_MADVISE, %eax
    syscall
    testq %rax, %rax
    je 1f
    cmpq $-EINVAL, %rax
    jne fail
    movq %r8, %rdi
    movq guard_size(%rip), %rsi
    movl %r9d, %edx
    movl $SYS_MPROTECT, %eax
    syscall
    testq %rax, %rax
    jne fail
1:  movq %r8, %rax
2:  ret

// A stack without its guard is never used.
fail:
    leaq failure(%rip), %rsi
    movl $failure_end - failure, %edx
    jmp end

on_thread:
    begin_thread

on_signal:
    movq tls_offset(%rip), %rdx
    movq %fs:(%rdx), %rdx
    cmpl $SIGSEGV, %eax
    je 1f
    cmpl $SIGURG, %eax
    jne on_signal_end
    // While Go's record of a thread says that a signal is under way, no other is sent. Go does not note the arrival of
    // one that finds a thread of C outside of Go.
    call note_signal
1:  testq %rdx, %rdx
    je on_signal_end
    movq (%rdx), %rsi
    movq 8(%rdx), %rdi
    subq %rsi, %rdi
    cmpq threshold(%rip), %rdi
    jb on_signal_end
    // A thread's own stack, where C runs as well, is no goroutine's, whose size is a power of two.
    leaq -1(%rdi), %r8
    testq %rdi, %r8
    jne on_signal_end
    // A program may have given it such a size.
    movq G_M(%rdx), %r8
    testq %r8, %r8
    je on_signal_end
    cmpq M_G0(%r8), %rdx
    je on_signal_end
    movq guard_size(%rip), %rdi
    leaq MARGIN(%rdi), %r8
    movq UC_RSP(%rcx), %r9
    subq %rsi, %r9
    cmpl $SIGURG, %eax
    jne 2f
    cmpq %r8, %r9
    jae on_signal_end
    // A preemption pushes a call; at the end of a stack there is no room for it. Go's handler does not preempt where it
    // sees none, and notes that the signal came, so that others follow. Above the return address it may write 24 bytes.
    subq $40, %rsp
    movq %rcx, 24(%rsp)
    movq UC_RSP(%rcx), %r9
    movq %r9, 32(%rsp)
    movq %rsi, UC_RSP(%rcx)
    call on_signal_end
    movq 24(%rsp), %rcx
    movq 32(%rsp), %r9
    movq %r9, UC_RSP(%rcx)
    addq $40, %rsp
    ret
2:  cmpq %r8, %r9
    jb overflow
    movq SI_ADDR(%rbx), %r9
    subq %rsi, %r9
    cmpq %rdi, %r9
    jae on_signal_end
overflow:
    leaq message(%rip), %rsi
    movq message_length(%rip), %rdx
end:
    movl $2, %edi
    movl $SYS_WRITE, %eax
    syscall
    movl $2, %edi
    movl $SYS_EXIT_GROUP, %eax
    syscall
    ud2

failure:
    .ascii "fatal error: a goroutine's stack cannot be guarded; with Linux before 6.13 raise vm.max_map_count\n"
failure_end:

    .balign 16
// What is Go's goes on; the jump is written behind this when it is copied.
on_signal_end:
    .skip 16, 0xcc
message:
fl_go_stub_end:
    .size fl_go_stub_begin, fl_go_stub_end - fl_go_stub_begin

    .balign 4
    .globl fl_go_stub_layout
    .hidden fl_go_stub_layout
    .type fl_go_stub_layout, @object
fl_go_stub_layout:
    .long fl_go_stub_end - fl_go_stub_begin
    .long parameters - fl_go_stub_begin
    .long parameters - fl_go_stub_begin
    .long install_guard - fl_go_stub_begin
    .long remove_guard - fl_go_stub_begin
    .long on_signal - fl_go_stub_begin
    .long on_signal_end - fl_go_stub_begin
    .long on_thread - fl_go_stub_begin
    .long on_thread_end - fl_go_stub_begin
    .size fl_go_stub_layout, 36
#else
    .section .rodata
    .globl fl_go_stub_begin
    .hidden fl_go_stub_begin
fl_go_stub_begin:
    .byte 0
    .balign 4
    .globl fl_go_stub_layout
    .hidden fl_go_stub_layout
fl_go_stub_layout:
    .zero 36
#endif

    .section .note.GNU-stack, "", %progbits
