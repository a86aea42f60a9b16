// The time-stamp counter at the ends of a trap's parts. The watching handler touches no lock and no memory but its own
// words, and passes signal, information and context on unchanged, so that the handler behind it works as if alone.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CProbes.h"
#include "internal.h"

static struct sigaction behind;
static bool watching;
static volatile uint64_t entered, left, entries;

static uint64_t counter(void) {
    unsigned ignored;
    return __builtin_ia32_rdtscp(&ignored);
}

static void watch(int signal, siginfo_t *info, void *context) {
    entered = counter();
    entries++;
    behind.sa_sigaction(signal, info, context);
    left = counter();
}

int fl_probe_watch_begin(void) {
    if (watching) return EBUSY;
    if (sigaction(SIGSEGV, NULL, &behind)) return errno;
    // Another form of handler would get no information; the default action is none to call.
    if (!(behind.sa_flags & SA_SIGINFO) || behind.sa_handler == SIG_DFL) return EINVAL;
    struct sigaction action = behind;
    action.sa_sigaction = watch;
    if (sigaction(SIGSEGV, &action, NULL)) return errno;
    watching = true;
    return 0;
}

int fl_probe_watch_end(void) {
    if (!watching) return EINVAL;
    if (sigaction(SIGSEGV, &behind, NULL)) return errno;
    watching = false;
    return 0;
}

fl_trap_parts fl_probe_store_parts(size_t bytes) {
    double rate = fl_ticks_per_nanosecond();
    entries = 0;
    ticks took = fl_ticks_of_store_below(bytes, FL_PROBE_INTERVAL);
    fl_trap_parts parts = {.total = (uint64_t)((double)(took.ended - took.began) / rate), .traps = entries};
    if (entries != 1) return parts;
    parts.delivery = (uint64_t)((double)(entered - took.began) / rate);
    parts.handler = (uint64_t)((double)(left - entered) / rate);
    parts.back = (uint64_t)((double)(took.ended - left) / rate);
    return parts;
}

static void leave(int signal) {
    (void)signal;
    left = counter();
}

uint64_t fl_probe_signal_returns(uint64_t count) {
    enum { ALTERNATE = 64 << 10 };
    static char alternate[ALTERNATE];
    stack_t old_stack, own = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction old, action = {.sa_handler = leave, .sa_flags = SA_ONSTACK};
    double rate = fl_ticks_per_nanosecond();
    sigaltstack(NULL, &old_stack);
    // A thread that has an alternate stack keeps it.
    bool lacks = old_stack.ss_flags & SS_DISABLE;
    if (lacks) sigaltstack(&own, NULL);
    sigfillset(&action.sa_mask);
    sigaction(SIGTRAP, &action, &old);
    uint64_t ticks = 0;
    for (uint64_t i = 0; i < count; i++) {
        __asm__ volatile("int3" : : : "memory");
        ticks += counter() - left;
    }
    sigaction(SIGTRAP, &old, NULL);
    if (lacks) sigaltstack(&old_stack, NULL);
    return (uint64_t)((double)ticks / rate);
}

void fl_probe_mark(void) { syscall(SYS_getpgid, FL_MARK_ARGUMENT); }
