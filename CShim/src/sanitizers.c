// What the sanitizers and valgrind must know of coroutines, told by the interfaces that they have for it.
//
//     AddressSanitizer   the bounds of the running stack, its fake stack, and which frames are gone
//     ThreadSanitizer    which fiber runs: each has a list of its calls (the shadow stack) and a clock of its own
//     valgrind           where stacks are, so that it takes a switch for one and not for a large frame
//
// All are looked up weakly: without them a process pays nothing. Where one is present no coroutine is plain, and all is
// said by the resumer, in fl_resume: before it goes and after it is back. Between that and the switch runs nothing that
// a sanitizer has instrumented.
//
// ThreadSanitizer's list holds 65,536 calls and is not checked: the next call would write beyond it. The list's bounds
// are two words of the fiber's description, known by their distance. A page near its end is closed; the fault there is
// an overflow of the coroutine.
//
// A stack that moves is refused under either. AddressSanitizer's frames keep addresses of the stack in its fake stack,
// on the heap, where a move does not find them; ThreadSanitizer cannot be told, in a handler, whose memory the stack
// takes.
//
// No file of the shim is instrumented itself. A handler may interrupt ThreadSanitizer where it holds a lock that an
// instrumented atomic operation takes as well; it reads what other functions keep on a stack; and a call that is noted
// with one fiber would end with another. So ThreadSanitizer does not see how a slot and a control block pass from one
// thread to another: it is told.
#include "shim_code.h"

#include "sanitizers.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stack.h"
#include "system.h"

extern void __sanitizer_start_switch_fiber(void *_Nullable *_Nullable fake, const void *low, size_t size)
    __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *_Nullable fake, const void *_Nullable *_Nullable low,
                                            size_t *_Nullable size) __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *low, size_t size) __attribute__((weak));
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));
extern void *__tsan_get_current_fiber(void) __attribute__((weak));
extern void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
extern void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));

enum {
    // kShadowStackSize in compiler-rt's tsan_defs.h.
    CALLS = 65536,
    // Closed, and below the end of the list: the frames that are not abandoned make calls, too.
    CALLS_RESERVE = 4 * FL_PAGE,
    // ThreadState, of which the bounds are members, is some 3 KiB large (tsan_rtl.h).
    SEARCHED_WORDS = 384,
    // ThreadSanitizer allows 8,128 threads and fibers, but the end of some of 7,936 fibers crashed in its own code (not
    // understood).
    MAXIMUM_FIBERS = 2000,
};

struct fl_announcement {
    uintptr_t base;                  ///< of the stack at the last switch
    void *fiber, *resumer_fiber;     ///< ThreadSanitizer's
    uintptr_t calls_end;             ///< the page in its list of calls that is closed; 0: none
    void *fake_stack, *resumer_fake; ///< AddressSanitizer's, of the side that does not run
    const void *resumer_low;         ///< likewise, the bounds of the resumer's stack
    size_t resumer_size;
    uintptr_t valgrind_stack;
    bool is_entered;
};

static bool has_valgrind;
static _Atomic(uint32_t) fibers;

// MARK: valgrind

enum {
    RUNNING_ON_VALGRIND = 0x1001,
    STACK_REGISTER = 0x1501,
    STACK_DEREGISTER = 0x1502,
    STACK_CHANGE = 0x1503,
    MAKE_MEMORY_UNDEFINED = 0x4d430001, // memcheck.h: of memcheck alone, anything else ignores it
    RED_ZONE = 128,                     // below a stack pointer, of the System V ABI
};

// A client request (valgrind.h, "the magic sequence" for amd64): four rotations that amount to none, and an exchange of
// a register with itself. Anywhere else the result is 0.
static uintptr_t valgrind(uintptr_t request, uintptr_t first, uintptr_t second, uintptr_t third) {
    volatile uintptr_t arguments[6] = {request, first, second, third, 0, 0};
    uintptr_t result = 0;
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                     : "+d"(result)
                     : "a"(arguments)
                     : "cc", "memory");
    return result;
}

// MARK: a stack

static bool moves(const fl_stack *stack) {
    return stack->strategy == FL_STRATEGY_FAULT_MOVE || stack->strategy == FL_STRATEGY_CHECK_MOVE;
}

// Closes a page of the list of calls that belongs to a fiber of ThreadSanitizer, and returns its address; 0 where the
// list was not found.
static uintptr_t close_calls(const uintptr_t *fiber) {
    for (size_t word = 0; word + 1 < SEARCHED_WORDS; word++) {
        uintptr_t low = fiber[word], high = fiber[word + 1];
        if (low % FL_PAGE || high - low != CALLS * FL_WORD) continue;
        uintptr_t page = high - CALLS_RESERVE - FL_PAGE;
        return syscall(SYS_mprotect, page, (size_t)FL_PAGE, (long)PROT_NONE) == 0 ? page : 0;
    }
    return 0;
}

// To memcheck a slot that was used before has no memory below the place where its stack pointer was last. A frame that
// lies lower than the last one is there all the same, as is the red zone of who starts from it.
void fl_sanitizers_expect_frame(uintptr_t low, uintptr_t high) {
    if (has_valgrind) (void)valgrind(MAKE_MEMORY_UNDEFINED, low - RED_ZONE, high - low + RED_ZONE, 0);
}

