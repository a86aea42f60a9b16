// What of the stacks a core file holds: those that run.
//
// Arenas are left out (MADV_DONTDUMP): the kernel looks at each page of a dumped mapping, so that 10,000 stacks of 8
// MiB took 22 s and 550 GB of holes. A debugger needs the frames that led to the end, so right before it the usable
// parts of running stacks are put in. Of a stack that waits a core file holds the control block alone.
//
// SIGSEGV and SIGBUS come to the fault handler, which calls this where it leaves the end to the kernel. Other signals
// that leave a core file have a handler of ours only where there is no other: it shows the running stacks, restores
// the default action and has the signal come again, so that the process ends of it as it would have.
#include "shim_code.h"

#include "core_dump.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "message.h"
#include "stack.h"
#include "system.h"

enum { SEGMENTS = 4096 }; // shown of one stack

// Further segments are slots of their own, with the link to the one before at their top. Another thread's may go away
// meanwhile: of those only the one in use is shown. Signal context: callable.
static void show(const fl_stack *stack) {
    uintptr_t base = stack->base, low = stack->low;
    bool follows = stack->strategy == FL_STRATEGY_CHECK_SEGMENT && stack->fiber.thread == fl_thread_id();
    uintptr_t further = follows ? fl_stack_details_of(stack)->segment_bytes : 0;
    for (int segment = 0; segment < SEGMENTS && fl_slot_of(base - 1).arena; segment++) {
        (void)fl_system_advise(FL_SITE_CORE_SHOW, low, base - low, MADV_DODUMP); // refused, the core file lacks it
        if (further < base - low || further == 0) return;
        further -= base - low;
        const fl_segment_link *link = (const fl_segment_link *)(base - sizeof(fl_segment_link));
        base = link->base;
        low = link->low;
    }
}

void fl_core_show_running(void) {
    uint32_t entries = fl_stack_entries();
    for (uint32_t index = 0; index < entries; index++) {
        const fl_stack *stack = fl_stack_entry(index);
        if (stack && stack->base && __atomic_load_n(&stack->fiber.state, __ATOMIC_RELAXED) == FL_FIBER_RUNNING) {
            show(stack);
        }
    }
}

// Signal context: handler only.
static void show_and_end(int signal, siginfo_t *info, void *context) {
    (void)context;
    int kept = errno;
    fl_core_show_running();
    struct sigaction standard = {.sa_handler = SIG_DFL};
    if (fl_system_sigaction(FL_SITE_CORE_HANDLER, signal, &standard, NULL)) fl_die();
    // What an instruction raised recurs by itself, but for SIGTRAP, which stands behind its instruction. Blocked until
    // this has returned.
    if (info->si_code <= 0 || signal == SIGTRAP) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
    errno = kept;
}

void fl_core_install(void) {
    static const int signals[] = {SIGABRT, SIGILL, SIGTRAP, SIGFPE};
    struct sigaction action = {.sa_sigaction = show_and_end, .sa_flags = SA_SIGINFO | SA_ONSTACK}, old;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        bool is_default =
            sigaction(signals[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL;
        // Refused, the core file lacks the stacks.
        if (is_default) (void)fl_system_sigaction(FL_SITE_CORE_HANDLER, signals[i], &action, NULL);
    }
}

#pragma clang attribute pop
