// Following a process by ptrace. Every stop is answered, so that the process never hangs on its tracer; if the tracer
// ends first, the process ends too (PTRACE_O_EXITKILL).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "CProbes.h"
#include "internal.h"

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

int fl_trace_attach(pid_t child) {
    // The interruption gives a first stop, from which each system call can be asked for.
    if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) return errno;
    return ptrace(PTRACE_INTERRUPT, child, NULL, NULL) ? errno : 0;
}

// Field 10 of /proc/PID/stat. The name in field 2 may hold spaces, so the last parenthesis is looked for.
static uint64_t minor_faults(pid_t child) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    const char *field = strrchr(text, ')');
    // Behind it: a space, the state, then 7 numbers before the one that is wanted.
    for (int i = 0; field && i < 8; i++) field = strchr(field + 1, ' ');
    return field ? strtoull(field, NULL, 10) : 0;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int fl_trace_follow(pid_t child, double seconds, fl_trace_event *events, size_t capacity, size_t *count) {
    double deadline = now() + seconds;
    bool recording = false, in_mark = false;
    uint64_t before = 0, number = 0;
    *count = 0;
    for (;;) {
        int status;
        pid_t stopped = waitpid(child, &status, __WALL | WNOHANG);
        if (stopped < 0 && errno != EINTR) return errno;
        if (stopped <= 0) {
            if (now() > deadline) return ETIMEDOUT;
            // Between its stops the process runs for microseconds; at first it loads a program.
            if (!recording) usleep(50);
            continue;
        }
        if (!WIFSTOPPED(status)) return ESRCH;
        int signal = WSTOPSIG(status), delivered = 0;
        fl_trace_event event = {.kind = FL_TRACE_SIGNAL};
        bool is_event = false;
        if (signal == SYSCALL_STOP) {
            struct __ptrace_syscall_info info;
            memset(&info, 0, sizeof info);
            if (ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof info, &info) < 0) return errno;
            bool enters = info.op == PTRACE_SYSCALL_INFO_ENTRY;
            if (enters) {
                number = info.entry.nr;
                in_mark = number == SYS_getpgid && (int32_t)info.entry.args[0] == FL_MARK_ARGUMENT;
            }
            event.kind = !enters                      ? FL_TRACE_RETURN
                         : in_mark                    ? FL_TRACE_END
                         : number == SYS_rt_sigreturn ? FL_TRACE_LEAVE
                                                      : FL_TRACE_CALL;
            event.number = number;
            is_event = !in_mark || enters;
            // The first mark counts from its return, the second until its entry.
            if (in_mark && !enters && !recording) {
                recording = true;
                before = minor_faults(child);
                is_event = false;
            }
        } else if (status >> 16 == 0) {
            siginfo_t info = {.si_code = 0};
            (void)ptrace(PTRACE_GETSIGINFO, child, NULL, &info);
            event.number = (uint64_t)signal;
            event.code = info.si_code;
            is_event = true;
            delivered = signal;
        }
        if (is_event && recording) {
            if (*count == capacity) return ENOSPC;
            event.minor_faults = minor_faults(child) - before;
            events[(*count)++] = event;
            if (event.kind == FL_TRACE_END) return ptrace(PTRACE_DETACH, child, NULL, NULL) ? errno : 0;
        }
        if (ptrace(PTRACE_SYSCALL, child, NULL, (void *)(uintptr_t)delivered)) return errno;
    }
}
