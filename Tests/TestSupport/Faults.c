// Faults of every kind, handlers with every combination of flags, fork.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "TestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) void ts_read_byte(uintptr_t address) { (void)*(volatile char *)address; }
__attribute__((noinline)) void ts_write_byte(uintptr_t address) { *(volatile char *)address = 1; }
__attribute__((noinline)) void ts_jump(uintptr_t address) { ((void (*volatile)(void))address)(); }

__attribute__((noinline)) void ts_read_indexed(uintptr_t address) {
    uintptr_t base = address - ((uintptr_t)1 << 44), index = (uintptr_t)1 << 44;
    // The address itself must stand in no register when the load executes.
    __asm__ volatile("xorl %%edi, %%edi\n\tmovzbl (%%rax,%%rcx), %%eax"
                     : "+a"(base), "+c"(index)
                     :
                     : "rdi", "rdx", "rsi", "r8", "r9", "r10", "r11", "rbx", "r12", "r13", "r14", "r15", "memory");
}

void ts_write_read_only(void) {
    char *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) _exit(3);
    mapped[0] = 1;
    if (mprotect(mapped, 4096, PROT_READ)) _exit(3);
    ts_write_byte((uintptr_t)mapped);
}

void ts_read_beyond_file(void) {
    char path[] = "/tmp/faultline-XXXXXX";
    int file = mkstemp(path);
    if (file < 0) _exit(3);
    unlink(path);
    char *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) _exit(3);
    ts_read_byte((uintptr_t)mapped);
}

void ts_push_non_canonical(void) {
    __asm__ volatile("movabsq $0x123456789abcdef0, %%rax\n\tmovq %%rax, %%rsp\n\tpushq %%rax" : : : "rax", "memory");
}

void ts_signal_near_end(int signal, size_t distance) {
    uintptr_t low = ts_running_stack()->low + distance;
    long process = getpid(), thread = syscall(SYS_gettid), number = signal, call = SYS_tgkill;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[low], %%rsp\n\tsyscall\n\tnop\n\tmovq %%rbx, %%rsp"
                     : "+a"(call), "+D"(process), "+S"(thread), "+d"(number)
                     : [low] "r"(low)
                     : "rbx", "rcx", "r11", "memory", "cc");
}

// MARK: handlers

static volatile uint32_t kind_installed;
static volatile int calls;

static void put(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void put_number(const char *name, uint64_t value) {
    char buffer[64];
    int length = snprintf(buffer, sizeof buffer, " %s=%llx", name, (unsigned long long)value);
    ssize_t written = write(STDERR_FILENO, buffer, (size_t)length);
    (void)written;
}

static void report(int signal, const siginfo_t *_Nullable info) {
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    put("handler");
    put_number("signal", (uint64_t)signal);
    if (info) {
        put_number("code", (uint64_t)(uint32_t)info->si_code);
        put_number("address", (uint64_t)(uintptr_t)info->si_addr);
    }
    put_number("blocked-self", (uint64_t)sigismember(&blocked, signal));
    put_number("blocked-usr1", (uint64_t)sigismember(&blocked, SIGUSR1));
    put_number("blocked-usr2", (uint64_t)sigismember(&blocked, SIGUSR2));
    put_number("calls", (uint64_t)++calls);
    put("\n");
    if (!(kind_installed & TS_HANDLER_RETURNS)) _exit(7);
}

static void plain_handler(int signal) { report(signal, NULL); }

static void info_handler(int signal, siginfo_t *info, void *context) {
    if (!context) _exit(8);
    report(signal, info);
}

int ts_install_handler(int signal, uint32_t kind) {
    kind_installed = kind;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    if (kind & TS_HANDLER_INFO) {
        action.sa_sigaction = info_handler;
        action.sa_flags |= SA_SIGINFO;
    } else {
        action.sa_handler = plain_handler;
    }
    if (kind & TS_HANDLER_NODEFER) action.sa_flags |= SA_NODEFER;
    if (kind & TS_HANDLER_RESET) action.sa_flags |= (int)SA_RESETHAND;
    if (kind & TS_HANDLER_ONSTACK) action.sa_flags |= SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    if (kind & TS_HANDLER_MASKS_USR1) sigaddset(&action.sa_mask, SIGUSR1);
    return sigaction(signal, &action, NULL) ? errno : 0;
}

int ts_set_default(int number) { return signal(number, SIG_DFL) == SIG_ERR ? errno : 0; }
int ts_set_ignore(int number) { return signal(number, SIG_IGN) == SIG_ERR ? errno : 0; }

static void reporter(int number) {
    fl_counters counters;
    fl_statistics_process(&counters);
    put("verdicts:");
    for (uint32_t verdict = 0; verdict < FL_VERDICT_COUNT; verdict++) {
        if (counters.traps[verdict]) put_number(fl_verdict_name((fl_verdict)verdict), counters.traps[verdict]);
    }
    put("\n");
    signal(number, SIG_DFL);
}

int ts_install_reporter(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = reporter;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, NULL)) return errno;
    return sigaction(SIGBUS, &action, NULL) ? errno : 0;
}

