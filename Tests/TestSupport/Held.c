// A thread that stands still inside a system call: what others may meet there at any time, for as long as a test needs.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "TestSupport.h"

static sem_t is_held, may_go;
static bool was_held;

__attribute__((constructor)) static void make_semaphores(void) {
    sem_init(&is_held, 0, 0);
    sem_init(&may_go, 0, 0);
}

#define ARGUMENT(number) (offsetof(struct seccomp_data, args) + (number) * sizeof(uint64_t))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))

// Mappings of 4 GiB and more, but for those that the handler asks for: MAP_STACK means nothing to the kernel.
static struct sock_filter filter[] = {
    LOAD(offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
    LOAD(ARGUMENT(1) + sizeof(uint32_t)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
    LOAD(ARGUMENT(3)),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_STACK, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

// In place of the system call.
static void hold(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (!was_held) {
        was_held = true;
        sem_post(&is_held);
        while (sem_wait(&may_go)) {
        }
    }
    long mapped = syscall(SYS_mmap, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                          registers[REG_R10] | MAP_STACK, registers[REG_R8], registers[REG_R9]);
    registers[REG_RAX] = mapped == -1 ? -errno : mapped;
}

int ts_hold_next_arena(void) {
    struct sigaction action = {.sa_sigaction = hold, .sa_flags = SA_SIGINFO};
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? errno : 0;
}

void ts_wait_until_held(void) {
    while (sem_wait(&is_held)) {
    }
}

void ts_let_go(void) { sem_post(&may_go); }
