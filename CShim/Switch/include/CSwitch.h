/// The switch: the few instructions that continue another stack.
///
/// This target is apart from the rest of the shim so that Swift code can inline it: everything here is either a
/// structure that the switch touches or a `static inline` function. Invariants:
///
///  - a context is three words, saved in the coroutine's control block or in its outermost frame, so a switch writes
///    nothing below the stack pointer and leaves the red zone alone;
///  - what only a running coroutine needs is kept in that frame and not in the control block: there it takes nothing
///    while the coroutine is suspended, because the frame's page is there anyway, and nothing but its few words
///    hibernated;
///  - everything that the switch borrows from the thread (the current coroutine, the limit that compiler-inserted
///    checks compare with, the head of Swift's exclusivity access set) is put back by the side that lent it,
///    which is the resumer;
///  - a coroutine that was started stays on its thread, because compilers keep the thread pointer and the address of
///    errno in registers across the switch.
#ifndef FAULTLINE_CSWITCH_H
#define FAULTLINE_CSWITCH_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Where a stack continues.
typedef struct fl_context {
    void *_Nullable sp; ///< stack pointer, offset 0
    void *_Nullable bp; ///< frame pointer, offset 8
    void *_Nullable ip; ///< next instruction, offset 16
} fl_context;

typedef enum __attribute__((enum_extensibility(closed))) fl_fiber_state : uint32_t {
    FL_FIBER_CREATED = 0,
    FL_FIBER_SUSPENDED = 1,
    FL_FIBER_RUNNING = 2,
    FL_FIBER_FINISHED = 3,
    /// Ended by a stack fault: its frames were abandoned.
    FL_FIBER_FAULTED = 4,
    /// Suspended, and its stack must be asked for (fl_stack_wake) before it may be resumed.
    FL_FIBER_HIBERNATED = 5,
    /// Suspended, and found so by a sweep that looks for idle ones (fl_idle.h). A resume goes the way of a hibernated
    /// one.
    FL_FIBER_IDLE = 6,
} fl_fiber_state;

/// The outermost frame of a coroutine, fl_fiber_entry's own: it moves and hibernates with the stack that it stands on,
/// so that of a suspended coroutine is touched only once the coroutine is awake. The switch uses its first cache line.
typedef struct fl_outermost_frame {
    fl_context resumer;                       ///< 0: where the resumer continues
    struct fl_fiber *_Nullable resumer_fiber; ///< 24: null: a thread's own stack resumed it
    uintptr_t limit;                          ///< 32: what checked code compares the stack pointer with, or 0
    void *_Nullable access_set;               ///< 40: its exclusivity access set while it is suspended
    uint32_t lent;                            ///< 48: FL_LENT_*, what was exchanged at the last resume
    uint16_t x87_control;                     ///< 52
    uint16_t resumer_x87_control;             ///< 54: the resumer's, while `keeps_fp_control` exchanged them
    void *_Nullable argument;                 ///< 56: what `body` is given
    void (*_Nullable body)(void *_Nullable);  ///< 64: what the first resume calls
    uintptr_t resumer_limit;                  ///< 72
    void *_Nullable resumer_access_set;       ///< 80
    uint32_t mxcsr;                           ///< 88
    uint32_t resumer_mxcsr;                   ///< 92
} fl_outermost_frame;

enum {
    FL_LENT_LIMIT = 1,
    FL_LENT_ACCESS_SET = 2,
    /// Bytes above the outermost frame for what the library keeps per coroutine, so that it needs no allocation of its
    /// own. With the frame three cache lines.
    FL_MAILBOX_SIZE = 96,
};

_Static_assert(offsetof(fl_outermost_frame, resumer) == 0, "the entry uses this offset, and its unwind table");
_Static_assert(offsetof(fl_outermost_frame, argument) == 56, "the entry uses this offset");
_Static_assert(offsetof(fl_outermost_frame, body) == 64, "the entry uses this offset");
_Static_assert(sizeof(fl_outermost_frame) % 16 == 0, "the entry's call needs an aligned stack pointer");