void ts_raise(int signal) { syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal); }

static volatile int counted;
static void count(int signal) {
    (void)signal;
    counted = counted + 1;
}

int ts_install_counting_handler(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = count;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) ? errno : 0;
}

int ts_handler_calls(void) { return counted; }

void ts_discard_output(void) {
    if (!freopen("/dev/null", "w", stdout)) _exit(3);
}

int ts_fork(void) { return fork(); }

size_t ts_alternate_stack_size(void) {
    stack_t stack;
    if (sigaltstack(NULL, &stack) || (stack.ss_flags & SS_DISABLE)) return 0;
    return stack.ss_size;
}

int ts_set_alternate_stack(size_t size) {
    stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
    return sigaltstack(&stack, NULL) ? errno : 0;
}

enum { PATTERN = 0x5a };

const uint8_t *ts_set_alternate_stack_above(size_t below, size_t size) {
    uint8_t *memory = malloc(below + size);
    if (!memory) return NULL;
    memset(memory, PATTERN, below);
    stack_t stack = {.ss_sp = memory + below, .ss_size = size};
    return sigaltstack(&stack, NULL) ? NULL : memory;
}

size_t ts_overwritten(const uint8_t *pattern, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += pattern[i] != PATTERN;
    return count;
}

int ts_disable_alternate_stack(void) {
    stack_t stack = {.ss_flags = SS_DISABLE};
    return sigaltstack(&stack, NULL) ? errno : 0;
}

static void (*volatile in_handler)(void);
static void run_in_handler(int signal) {
    (void)signal;
    in_handler();
}

int ts_run_in_handler(int signal, void (*body)(void)) {
    struct sigaction action = {.sa_handler = run_in_handler, .sa_flags = SA_ONSTACK};
    in_handler = body;
    if (sigaction(signal, &action, NULL)) return errno;
    return raise(signal) ? errno : 0;
}

int ts_block_all_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return pthread_sigmask(SIG_SETMASK, &all, NULL);
}

bool ts_is_blocked(int signal) {
    sigset_t mask;
    return pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, signal);
}

int ts_close_from(unsigned first) { return syscall(SYS_close_range, first, ~0U, 0) ? errno : 0; }

// MARK: comparators

extern ts_comparator *_Nullable ts_comparator_hook;

void ts_set_comparator_hook(ts_comparator *hook) { ts_comparator_hook = hook; }

ts_comparator *ts_comparator_named(const char *name) {
    if (strcmp(name, "bare") == 0) return ts_comparator_bare;
    if (strcmp(name, "framed") == 0) return ts_comparator_framed;
    return strcmp(name, "described") == 0 ? ts_comparator_described : NULL;
}
