/// The switch: the few instructions that continue another stack.
///
/// This target is apart from the rest of the shim so that Swift code can inline it: everything here is either a
/// structure that the switch touches or a `static inline` function. Invariants:
///
///  - a context is three words, saved in the coroutine's control block and never on a stack, so a switch writes
///    nothing below the stack pointer and leaves the red zone alone;
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
    /// Suspended, and seen so by a sweep that asks who is idle (fl_idle.h). A resume goes the way of a hibernated one.
    FL_FIBER_IDLE = 6,
} fl_fiber_state;

/// The part of a coroutine that a switch touches. Offsets are used by the entry and its unwind table.
typedef struct fl_fiber {
    fl_context own;                              ///< 0: where the suspended coroutine continues
    fl_context resumer;                          ///< 24: where its resumer continues
    struct fl_fiber *_Nullable resumer_fiber;    ///< 48: the coroutine that resumed it, null for a thread's own stack
    void (*_Nullable body)(void *_Nullable);     ///< 56: what the first resume calls
    void *_Nullable argument;                    ///< 64: what `body` is given
    uintptr_t limit;                             ///< 72: what checked code compares the stack pointer with, or 0
    void *_Nullable access_set;                  ///< 80: its exclusivity access set while it is suspended
    void *_Nullable thread;                      ///< 88: thread pointer of the thread that started it
    fl_fiber_state state;                        ///< 96
    uint32_t keeps_fp_control;                   ///< 100: save MXCSR and the x87 control word at each switch
    uint32_t mxcsr;                              ///< 104
    uint16_t x87_control;                        ///< 108
    uint16_t resumer_x87_control;                ///< 110: the resumer's, while `keeps_fp_control` exchanged them
    uint32_t resumer_mxcsr;                      ///< 112
    uint32_t lent;                               ///< 116: FL_LENT_*, what was exchanged at the last resume
    uintptr_t resumer_limit;                     ///< 120
    void *_Nullable resumer_access_set;          ///< 128
} fl_fiber;

enum { FL_LENT_LIMIT = 1, FL_LENT_ACCESS_SET = 2 };

_Static_assert(offsetof(fl_fiber, resumer) == 24, "the entry uses this offset");
_Static_assert(offsetof(fl_fiber, body) == 56, "the entry uses this offset");
_Static_assert(offsetof(fl_fiber, argument) == 64, "the entry uses this offset");
_Static_assert(offsetof(fl_fiber, state) == 96 && FL_FIBER_FINISHED == 3, "the entry uses both");

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
static inline __attribute__((always_inline)) void *fl_thread_pointer(void) {
    return __builtin_thread_pointer();
}

#if defined(__x86_64__)

#define FL_THREAD_WORD(offset) (*(void *_Nullable __seg_fs *)(offset))
/// glibc reserves this word of the thread control block for split stacks (`tcbhead_t.__private_ss`).
#define FL_LIMIT_OFFSET 0x70

#if defined(__AVX512F__)
#define FL_CLOBBER_AVX512 \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define FL_CLOBBER_AVX512
#endif

/// The two contexts of the switch that continued this stack, which are the *other* side's operands.
typedef struct fl_switched {
    fl_context *from; ///< what that switch saved into
    const fl_context *to; ///< what it continued
} fl_switched;

/// Continues `to` and remembers in `from` where to come back. The instructions write only `from`: rsi is `to` at
/// arrival, which is all that fl_fiber_entry relies on. Every other register is the compiler's to save.
///
/// The result comes in registers. Who finds the coroutine through it does not wait for its own frame, whose address is
/// just being loaded: that shortens the chain of dependent loads from one resume to the next by half.
static inline __attribute__((always_inline)) fl_switched fl_switch(fl_context *from, const fl_context *to) {
    __asm__ volatile(
        "leaq 1f(%%rip), %%rax\n\t"
        "movq %%rsp, 0(%%rdi)\n\t"
        "movq %%rbp, 8(%%rdi)\n\t"
        "movq %%rax, 16(%%rdi)\n\t"
        "movq 0(%%rsi), %%rsp\n\t"
        "movq 8(%%rsi), %%rbp\n\t"
        "jmpq *16(%%rsi)\n"
        "1:"
        : "+D"(from), "+S"(to)
        :
        : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
          "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
          "xmm15", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)", "st(2)", "st(3)", "st(4)",
          "st(5)", "st(6)", "st(7)", "cc", "memory" FL_CLOBBER_AVX512);
    return (fl_switched){.from = from, .to = to};
}