/// The part of a coroutine that a switch touches and that stays while its stack hibernates.
typedef struct fl_fiber {
    fl_context own;                      ///< 0: where the suspended coroutine continues
    fl_outermost_frame *_Nullable frame; ///< 24: on its stack, wherever that is now
    void *_Nullable thread;              ///< 32: thread pointer of the thread that started it
    fl_fiber_state state;                ///< 40
    uint8_t keeps_fp_control;            ///< 44: save MXCSR and the x87 control word at each switch
    uint8_t is_cancelled;                ///< 45: the library's: the body is to end
} fl_fiber;

_Static_assert(offsetof(fl_fiber, own) == 0, "both sides of a switch find the fiber by the address of `own`");
_Static_assert(offsetof(fl_fiber, state) == 40 && FL_FIBER_FINISHED == 3, "the entry uses both");
_Static_assert(sizeof(fl_fiber) == 48, "each suspended coroutine pays for it");

/// The coroutine that runs on this thread, null on a thread's own stack. Initial-exec: a read is one instruction and
/// cannot allocate, so the fault handler may use it.
extern __thread fl_fiber *_Nullable fl_current_fiber __attribute__((tls_model("initial-exec")));

/// Offset from the thread pointer of the head of Swift's exclusivity access set, or of a word of this library where it
/// was not found. Written once, before the first coroutine is created.
extern intptr_t fl_access_set_offset;

/// That word. Its offset is the same on every thread.
extern __thread void *_Nullable fl_no_access_set __attribute__((tls_model("initial-exec")));

/// Entry of every new coroutine (src/): calls `body(argument)`, then goes back to the resumer for good.
extern void fl_fiber_entry(void) __attribute__((visibility("hidden")));

/// The value that identifies this thread. Signal context: callable.
static inline __attribute__((always_inline)) void *fl_thread_pointer(void) { return __builtin_thread_pointer(); }

#if defined(__x86_64__)

#define FL_THREAD_WORD(offset) (*(void *_Nullable __seg_fs *)(offset))
/// glibc reserves this word of the thread control block for split stacks (`tcbhead_t.__private_ss`).
#define FL_LIMIT_OFFSET 0x70

#if defined(__AVX512F__)
#define FL_CLOBBER_AVX512                                                                                         \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define FL_CLOBBER_AVX512
#endif

/// The two contexts of the switch that continued this stack, which are the *other* side's operands.
typedef struct fl_switched {
    fl_context *from;     ///< what that switch saved into
    const fl_context *to; ///< what it continued
} fl_switched;

/// Continues `to` and remembers in `from` where to come back. The instructions write only `from`: rsi is `to` at
/// arrival, which is all that fl_fiber_entry relies on. Every other register is the compiler's to save.
///
/// The result comes in registers. Code that finds the coroutine through it does not wait for its own frame, whose
/// address is just being loaded: that shortens the chain of dependent loads from one resume to the next by half.
static inline __attribute__((always_inline)) fl_switched fl_switch(fl_context *from, const fl_context *to) {
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, 0(%%rdi)\n\t"
                     "movq %%rbp, 8(%%rdi)\n\t"
                     "movq %%rax, 16(%%rdi)\n\t"
                     "movq 0(%%rsi), %%rsp\n\t"
                     "movq 8(%%rsi), %%rbp\n\t"
                     "jmpq *16(%%rsi)\n"
                     "1:"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)",
                       "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory" FL_CLOBBER_AVX512);
    return (fl_switched){.from = from, .to = to};
}

static inline __attribute__((always_inline)) void fl_fp_control_read(uint32_t *mxcsr, uint16_t *x87) {
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(*mxcsr), "=m"(*x87));
}

