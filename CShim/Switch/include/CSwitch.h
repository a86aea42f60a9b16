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
///  - words of the thread that belong to the code that runs on it (fl_thread_word) are exchanged with the coroutine's
///    at a switch. While all of them are null here and there, which is the usual case, nothing is stored;
///  - a coroutine that was started stays on its thread, because compilers keep the thread pointer and the address of
///    errno in registers across the switch.
#ifndef FAULTLINE_CSWITCH_H
#define FAULTLINE_CSWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Where a stack continues. The first two words are a frame record, as a function with a frame pointer has one: what
/// follows frame pointers (Swift's backtracer, perf) goes through it to the resumer.
typedef struct fl_context {
    void *_Nullable bp; ///< frame pointer, offset 0
    void *_Nullable ip; ///< next instruction, offset 8
    void *_Nullable sp; ///< stack pointer, offset 16
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

/// Words of a thread that belong to the code that runs on it. But for the limit, the compilers' runtimes keep them in
/// the thread's static TLS at places that they do not publish: thread_words.c of the shim finds them.
typedef enum __attribute__((enum_extensibility(closed))) fl_thread_word : uint32_t {
    FL_WORD_LIMIT = 0,   ///< what checked code compares the stack pointer with
    FL_WORD_ACCESSES,    ///< Swift: head of the exclusivity access set
    FL_WORD_CAUGHT,      ///< C++: exceptions that are being handled
    FL_WORD_UNCAUGHT,    ///< C++: how many are on their way
    FL_WORD_TASK,        ///< Swift: the current task. A coroutine has none: it may be resumed by any
    FL_WORD_TASK_LOCALS, ///< Swift: values bound outside a task
    FL_WORDS,
} fl_thread_word;

/// The outermost frame of a coroutine, fl_fiber_entry's own: it moves and hibernates with the stack that it stands on,
/// so that of a suspended coroutine is touched only once the coroutine is awake. The switch uses its first words.
typedef struct fl_outermost_frame {
    fl_context resumer;                       ///< 0: where the resumer continues
    struct fl_fiber *_Nullable resumer_fiber; ///< 24: null: a thread's own stack resumed it
    void *_Nullable argument;                 ///< 32: what `body` is given
    void (*_Nullable body)(void *_Nullable);  ///< 40: what the first resume calls
    uintptr_t words[FL_WORDS];                ///< 48: the other side's: the coroutine's own while it is suspended
    uint32_t mxcsr;                           ///< 96: the other side's likewise, where `keeps_fp_control`
    uint16_t x87_control;                     ///< 100
    uint16_t cancelled_suspensions;           ///< 102: the library's: how often it went on after its cancellation
    union {
        void *_Nullable announcement; ///< 104: what a sanitizer was told (sanitizers.c of the shim)
        uint64_t pool_window;         ///< likewise without one: when the stack was taken (pool.c)
        struct {
            uint32_t taken, nested; ///< or that, in other units, and what calls on further stacks took since
        } pool_use;
    };
} fl_outermost_frame;

enum {
    /// Bytes above the outermost frame for what the library keeps per coroutine, so that it needs no allocation of its
    /// own. With the frame three cache lines.
    FL_MAILBOX_SIZE = 80,
};

_Static_assert(offsetof(fl_outermost_frame, resumer) == 0, "the entry uses this offset, and its unwind table");
_Static_assert(offsetof(fl_outermost_frame, argument) == 32, "the entry uses this offset");
_Static_assert(offsetof(fl_outermost_frame, body) == 40, "the entry uses this offset");
_Static_assert(sizeof(fl_outermost_frame) % 16 == 0, "the entry's call needs an aligned stack pointer");

/// The part of a coroutine that a switch touches and that stays while its stack hibernates.
typedef struct fl_fiber {
    fl_context own;                      ///< 0: where the suspended coroutine continues
    fl_outermost_frame *_Nullable frame; ///< 24: on its stack, wherever that is now
    uint64_t thread;                     ///< 32: fl_thread_id of the thread that started it, 0: not started
    fl_fiber_state state;                ///< 40
    uint8_t keeps_fp_control;            ///< 44: exchange MXCSR and the x87 control word at each switch
    uint8_t is_cancelled;                ///< 45: the library's: the body is to end
    uint8_t has_words;                   ///< 46: not all of the frame's words are null
    uint8_t is_never_plain; ///< 47: its code is checked, the threads' words lie elsewhere, or fl_announcer is set
} fl_fiber;

_Static_assert(offsetof(fl_fiber, own) == 0, "both sides of a switch find the fiber by the address of `own`");
_Static_assert(offsetof(fl_fiber, frame) == 24, "contained_return.S of the shim uses it");
_Static_assert(offsetof(fl_fiber, state) == 40, "FL_SWITCH_STORING uses it");
_Static_assert(offsetof(fl_fiber, keeps_fp_control) == 44 && offsetof(fl_fiber, is_never_plain) == 47,
               "the state and all flags are read as one word, the flags as its upper half");
_Static_assert(sizeof(fl_fiber) == 48, "each suspended coroutine pays for it");

/// The coroutine that runs on this thread, null on a thread's own stack. Initial-exec: a read is one instruction and
/// cannot allocate, so the fault handler may use it.
extern __thread fl_fiber *_Nullable fl_current_fiber __attribute__((tls_model("initial-exec")));

/// Offsets of the words from the thread pointer, the same on every thread; of a word of this library that stays null
/// where one was not found. The uncaught count follows the caught exceptions. Written once, before the first coroutine
/// is created.
extern struct fl_thread_offsets {
    int32_t accesses, exceptions, task, task_locals;
} fl_thread_offsets;

/// Where Swift's three words lie if its runtime is in shared libraries that were loaded one after the other. Elsewhere
/// no coroutine is plain (fl_resume_plain), and each switch goes the slower way, out of line.
enum { FL_TASK_LOCALS_AFTER_TASK = 16, FL_ACCESSES_AFTER_TASK = 24 };

/// What stands for words that were not found.
extern __thread uintptr_t fl_no_words[4] __attribute__((tls_model("initial-exec")));

/// Tells a sanitizer or valgrind of a switch, before and after it on the resumer's side (sanitizers.c of the shim);
/// null where there is none. Written once, before the first stack is made.
extern void (*_Nullable fl_announcer)(fl_fiber *fiber);

/// Copies the values that Swift's TaskLocal has bound for the code that runs now. `*copied` is what a coroutine that
/// starts with them has for FL_WORD_TASK_LOCALS; null where none is bound. Returns 0 or an errno value.
/// Signal context: forbidden.
extern int fl_bindings_copy(uintptr_t *copied);

/// Lets a coroutine that has not started begin with copied bindings. Signal context: forbidden.
extern void fl_bindings_give(fl_fiber *fiber, uintptr_t copied);

/// Binds copied values for the code that runs now on a thread without a task, and returns what was bound, to be put
/// back. Signal context: forbidden.
extern uintptr_t fl_bindings_exchange(uintptr_t copied);

/// Ends the bindings of a coroutine that will not run any more. Signal context: forbidden.
extern void fl_bindings_release(uintptr_t copied);

/// The latest binding, null where there is none. Signal context: forbidden.
extern uintptr_t fl_bindings_head(void);

/// Ends the bindings that are later than `head`. Signal context: forbidden.
extern void fl_bindings_restore(uintptr_t head);

/// Entry of every new coroutine (src/): calls `body(argument)`, then goes back to the resumer for good.
extern void fl_fiber_entry(void) __attribute__((visibility("hidden")));

/// What the entry calls when the body has returned: marks the running fiber finished, exchanges its words, and returns
/// it.
extern fl_fiber *fl_fiber_ended(void) __attribute__((visibility("hidden")));

/// Signal context: callable.
static inline __attribute__((always_inline)) void *fl_thread_pointer(void) { return __builtin_thread_pointer(); }

/// What identifies this thread: a number that no other thread of the process ever has, unlike its thread pointer, which
/// the next thread gets. 0 until the thread is prepared for coroutines (fl_thread_prepare).
extern __thread uint64_t fl_this_thread_id __attribute__((tls_model("initial-exec")));

/// Signal context: callable.
static inline __attribute__((always_inline)) uint64_t fl_thread_id(void) { return fl_this_thread_id; }

/// The same while the thread has no limit, else 0: what is resumed from checked code is never plain.
extern __thread uint64_t fl_unlimited_thread_id __attribute__((tls_model("initial-exec")));

/// Sets it, after the thread's identity or its limit has changed. Signal context: forbidden.
extern void fl_thread_note_limit(void);

/// Signal context: callable.
static inline __attribute__((always_inline)) uint64_t fl_plain_thread_id(void) { return fl_unlimited_thread_id; }

#if defined(__x86_64__)

#define FL_THREAD_WORD(offset) (*(uintptr_t __seg_fs *)(intptr_t)(offset))
/// The same where the address is no multiple of 8.
typedef uintptr_t fl_halves __attribute__((aligned(1), may_alias));
#define FL_THREAD_HALVES(offset) (*(fl_halves __seg_fs *)(intptr_t)(offset))
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

#define FL_SWITCH               \
    "leaq 1f(%%rip), %%rax\n\t" \
    "movq %%rbp, 0(%%rdi)\n\t"  \
    "movq %%rax, 8(%%rdi)\n\t"  \
    "movq %%rsp, 16(%%rdi)\n\t" \
    "movq 16(%%rsi), %%rsp\n\t" \
    "movq 0(%%rsi), %%rbp\n\t"  \
    "jmpq *8(%%rsi)\n"          \
    "1:"
#define FL_SWITCH_CLOBBERS "rcx", FL_SWITCH_CLOBBERS_BUT_RCX
#define FL_SWITCH_CLOBBERS_BUT_RCX                                                                                     \
    "rax", "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",        \
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "mm0", "mm1",    \
        "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", \
        "cc", "memory" FL_CLOBBER_AVX512

/// Continues `to` and remembers in `from` where to come back. The instructions write only `from`: rsi is `to` at
/// arrival, which is all that fl_fiber_entry relies on. Every other register is the compiler's to save.
///
/// The result comes in registers. Code that finds the coroutine through it does not wait for its own frame, whose
/// address is just being loaded: that shortens the chain of dependent loads from one resume to the next by half.
static inline __attribute__((always_inline)) fl_switched fl_switch(fl_context *from, const fl_context *to) {
    __asm__ volatile(FL_SWITCH : "+D"(from), "+S"(to) : : "rdx", FL_SWITCH_CLOBBERS);
    return (fl_switched){.from = from, .to = to};
}

/// The same, storing the coroutine's status as the switch begins. Earlier, an overflow where the compiler saves
/// registers would leave a coroutine that only seems to run. `side` is the register that has the coroutine's context;
/// the usual status is a constant, which takes no register.
#define FL_SWITCH_STORING(side, usual)                                        \
    do {                                                                      \
        if (__builtin_constant_p(status) && status == (usual)) {              \
            __asm__ volatile("movq %[constant], 40(%%" side ")\n\t" FL_SWITCH \
                             : "+D"(from), "+S"(to)                           \
                             : [constant] "i"(usual)                          \
                             : "rdx", FL_SWITCH_CLOBBERS);                    \
        } else {                                                              \
            __asm__ volatile("movq %%rdx, 40(%%" side ")\n\t" FL_SWITCH       \
                             : "+D"(from), "+S"(to), "+d"(status)             \
                             :                                                \
                             : FL_SWITCH_CLOBBERS);                           \
        }                                                                     \
    } while (0)

/// From a resumer to the coroutine of `to`.
static inline __attribute__((always_inline)) fl_switched fl_switch_to(fl_context *from, const fl_context *to,
                                                                      uint64_t status) {
    FL_SWITCH_STORING("rsi", FL_FIBER_RUNNING);
    return (fl_switched){.from = from, .to = to};
}

/// From the coroutine of `from` back to its resumer.
static inline __attribute__((always_inline)) fl_switched fl_switch_from(fl_context *from, const fl_context *to,
                                                                        uint64_t status) {
    FL_SWITCH_STORING("rdi", FL_FIBER_SUSPENDED);
    return (fl_switched){.from = from, .to = to};
}

/// From one coroutine to another: both statuses are stored.
static inline __attribute__((always_inline)) fl_switched fl_switch_over(fl_context *from, const fl_context *to,
                                                                        uint64_t from_status, uint64_t to_status) {
    __asm__ volatile("movq %%rdx, 40(%%rdi)\n\tmovq %%rcx, 40(%%rsi)\n\t" FL_SWITCH
                     : "+D"(from), "+S"(to), "+d"(from_status), "+c"(to_status)
                     :
                     : FL_SWITCH_CLOBBERS_BUT_RCX);
    return (fl_switched){.from = from, .to = to};
}

/// Whether the code that runs now has certainly bound no values: it runs no task, and has bound none outside one. False
/// before the words were found. Signal context: callable.
static inline __attribute__((always_inline)) bool fl_has_no_bindings(void) {
    struct fl_thread_offsets offsets = fl_thread_offsets;
    return (FL_THREAD_WORD(offsets.task) | FL_THREAD_WORD(offsets.task_locals)) == 0;
}

/// Whether a word of this thread is not null, but for the limit, where they lie as plain coroutines have them: bits of
/// them, all in one. One load has bits of both words about exceptions. What it has of the first, an address, tells it
/// from null, because nothing stands in the lowest 64 KiB (vm.mmap_min_addr). Signal context: callable.
static inline __attribute__((always_inline)) uintptr_t fl_plain_words(void) {
    intptr_t exceptions = fl_thread_offsets.exceptions, task = fl_thread_offsets.task;
    return FL_THREAD_HALVES(exceptions + 2) | FL_THREAD_WORD(task) | FL_THREAD_WORD(task + FL_TASK_LOCALS_AFTER_TASK) |
           FL_THREAD_WORD(task + FL_ACCESSES_AFTER_TASK);
}

/// The same with the limit, as code that is no plain coroutine's may have set one. Signal context: callable.
static inline __attribute__((always_inline)) bool fl_has_words_or_limit(void) {
    return (fl_plain_words() | FL_THREAD_WORD(FL_LIMIT_OFFSET)) != 0;
}

/// Whether any word of this thread is not null, wherever they lie. Signal context: callable.
static inline __attribute__((always_inline)) bool fl_has_thread_words(void) {
    struct fl_thread_offsets offsets = fl_thread_offsets;
    return (FL_THREAD_WORD(FL_LIMIT_OFFSET) | FL_THREAD_WORD(offsets.accesses) | FL_THREAD_WORD(offsets.exceptions) |
            FL_THREAD_WORD(offsets.exceptions + 8) | FL_THREAD_WORD(offsets.task) |
            FL_THREAD_WORD(offsets.task_locals)) != 0;
}

#else
#error "Faultline runs on x86-64; HACKING.md says what another processor needs"
#endif

/// Exchanges the words of this thread with those in the fiber's frame, and the floating-point control words where the
/// coroutine has its own, if there is anything to exchange: before a switch, on the stack that is left. Out of line:
/// seldom needed. Signal context: forbidden.
extern void fl_exchange_if_needed(fl_fiber *fiber);

/// Uses 2 KiB of the running stack, or 16, so that it grows or overflows here, and not in what follows: an exchange of
/// words, or a system call that fills a variable. Signal context: callable.
extern void fl_reach_down(void);
extern void fl_reach_down_far(void);

/// The body of every coroutine that has a mailbox: lets that run the coroutine's own (call.c). Signal context:
/// forbidden.
extern void fl_run_mailbox(void *_Nullable mailbox);

/// What a mailbox begins with: a Swift function that escapes (MailboxHeader), as its two words.
struct fl_mailbox_header {
    void (*function)(void);
    void *_Nullable context; ///< null where the function was specialized
};

/// Whether something is left to be released when a mailbox ends. Signal context: callable.
static inline bool fl_mailbox_has_context(const void *mailbox) {
    return ((const struct fl_mailbox_header *)mailbox)->context != NULL;
}

/// Ends what a mailbox holds but for its header. Signal context: forbidden.
extern void fl_end_mailbox(fl_fiber *fiber, void *mailbox);

/// Whether the fiber runs a closure for a caller that waits (call.c). Signal context: forbidden.
extern bool fl_fiber_runs_closure(const fl_fiber *fiber);

/// The latest stack of this thread's pool if it is one that the caller means by this number, else null: then
/// fl_stack_create of the shim has to work it out. Signal context: forbidden.
extern fl_fiber *_Nullable fl_fiber_create_again(uint64_t number);

/// The same, entered by this thread, if that takes no further look. Signal context: forbidden.
extern fl_fiber *_Nullable fl_fiber_start_again(uint64_t number);

/// Gives a finished, faulted or never started coroutine's stack back: to the pool, or into quarantine when it faulted
/// (create.c of the shim). Signal context: forbidden.
extern void fl_fiber_destroy(fl_fiber *fiber);

/// Lets a coroutine that has not started belong to this thread, if the thread may enter a stack without a further look
/// (enter.c of the shim). Signal context: forbidden.
extern bool fl_fiber_bind_at_once(fl_fiber *fiber);

/// Gives a coroutine that has not started the words of this thread for its own, but for the limit.
/// Signal context: forbidden.
extern void fl_lend_words(fl_fiber *fiber);

/// The state and, above it, the flags: what is usual is found by one comparison. Both are stored together, because a
/// load that covers more than the latest store waits until that has reached the cache. Signal context: callable.
static inline __attribute__((always_inline)) uint64_t fl_fiber_status(const fl_fiber *fiber) {
    uint64_t status;
    __builtin_memcpy(&status, &fiber->state, sizeof status);
    return status;
}

/// Stores both. Volatile: a compiler that knows that the flags stay would store the state alone.
/// Signal context: callable.
static inline __attribute__((always_inline)) void fl_fiber_set_status(fl_fiber *fiber, uint64_t status) {
    typedef volatile uint64_t __attribute__((may_alias)) fl_status;
    *(fl_status *)(void *)&fiber->state = status;
}

/// What a switch comes back with, in registers. The frame may have moved meanwhile.
typedef struct fl_resumed {
    fl_fiber *fiber;
    fl_outermost_frame *frame;
} fl_resumed;

// After each of the next three the caller notes which fiber runs (fl_fiber_note_running): a resumer the one that ran
// before, a coroutine the one it comes back as. It does so where all its ways to switch join: a compiler that inlines
// two switches in a row then has the word in a register for the second. Until then the stack may not grow: nothing goes
// deeper than what was called for the switch.

/// Continues the coroutine: the switch of a resumer without the exchange of words.
static inline __attribute__((always_inline)) fl_resumed fl_enter(fl_fiber *fiber, fl_outermost_frame *frame,
                                                                 uint64_t status) {
    frame->resumer_fiber = fl_current_fiber;
    // Only this coroutine, or one it hands over to, switches back to its resumer, and `own` is its first member.
    fiber = (fl_fiber *)(void *)fl_switch_to(&frame->resumer, &fiber->own, status).from;
    return (fl_resumed){.fiber = fiber, .frame = fiber->frame};
}

/// Returns to the resumer: the switch of a coroutine without the exchange of words.
static inline __attribute__((always_inline)) fl_resumed fl_leave(fl_fiber *fiber, const fl_outermost_frame *frame,
                                                                 uint64_t status) {
    fiber = (fl_fiber *)(void *)fl_switch_from(&fiber->own, &frame->resumer, status).to;
    return (fl_resumed){.fiber = fiber, .frame = fiber->frame};
}

/// Continues `to` in the place of `from`, whose resumer becomes its resumer: the switch of a coroutine that hands over,
/// without the exchange of words.
static inline __attribute__((always_inline)) fl_resumed fl_hand_over(fl_fiber *from, const fl_outermost_frame *mine,
                                                                     fl_fiber *to, uint64_t from_status,
                                                                     uint64_t to_status) {
    fl_outermost_frame *theirs = to->frame;
    // Both of the resumer's fields at once.
    __builtin_memcpy(theirs, mine, offsetof(fl_outermost_frame, argument));
    from = (fl_fiber *)(void *)fl_switch_over(&from->own, &to->own, from_status, to_status).to;
    return (fl_resumed){.fiber = from, .frame = from->frame};
}

// These three note by themselves which fiber runs.

/// Runs the coroutine until it suspends, finishes or faults. The caller has checked that it may be resumed on this
/// thread. Signal context: forbidden.
extern fl_resumed fl_resume(fl_fiber *fiber);

/// Goes back to the resumer; returns at the next resume. Runs on the coroutine's own stack. Signal context: forbidden.
extern fl_resumed fl_suspend(fl_fiber *fiber);

/// Hands over to another coroutine, which may be resumed on this thread; returns at the next resume, or when another
/// hands over to this one. Runs on the coroutine's own stack. Signal context: forbidden.
extern fl_resumed fl_transfer(fl_fiber *fiber, fl_fiber *to);

// The same, inlined, for a plain coroutine: one without flags, whose status is FL_FIBER_SUSPENDED or
// FL_FIBER_RUNNING. Here the caller notes which fiber runs. Words are exchanged by the side that leaves. A round trip
// is bound by its loads and stores, so nothing is stored that is null on both sides, and what the caller has loaded is
// handed in.

/// The caller has compared the fiber's thread with fl_plain_thread_id. Signal context: forbidden.
static inline fl_resumed fl_resume_plain(fl_fiber *fiber, fl_outermost_frame *frame) {
    if (__builtin_expect(fl_plain_words() != 0, 0)) return fl_resume(fiber);
    return fl_enter(fiber, frame, FL_FIBER_RUNNING);
}

/// Signal context: forbidden.
static inline fl_resumed fl_suspend_plain(fl_fiber *fiber, fl_outermost_frame *frame) {
    if (__builtin_expect(fl_plain_words() != 0, 0)) return fl_suspend(fiber);
    return fl_leave(fiber, frame, FL_FIBER_SUSPENDED);
}

/// The caller has compared the other fiber's thread with fl_plain_thread_id. Signal context: forbidden.
static inline fl_resumed fl_transfer_plain(fl_fiber *fiber, const fl_outermost_frame *frame, fl_fiber *to) {
    if (__builtin_expect(fl_plain_words() != 0, 0)) return fl_transfer(fiber, to);
    return fl_hand_over(fiber, frame, to, FL_FIBER_SUSPENDED, FL_FIBER_RUNNING);
}

/// A thread's own stack, all zero until it is asked for. Signal context: callable.
extern __thread struct fl_own_stack {
    uintptr_t low, size;
} fl_own_stack __attribute__((tls_model("initial-exec")));

/// What fl_space_left finds where it is not a thread's own stack that runs and was found before (space.c of the shim).
/// Signal context: forbidden.
extern uintptr_t fl_space_find(uintptr_t sp);

/// What follows a fiber in its stack, for fl_space_left: fl_stack.h asserts that.
typedef struct fl_fiber_extent {
    fl_fiber fiber;
    uintptr_t base, low;
    uintptr_t other;
    uint64_t sizes; ///< in pages; the maximum has bits 21 to 41
    uint32_t index;
    uint8_t strategy; ///< its lower half
} fl_fiber_extent;

/// Bytes between the stack pointer and the end of the running stack: a stack's maximum, whether it has grown that far
/// or not, what is usable now where only checked code makes it grow, or the end of the thread's own. 0 where that is
/// not known, for instance on an alternate signal stack or one that other code made, and beyond the maximum. Signal
/// context: forbidden.
static inline __attribute__((always_inline)) uintptr_t fl_space_left(void) {
    enum { FIRST_CHECKED = 5, PAGE_SHIFT = 12 };
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    const fl_fiber_extent *running = (const fl_fiber_extent *)(const void *)fl_current_fiber;
    if (running && __builtin_expect((running->strategy & 15) < FIRST_CHECKED, 1)) {
        uintptr_t size = (running->sizes >> 21 & ((1 << 21) - 1)) << PAGE_SHIFT;
        uintptr_t left = sp - (running->base - size);
        return left < size ? left : 0;
    }
    uintptr_t left = sp - fl_own_stack.low;
    return !running && __builtin_expect(left < fl_own_stack.size, 1) ? left : fl_space_find(sp);
}

/// The coroutine that runs on this thread. Signal context: callable.
static inline __attribute__((always_inline)) fl_fiber *_Nullable fl_fiber_running(void) { return fl_current_fiber; }

/// Notes which coroutine runs on this thread: for code that has switched by itself or by one of the inlined switches,
/// on either side before it does anything else. Signal context: forbidden.
static inline __attribute__((always_inline)) void fl_fiber_note_running(fl_fiber *_Nullable fiber) {
    fl_current_fiber = fiber;
}

#pragma clang assume_nonnull end
#endif
