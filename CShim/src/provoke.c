// Debug knob: moves provoked by a timer of this thread.
//
// The growth-point mode guards what is unused below the interrupted stack pointer, red zone excepted; the next store
// that reaches it moves the stack to a slot of the same size. The other mode moves at the interrupted instruction.
#include "shim_code.h"

#include "common.h"
#include "fl_debug.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "move.h"
#include "stack.h"
#include "system.h"

static __thread timer_t timer __attribute__((tls_model("initial-exec")));
static __thread bool timer_runs __attribute__((tls_model("initial-exec")));
static _Atomic(bool) moves_anywhere;

// Signal context: handler only.
static void guard_below(fl_stack *stack, uintptr_t sp) {
    uintptr_t low = fl_page_down(sp - FL_RED_ZONE);
    if (low <= stack->low) return;
    bool pages = stack->guard == FL_GUARD_PAGES;
    int error = pages ? fl_system_advise(FL_SITE_GROW_INSTALL, stack->low, low - stack->low, MADV_GUARD_INSTALL)
                      : fl_system_protect(FL_SITE_PROTECT_NONE, stack->low, low - stack->low, PROT_NONE);
    if (error) return; // nothing was provoked: the test counts the moves
    stack->low = low;
    stack->flags |= FL_STACK_PROVOKED;
}

// Signal context: handler only.
static void provoke(int signal, siginfo_t *info, void *pointer) {
    (void)signal;
    (void)info;
    int kept = errno;
    ucontext_t *context = pointer;
    fl_stack *stack = fl_stack_running();
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    uintptr_t ip = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    extern char start[] __asm__("__start_fl_text"), stop[] __asm__("__stop_fl_text");
    bool inside = ip >= (uintptr_t)start && ip < (uintptr_t)stop;
    if (stack && stack->strategy == FL_STRATEGY_FAULT_MOVE && !inside && sp > stack->low + FL_PAGE &&
        sp < stack->base - FL_PAGE) {
        if (!atomic_load_explicit(&moves_anywhere, memory_order_relaxed)) {
            guard_below(stack, sp);
        } else {
            fl_relocation relocation = {.reach = sp - FL_RED_ZONE};
            fl_failure failure =
                fl_stack_move(stack, sp, (fl_slot_size)stack->slot, stack->base - stack->low, &relocation);
            if (!failure.error) {
                fl_relocate_context(&relocation, context);
                fl_relocate_thread(&relocation);
            }
        }
    }
    errno = kept;
}

int fl_debug_provoke_moves(uint32_t microseconds, bool anywhere) {
    enum { SIGNAL = SIGPROF };
    if (timer_runs) {
        timer_delete(timer);
        timer_runs = false;
    }
    if (microseconds == 0) return 0;
    atomic_store_explicit(&moves_anywhere, anywhere, memory_order_relaxed);
    struct sigaction action = {.sa_sigaction = provoke, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&action.sa_mask);
    if (sigaction(SIGNAL, &action, NULL)) return errno;
    // Threads of libdispatch, on which tasks run, block nearly every signal.
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGNAL);
    if (pthread_sigmask(SIG_UNBLOCK, &only, NULL)) return EINVAL;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) return errno;
    struct itimerspec interval = {.it_interval = {.tv_nsec = (long)microseconds * 1000},
                                  .it_value = {.tv_nsec = (long)microseconds * 1000}};
    if (timer_settime(timer, 0, &interval, NULL)) {
        int error = errno;
        timer_delete(timer);
        return error;
    }
    timer_runs = true;
    return 0;
}

#pragma clang attribute pop