static inline __attribute__((always_inline)) void fl_fp_control_write(uint32_t mxcsr, uint16_t x87) {
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

#else
#error "Faultline runs on x86-64; HACKING.md says what another processor needs"
#endif

/// Runs the coroutine until it suspends, finishes or faults. The caller has checked that it may be resumed on this
/// thread. Returns `fiber`, in a register. Signal context: forbidden.
///
/// A round trip is bound by its stores, so nothing is stored that is equal on both sides: the limit and the access set
/// are mostly null here and there, and what was exchanged is noted in the fiber only when something was.
static inline __attribute__((always_inline)) fl_fiber *fl_resume(fl_fiber *fiber) {
    uintptr_t limit = (uintptr_t)FL_THREAD_WORD(FL_LIMIT_OFFSET);
    intptr_t offset = fl_access_set_offset;
    void *_Nullable accesses = FL_THREAD_WORD(offset);

    fl_outermost_frame *frame = fiber->frame;
    frame->resumer_fiber = fl_current_fiber;
    fiber->state = FL_FIBER_RUNNING;
    if (__builtin_expect(fiber->keeps_fp_control, 0)) {
        fl_fp_control_read(&frame->resumer_mxcsr, &frame->resumer_x87_control);
        fl_fp_control_write(frame->mxcsr, frame->x87_control);
    }
    // A stack that moves changes its limit while it runs, so one that has a limit always notes its resumer's.
    if (__builtin_expect((limit | frame->limit) != 0, 0)) {
        frame->lent |= FL_LENT_LIMIT;
        frame->resumer_limit = limit;
        FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)frame->limit;
    }
    if (__builtin_expect(accesses != frame->access_set, 0)) {
        frame->lent |= FL_LENT_ACCESS_SET;
        frame->resumer_access_set = accesses;
        FL_THREAD_WORD(offset) = frame->access_set;
    }

    // The arriving side, fl_suspend or fl_fiber_entry, says that it runs now. Only this coroutine switches back to its
    // resumer, and `own` is its first member.
    fiber = (fl_fiber *)(void *)fl_switch(&frame->resumer, &fiber->own).from;

    offset = fl_access_set_offset;
    frame = fiber->frame; // the stack may have moved
    fl_current_fiber = frame->resumer_fiber;
    void *_Nullable left = FL_THREAD_WORD(offset);
    uint32_t lent = frame->lent;
    if (__builtin_expect((lent & FL_LENT_ACCESS_SET) != 0 || left != frame->access_set, 0)) {
        // Not lent: the resumer's set was the same as the coroutine's at the resume.
        FL_THREAD_WORD(offset) = lent & FL_LENT_ACCESS_SET ? frame->resumer_access_set : frame->access_set;
        frame->access_set = left;
    }
    if (__builtin_expect(lent != 0, 0)) {
        if (lent & FL_LENT_LIMIT) FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)frame->resumer_limit;
        frame->lent = 0;
    }
    if (__builtin_expect(fiber->keeps_fp_control, 0)) {
        fl_fp_control_read(&frame->mxcsr, &frame->x87_control);
        fl_fp_control_write(frame->resumer_mxcsr, frame->resumer_x87_control);
    }
    return fiber;
}

/// Returns to the resumer; comes back at the next fl_resume. Runs on the coroutine's own stack. Returns `fiber`, in a
/// register. Signal context: forbidden.
static inline __attribute__((always_inline)) fl_fiber *fl_suspend(fl_fiber *fiber) {
    fiber->state = FL_FIBER_SUSPENDED;
    fiber = (fl_fiber *)(void *)fl_switch(&fiber->own, &fiber->frame->resumer).to;
    // Stored here and not by the resumer, so that a compiler which inlines two suspensions in a row has the address in
    // a register for the second.
    fl_current_fiber = fiber;
    return fiber;
}

/// The coroutine that runs on this thread. Signal context: callable.
static inline __attribute__((always_inline)) fl_fiber *_Nullable fl_fiber_running(void) { return fl_current_fiber; }

#pragma clang assume_nonnull end
#endif
