// What both kinds of added code do where a thread begins, and where a signal by which Go preempts arrives.
// clang-format off: it is assembly
#define SIGSEGV 11
#define SIGURG 23 // Go preempts by it
// struct g and struct m of Go's runtime: the thread of a goroutine, and the goroutine that stands for the thread's own
// stack. GoBinary looks whether the program has them there.
#define G_M 48
#define M_G0 0

    // Ends on_thread: minit. The record of a thread of C is one that others had, which may have got a signal where no
    // goroutine was known, or may have ended before. From here on, where minit has noted the new thread's number,
    // signals go to that.
    .macro begin_thread
    call on_thread_end
    movq %r14, %rdx
    // The thread of goroutine rdx, if there is one, has got its signal. Changes r8 and r9.
note_signal:
    testq %rdx, %rdx
    je 1f
    movq G_M(%rdx), %r8
    testq %r8, %r8
    je 1f
    addq pending_offset(%rip), %r8
    xorl %r9d, %r9d
    xchgl %r9d, (%r8)
1:  ret
on_thread_end:
    .skip 16, 0xcc
    .endm
