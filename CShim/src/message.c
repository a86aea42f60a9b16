// One line to standard error from a handler: no allocation, no lock, one write.
#include "shim_code.h"

#include "message.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system.h"

enum { LINE = 512 };

void fl_message(const char *const *parts, size_t count) {
    char line[LINE];
    size_t length = 0;
    const char *prefix = "faultline: ";
    for (size_t i = 0; i <= count; i++) {
        for (const char *c = i == 0 ? prefix : parts[i - 1]; *c && length < LINE - 1; c++) line[length++] = *c;
    }
    line[length++] = '\n';
    // A closed or full standard error takes the message with it; the exit status still tells.
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

void fl_die(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t only;
    (void)sigaction(SIGSEGV, &standard, NULL);
    sigemptyset(&only);
    sigaddset(&only, SIGSEGV);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    _exit(128 + SIGSEGV); // where even that was refused
}

// Signal context: callable.
static const char *number(char *buffer, uint64_t value, uint32_t radix) {
    char *end = buffer + 23;
    *end = 0;
    do {
        *--end = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value);
    return end;
}

const char *fl_decimal(char *buffer, uint64_t value) { return number(buffer, value, 10); }
const char *fl_hexadecimal(char *buffer, uint64_t value) { return number(buffer, value, 16); }

void fl_message_overflow(const fl_stack *stack, const fl_fault_report *report, const char *reason,
                         fl_obstacle obstacle) {
    char limit[24], used[24], error[24], ip[24];
    const char *option = stack->strategy == FL_STRATEGY_GROWS_DOWN
                             ? "; raise RLIMIT_STACK and StackConfiguration.maximum"
                             : "; raise StackConfiguration.maximum";
    if (!(stack->flags & FL_STACK_CONTAINS_OVERFLOW)) {
        option = "; raise StackConfiguration.maximum, or set isIsolated to have it thrown";
    }
    const char *advice[] = {option, "", "", ""};
    if (report->error != 0) {
        advice[0] = "; ";
        advice[1] = fl_site_name((fl_site)report->site);
        advice[2] = " failed with errno ";
        advice[3] = fl_decimal(error, (uint64_t)report->error);
    } else if (obstacle.what && obstacle.library && obstacle.remedy) {
        advice[0] = obstacle.what;
        advice[1] = obstacle.library;
        advice[2] = obstacle.remedy;
    }
    const char *parts[] = {
        "a coroutine's stack ",
        reason,
        ": limit ",
        fl_decimal(limit, report->limit),
        " bytes, in use ",
        fl_decimal(used, report->used),
        " bytes, at instruction 0x",
        fl_hexadecimal(ip, report->ip),
        advice[0],
        advice[1],
        advice[2],
        advice[3],
    };
    fl_message(parts, sizeof parts / sizeof *parts);
}

#pragma clang attribute pop
