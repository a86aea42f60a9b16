// Functions of libc that block every signal for a while, called close to the end of the first 64 KiB of a stack.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "TestSupport.h"

// What the functions take and leave is not on the stack, so that only their own frames meet the guard.
static struct aiocb request;
static pthread_t thread;
static pid_t child;
static FILE *stream;
static char buffer[1];
static char *arguments[] = {"sh", "-c", ":", NULL};

static void *nothing(void *unused) { return unused; }

static int64_t call_aio(void) { return aio_read(&request); }
static int64_t call_system(void) { return system(":"); }
static int64_t call_spawn(void) { return posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ); }
static int64_t call_popen(void) { return (stream = popen(":", "r")) == NULL; }
static int64_t call_thread(void) { return pthread_create(&thread, NULL, nothing, NULL); }

static const struct {
    const char *name;
    int64_t (*call)(void);
} calls[] = {
    {"aio_read", call_aio}, {"system", call_system},         {"posix_spawn", call_spawn},
    {"popen", call_popen},  {"pthread_create", call_thread},
};

const char *ts_window_name(size_t index) { return index < sizeof calls / sizeof *calls ? calls[index].name : NULL; }

// Calls `function` with that stack pointer.
static int64_t call_at(uintptr_t sp, int64_t (*function)(void)) {
    int64_t result;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[sp], %%rsp\n\tcallq *%[function]\n\tmovq %%rbx, %%rsp"
                     : "=a"(result)
                     : [sp] "r"(sp), [function] "r"(function)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
    return result;
}

int ts_call_near_end(size_t index, size_t distance) {
    int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    memset(&request, 0, sizeof request);
    request.aio_fildes = zeros;
    request.aio_buf = buffer;
    request.aio_nbytes = sizeof buffer;
    int64_t result = call_at((ts_running_stack()->base - (64 << 10) + distance) & ~(uintptr_t)15, calls[index].call);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    if (sigismember(&mask, SIGSEGV) || sigismember(&mask, SIGUSR1)) return EBUSY;
    close(zeros);
    return result == 0 ? 0 : EINVAL;
}