fl_failure fl_sanitizers_announce(fl_stack *stack) {
    if ((__sanitizer_start_switch_fiber || __tsan_create_fiber) && moves(stack))
        return fl_failure_at(FL_SITE_ANNOUNCE, ENOTSUP);
    struct fl_announcement *announced = calloc(1, sizeof *announced);
    if (!announced) return fl_failure_at(FL_SITE_ANNOUNCE, ENOMEM);
    if (__tsan_create_fiber) {
        if (atomic_fetch_add_explicit(&fibers, 1, memory_order_relaxed) >= MAXIMUM_FIBERS) {
            atomic_fetch_sub_explicit(&fibers, 1, memory_order_relaxed);
            free(announced);
            return fl_failure_at(FL_SITE_ANNOUNCE, EAGAIN);
        }
        __tsan_acquire(stack);
        __tsan_acquire((void *)fl_stack_slot_low(stack));
        announced->fiber = __tsan_create_fiber(0);
        announced->calls_end = close_calls(announced->fiber);
    }
    announced->base = stack->base;
    if (has_valgrind) {
        announced->valgrind_stack = valgrind(STACK_REGISTER, fl_stack_slot_low(stack), stack->base - 1, 0);
    }
    stack->fiber.frame->announcement = announced;
    return fl_failure_none();
}

void fl_sanitizers_forget(fl_stack *stack) {
    struct fl_announcement *announced = stack->fiber.frame->announcement;
    stack->fiber.frame->announcement = NULL;
    if (!announced) return;
    if (announced->fiber) {
        __tsan_destroy_fiber(announced->fiber);
        __tsan_release(stack);
        __tsan_release((void *)fl_stack_slot_low(stack));
        atomic_fetch_sub_explicit(&fibers, 1, memory_order_relaxed);
    }
    if (has_valgrind) (void)valgrind(STACK_DEREGISTER, announced->valgrind_stack, 0, 0);
    free(announced);
}

// MARK: a switch

static void enter(fl_stack *stack, struct fl_announcement *announced) {
    announced->is_entered = true;
    uintptr_t low = fl_stack_slot_low(stack);
    if (has_valgrind && announced->base != stack->base) {
        (void)valgrind(STACK_CHANGE, announced->valgrind_stack, low, stack->base - 1);
    }
    announced->base = stack->base;
    if (__sanitizer_start_switch_fiber) {
        __sanitizer_start_switch_fiber(&announced->resumer_fake, (void *)low, stack->base - low);
        __sanitizer_finish_switch_fiber(announced->fake_stack, &announced->resumer_low, &announced->resumer_size);
    }
    if (announced->fiber) {
        announced->resumer_fiber = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(announced->fiber, 0);
    }
}

static void leave(fl_stack *stack, struct fl_announcement *announced) {
    announced->is_entered = false;
    bool has_ended = stack->fiber.state == FL_FIBER_FINISHED || stack->fiber.state == FL_FIBER_FAULTED;
    if (stack->fiber.state == FL_FIBER_FAULTED && __asan_unpoison_memory_region) {
        // What it has closed around the variables of frames that are gone: down to the fault, and to what code used
        // below it that may not be abandoned.
        uintptr_t used = fl_stack_fault(stack)->used + fl_stack_reserve(stack);
        uintptr_t low = fl_maximum(stack->base - fl_minimum(used, stack->base), fl_stack_slot_low(stack));
        __asan_unpoison_memory_region((void *)low, stack->base - low);
    }
    if (announced->fiber) __tsan_switch_to_fiber(announced->resumer_fiber, 0);
    if (__sanitizer_start_switch_fiber) {
        // Without a place for it, the fake stack is freed.
        __sanitizer_start_switch_fiber(has_ended ? NULL : &announced->fake_stack, announced->resumer_low,
                                       announced->resumer_size);
        __sanitizer_finish_switch_fiber(announced->resumer_fake, NULL, NULL);
    }
}

static void announce(fl_fiber *fiber) {
    struct fl_announcement *announced = fiber->frame->announcement;
    fl_stack *stack = (fl_stack *)(void *)fiber;
    if (announced->is_entered) {
        leave(stack, announced);
    } else {
        enter(stack, announced);
    }
}

// MARK: what is there

void fl_sanitizers_find(void) {
    has_valgrind = valgrind(RUNNING_ON_VALGRIND, 0, 0, 0) != 0;
    if (has_valgrind || __sanitizer_start_switch_fiber || __tsan_create_fiber) fl_announcer = announce;
}

// MARK: a fault

bool fl_sanitizers_open_calls(uintptr_t address) {
    const fl_fiber *fiber = fl_current_fiber;
    const struct fl_announcement *announced = fiber ? fiber->frame->announcement : NULL;
    uintptr_t page = announced ? announced->calls_end : 0;
    if (!page || address - page >= FL_PAGE) return false;
    return syscall(SYS_mprotect, page, (size_t)FL_PAGE, (long)(PROT_READ | PROT_WRITE)) == 0;
}

#pragma clang attribute pop
