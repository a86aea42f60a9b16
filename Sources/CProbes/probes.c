// What benchmarks time on a stack. Inline assembly, because a C function with a large array would lower the stack
// pointer once and so ask for all its room at the first fault.
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CProbes.h"
#include "internal.h"

enum { PAGE = 4096 };

uint64_t fl_probe_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)
int fl_disable_huge_pages(bool disabled) { return prctl(PR_SET_THP_DISABLE, disabled, 0, 0, 0) ? errno : 0; }

void fl_probe_touch_stack(size_t bytes) {
    size_t pages = bytes / PAGE;
    if (pages == 0) return;
    __asm__ volatile("movq %%rsp, %%rax\n\t"
                     "1: subq $4096, %%rsp\n\t"
                     "movq %%rcx, (%%rsp)\n\t"
                     "decq %%rcx\n\t"
                     "jnz 1b\n\t"
                     "leaq (%%rsp,%1), %%rsp\n\t" // not from rax: a moved stack has another base
                     : "+c"(pages)
                     : "r"(pages * PAGE)
                     : "rax", "memory", "cc");
}

__attribute__((noinline)) uint64_t fl_probe_descend(uintptr_t end) {
    volatile uint64_t one = 1; // in the frame, and added after the call
    if ((uintptr_t)&one < end) return one;
    return fl_probe_descend(end) + one;
}

__attribute__((noinline)) uint64_t fl_probe_recurse(uintptr_t end) {
    volatile uint64_t room[13]; // with what every frame has, 128 bytes
    __asm__ volatile("" : : "r"(room) : "memory");
    room[0] = 1;
    if ((uintptr_t)room < end) return room[0];
    return fl_probe_recurse(end) + room[0];
}

uint64_t fl_probe_heap_in_use(void) { return mallinfo2().uordblks; }

void fl_probe_store_at(size_t bytes) {
    __asm__ volatile("subq %0, %%rsp\n\t"
                     "movq %0, (%%rsp)\n\t"
                     "addq %0, %%rsp\n\t"
                     :
                     : "r"((bytes + 15) & ~(size_t)15)
                     : "memory", "cc");
}

void fl_probe_touch_memory(void *end, size_t bytes) {
    size_t pages = bytes / PAGE;
    char *pointer = end;
    if (pages == 0) return;
    __asm__ volatile("1: subq $4096, %0\n\t"
                     "movq %%rcx, (%0)\n\t"
                     "decq %%rcx\n\t"
                     "jnz 1b\n\t"
                     : "+r"(pointer), "+c"(pages)
                     :
                     : "memory", "cc");
}

// One statement: between its first and last instruction the stack pointer is not what the compiler believes.
ticks fl_ticks_of_store_below(size_t bytes, size_t interval) {
    uint64_t words = bytes / sizeof(uint64_t), size = words * sizeof(uint64_t);
    ticks result;
    __asm__ volatile("1: subq $8, %%rsp\n\t"
                     "movq %%rcx, (%%rsp)\n\t"
                     "testq %4, %%rcx\n\t"
                     "jnz 2f\n\t"
                     "movq %%rsp, (%%rsp)\n\t"
                     "2: decq %%rcx\n\t"
                     "jnz 1b\n\t"
                     "rdtscp\n\t"
                     "shlq $32, %%rdx\n\t"
                     "orq %%rax, %%rdx\n\t"
                     "movq %%rdx, %%r8\n\t"
                     "subq $4096, %%rsp\n\t"
                     "movq %%rcx, (%%rsp)\n\t" // the store that is timed
                     "addq $4096, %%rsp\n\t"
                     "rdtscp\n\t"
                     "shlq $32, %%rdx\n\t"
                     "orq %%rax, %%rdx\n\t"
                     "movq %%r8, %%rax\n\t"
                     "addq %%rbx, %%rsp\n\t"
                     : "=&d"(result.ended), "=&a"(result.began), "+c"(words)
                     : "b"(size), "r"(interval - 1)
                     : "r8", "memory", "cc");
    return result;
}

double fl_ticks_per_nanosecond(void) {
    static double rate;
    if (rate != 0) return rate;
    uint64_t began = fl_probe_now(), first = __builtin_ia32_rdtsc(), now;
    while ((now = fl_probe_now()) - began < 10000000) {
    }
    return rate = (double)(__builtin_ia32_rdtsc() - first) / (double)(now - began);
}

// The frame of this function and that of the store are on the same page: else the store would not be the first below.
__attribute__((noinline)) int fl_probe_make_resident_below(size_t bytes) {
    uintptr_t stored = (uintptr_t)__builtin_frame_address(0) - bytes - PAGE;
    char *page = (char *)(stored & ~(uintptr_t)(PAGE - 1));
    if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0) return errno;
    *(volatile char *)page = 1;
    return mprotect(page, PAGE, PROT_NONE) == 0 ? 0 : errno;
}

uint64_t fl_probe_store_below(size_t bytes) { return fl_probe_store_below_filled(bytes, FL_PROBE_INTERVAL); }

uint64_t fl_probe_store_below_filled(size_t bytes, size_t interval) {
    double rate = fl_ticks_per_nanosecond();
    ticks took = fl_ticks_of_store_below(bytes, interval);
    return (uint64_t)((double)(took.ended - took.began) / rate);
}

// What clang puts at the beginning of a function with a large frame, and an empty body. A contiguous stack continues
// behind the first `ret`; a segmented one returns to it.
__attribute__((naked, noinline)) void fl_probe_checked_call(const void *morestack) {
    __asm__("leaq -%c0(%%rsp), %%r11\n\t"
            "cmpq %%fs:0x70, %%r11\n\t"
            "ja 1f\n\t"
            "movl %0, %%r10d\n\t"
            "xorl %%r11d, %%r11d\n\t"
            "callq *%%rdi\n\t"
            "retq\n"
            "1: retq"
            :
            : "i"(FL_PROBE_CHECKED_FRAME));
}
#endif

static void no_action(int signal) { (void)signal; }

uint64_t fl_probe_signals(uint64_t count) {
    struct sigaction action = {.sa_handler = no_action}, old;
    sigaction(SIGUSR1, &action, &old);
    uint64_t began = fl_probe_now();
    for (uint64_t i = 0; i < count; i++) raise(SIGUSR1);
    uint64_t took = fl_probe_now() - began;
    sigaction(SIGUSR1, &old, NULL);
    return took;
}

void fl_probe_system_calls(uint64_t count) {
    for (uint64_t i = 0; i < count; i++) syscall(SYS_getppid);
}
