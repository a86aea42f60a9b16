// One function for each way to raise a fault. Inline assembly is x86-64, as the shim is.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "CFaultKinds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, FRAME = 1024 };

__attribute__((noinline)) void fk_read(uintptr_t address) { (void)*(volatile char *)address; }
__attribute__((noinline)) void fk_write(uintptr_t address) { *(volatile char *)address = 1; }
__attribute__((noinline)) void fk_call(uintptr_t address) { ((void (*volatile)(void))address)(); }

__attribute__((noinline)) void fk_read_indexed(uintptr_t address) {
    uintptr_t index = (uintptr_t)1 << 44, base = address - index;
    // The argument's register is overwritten first: nothing but the sum is the address.
    __asm__ volatile("xorl %%edi, %%edi\n\tmovzbl (%%rax,%%rcx), %%eax"
                     : "+a"(base), "+c"(index)
                     :
                     : "rdi", "rdx", "rsi", "r8", "r9", "r10", "r11", "rbx", "r12", "r13", "r14", "r15", "memory");
}

int fk_write_read_only(void) {
    void *mapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return errno;
    fk_read((uintptr_t)mapped);
    fk_write((uintptr_t)mapped);
    return 0;
}

void fk_call_data(void) {
    static char data[] = {(char)0xc3}; // ret, where it may be executed
    fk_call((uintptr_t)data);
}

void fk_push_non_canonical(void) {
    __asm__ volatile("movabsq $0x123456789abcdef0, %%rax\n\tmovq %%rax, %%rsp\n\tpushq %%rax" : : : "rax", "memory");
}

int fk_read_beyond_file(void) {
    int file = memfd_create("faultline", MFD_CLOEXEC);
    if (file < 0) return errno;
    void *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) return errno;
    fk_read((uintptr_t)mapped);
    return 0;
}

__attribute__((noinline)) uint64_t fk_recurse(size_t bytes) {
    char frame[FRAME];
    frame[0] = (char)bytes;
    // The assembly may use all of the frame, so that it is as large as it says.
    __asm__ volatile("" : : "r"(frame) : "memory");
    uint64_t below = bytes <= FRAME ? 0 : fk_recurse(bytes - FRAME);
    // After the call, so that the call cannot become a jump.
    __asm__ volatile("" : : "r"(frame) : "memory");
    return below * 31 + (uint64_t)frame[0];
}

__attribute__((noinline)) uintptr_t fk_frame_address(void) { return (uintptr_t)__builtin_frame_address(0); }

// The kernel reads a page for us and says whether it could.
static int can_read(uintptr_t address) {
    char byte;
    struct iovec into = {.iov_base = &byte, .iov_len = 1}, from = {.iov_base = (void *)address, .iov_len = 1};
    return process_vm_readv(getpid(), &into, 1, &from, 1, 0) == 1;
}

void fk_signal_near_end(int signal, size_t distance) {
    uintptr_t low = fk_frame_address() & ~(uintptr_t)(PAGE - 1);
    while (can_read(low - PAGE)) low -= PAGE;
    low += distance;
    long process = getpid(), thread = syscall(SYS_gettid), number = signal, call = SYS_tgkill;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[low], %%rsp\n\tsyscall\n\tnop\n\tmovq %%rbx, %%rsp"
                     : "+a"(call), "+D"(process), "+S"(thread), "+d"(number)
                     : [low] "r"(low)
                     : "rbx", "rcx", "r11", "memory", "cc");
}

static void ignore(int signal) { (void)signal; }

int fk_install_plain_handler(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ignore;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL) ? errno : 0;
}

static void (*_Nullable reporter)(int);

static void report(int number, siginfo_t *info, void *context) {
    (void)context;
    if (reporter) reporter(number);
    signal(number, SIG_DFL);
    // A fault recurs when its instruction is executed again. What was sent does not, nor does the loss of a frame;
    // sent again, it waits until this handler has returned.
    if (info->si_code <= 0 || info->si_code == SI_KERNEL) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

int fk_install_reporter(void (*function)(int signal)) {
    reporter = function;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = report;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, NULL)) return errno;
    return sigaction(SIGBUS, &action, NULL) ? errno : 0;
}

int fk_run_in_copy(void (*body)(void *), void *context, unsigned seconds, int *error) {
    *error = 0;
    pid_t copy = fork();
    if (copy == 0) {
        alarm(seconds); // not inherited
        body(context);
        _exit(0);
    }
    int status = 0;
    while (copy > 0 && waitpid(copy, &status, 0) < 0) {
        if (errno == EINTR) continue;
        copy = -1;
    }
    if (copy > 0) return status;
    *error = errno;
    return -1;
}