static inline __attribute__((always_inline)) void fl_fp_control_read(uint32_t *mxcsr, uint16_t *x87) {
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(*mxcsr), "=m"(*x87));
}

static inline __attribute__((always_inline)) void fl_fp_control_write(uint32_t mxcsr, uint16_t x87) {
    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

#else
#error "Faultline runs on x86-64; see docs/PORTING.md"
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

    fiber->resumer_fiber = fl_current_fiber;
    fiber->state = FL_FIBER_RUNNING;
    if (__builtin_expect(fiber->keeps_fp_control, 0)) {
        fl_fp_control_read(&fiber->resumer_mxcsr, &fiber->resumer_x87_control);
        fl_fp_control_write(fiber->mxcsr, fiber->x87_control);
    }
    // A stack that moves changes its limit while it runs, so one that has a limit always notes its resumer's.
    if (__builtin_expect((limit | fiber->limit) != 0, 0)) {
        fiber->lent |= FL_LENT_LIMIT;
        fiber->resumer_limit = limit;
        FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)fiber->limit;
    }
    if (__builtin_expect(accesses != fiber->access_set, 0)) {
        fiber->lent |= FL_LENT_ACCESS_SET;
        fiber->resumer_access_set = accesses;
        FL_THREAD_WORD(offset) = fiber->access_set;
    }

    // The arriving side, fl_suspend or fl_fiber_entry, says that it runs now. Only this coroutine switches back to its
    // resumer, and `own` is its first member.
    fiber = (fl_fiber *)(void *)fl_switch(&fiber->resumer, &fiber->own).from;

    offset = fl_access_set_offset;
    fl_current_fiber = fiber->resumer_fiber;
    void *_Nullable left = FL_THREAD_WORD(offset);
    uint32_t lent = fiber->lent;
    if (__builtin_expect((lent & FL_LENT_ACCESS_SET) != 0 || left != fiber->access_set, 0)) {
        // Not lent: the resumer's set was the same as the coroutine's at the resume.
        FL_THREAD_WORD(offset) = lent & FL_LENT_ACCESS_SET ? fiber->resumer_access_set : fiber->access_set;
        fiber->access_set = left;
    }
    if (__builtin_expect(lent != 0, 0)) {
        if (lent & FL_LENT_LIMIT) FL_THREAD_WORD(FL_LIMIT_OFFSET) = (void *)fiber->resumer_limit;
        fiber->lent = 0;
    }
    if (__builtin_expect(fiber->keeps_fp_control, 0)) {
        fl_fp_control_read(&fiber->mxcsr, &fiber->x87_control);
        fl_fp_control_write(fiber->resumer_mxcsr, fiber->resumer_x87_control);
    }
    return fiber;
}

/// Returns to the resumer; comes back at the next fl_resume. Runs on the coroutine's own stack. Returns `fiber`, in a
/// register. Signal context: forbidden.
static inline __attribute__((always_inline)) fl_fiber *fl_suspend(fl_fiber *fiber) {
    fiber->state = FL_FIBER_SUSPENDED;
    fiber = (fl_fiber *)(void *)fl_switch(&fiber->own, &fiber->resumer).to;
    // Stored here and not by the resumer, so that a compiler which inlines two suspensions in a row has the address in a
    // register for the second.
    fl_current_fiber = fiber;
    return fiber;
}

/// The coroutine that runs on this thread. Signal context: callable.
static inline __attribute__((always_inline)) fl_fiber *_Nullable fl_fiber_running(void) { return fl_current_fiber; }

/// Whether `fiber` is the coroutine that runs on this thread. Signal context: callable.
static inline __attribute__((always_inline)) _Bool fl_fiber_is_running(const fl_fiber *fiber) {
    return fl_current_fiber == fiber;
}

#pragma clang assume_nonnull end
#endif
