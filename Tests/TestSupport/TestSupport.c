// Stacks and pointer holders. Built without probes, as plain C is.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "TestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

const fl_stack *ts_running_stack(void) { return (const fl_stack *)(const void *)fl_current_fiber; }

bool ts_access_set_is_known(void) { return fl_capabilities_get()->finds_access_set; }
int ts_thread_id(void) { return gettid(); }

__attribute__((noinline)) void ts_touch_down(size_t pages) {
    if (pages == 0) return;
    void *kept;
    // rbx holds the former stack pointer: a move must find it there.
    __asm__ volatile("movq %%rsp, %%rbx\n"
                     "1:\n\t"
                     "subq $4096, %%rsp\n\t"
                     "movq %[pages], (%%rsp)\n\t"
                     "decq %[pages]\n\t"
                     "jnz 1b\n\t"
                     "movq %%rbx, %%rsp"
                     : [pages] "+r"(pages), "=&b"(kept)
                     :
                     : "memory", "cc");
}

// Lowers the stack pointer by `bytes` at once, stores the lowest word first, then calls `body(low, bytes)`.
static int64_t with_frame(size_t bytes, int64_t (*body)(char *low, size_t bytes)) {
    int64_t result;
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "subq %%rsi, %%rsp\n\t"
                     "andq $-16, %%rsp\n\t"
                     "movq $0, (%%rsp)\n\t"
                     "leaq 0(%%rsp), %%rdi\n\t"
                     "callq *%[body]\n\t"
                     "movq %%rbx, %%rsp"
                     : "=a"(result), "+S"(bytes)
                     : [body] "r"(body)
                     : "memory", "cc", "rbx", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15");
    return result;
}

static int64_t check_pattern(char *low, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) ((volatile char *)low)[i] = (char)(i * 31);
    for (size_t i = 0; i < bytes; i++) {
        if (((volatile char *)low)[i] != (char)(i * 31)) return 0;
    }
    return 1;
}

bool ts_large_frame(size_t bytes) { return with_frame(bytes, check_pattern) == 1; }

static int64_t read_zeros(char *low, size_t bytes) {
    int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    ssize_t length = read(file, low + bytes / 4, bytes / 2);
    int error = errno;
    close(file);
    return length == (ssize_t)(bytes / 2) ? 0 : length < 0 ? error : EIO;
}

int ts_read_into_frame(size_t bytes) { return (int)with_frame(bytes, read_zeros); }

__attribute__((noinline)) uint64_t ts_recurse(uint32_t depth, size_t frame) {
    volatile char local[frame];
    local[0] = (char)depth;
    local[frame - 1] = (char)(depth >> 8);
    if (depth == 0) return 1;
    uint64_t below = ts_recurse(depth - 1, frame);
    return below * 31 + (uint8_t)local[0] + (uint8_t)local[frame - 1];
}

void *ts_stack_address(void) { return __builtin_frame_address(0); }

__attribute__((noinline)) void ts_call_below(size_t bytes, void (*body)(void *), void *context) {
    volatile char frame[bytes];
    frame[0] = 1;
    body(context);
    frame[0] = 2;
}

__attribute__((noinline)) void ts_call_on_other_stack(void *low, size_t bytes, void (*body)(void *), void *context) {
    uintptr_t top = ((uintptr_t)low + bytes) & ~(uintptr_t)15;
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "movq %[top], %%rsp\n\t"
                     "callq *%[body]\n\t"
                     "movq %%rbx, %%rsp"
                     : "+D"(context), [top] "+r"(top), [body] "+r"(body)
                     :
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
}

__attribute__((noinline)) bool ts_keeps_lowest_word(size_t bytes) {
    uint64_t found;
    void *page;
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "subq %[bytes], %%rsp\n\t"
                     "movq $0x5eed, (%%rsp)\n\t"
                     "leaq (%%rsp, %[bytes]), %[page]\n"
                     "1:\n\t"
                     "subq $4096, %[page]\n\t"
                     "cmpq %%rsp, %[page]\n\t"
                     "jbe 2f\n\t"
                     "movq $0, (%[page])\n\t"
                     "jmp 1b\n"
                     "2:\n\t"
                     "movq (%%rsp), %[found]\n\t"
                     "movq %%rbx, %%rsp"
                     : [found] "=&r"(found), [page] "=&r"(page)
                     : [bytes] "r"(bytes)
                     : "rbx", "memory", "cc");
    return found == 0x5eed;
}

int ts_errno_across_growth(int value, size_t pages) {
    errno = value;
    ts_touch_down(pages);
    return errno;
}

// MARK: pointer holders

#define SIXTEEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(n) "movq %[pointer], %%xmm" #n "\n\tpunpcklqdq %%xmm" #n ", %%xmm" #n "\n\t"
#define WIDEN(n) "vinsertf128 $1, %%xmm" #n ", %%ymm" #n ", %%ymm" #n "\n\t"
#define STORE(n) "movdqu %%xmm" #n ", 16*" #n "(%[found])\n\t"
#define STORE_HIGH(n) "vextractf128 $1, %%ymm" #n ", 16*" #n "(%[found])\n\t"
#define STORE_BELOW "movq %%rsp, %%rbx\n\tsubq %[distance], %%rsp\n\tmovq $0, (%%rsp)\n\tmovq %%rbx, %%rsp\n\t"
#define ALL_VECTORS                                                                                            \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
        "xmm13", "xmm14", "xmm15"

static bool all_equal(const uint64_t *found, const void *target) {
    for (int i = 0; i < 32; i++) {
        if (found[i] != (uint64_t)(uintptr_t)target) return false;
    }
    return true;
}

__attribute__((noinline)) static bool hold_in_sse(size_t distance) {
    uint64_t target = 0x5eed, found[32], *pointer = &target, *into = found;
    __asm__ volatile(SIXTEEN(LOAD) STORE_BELOW SIXTEEN(STORE)
                     : [found] "+r"(into)
                     : [pointer] "r"(pointer), [distance] "r"(distance)
                     : ALL_VECTORS, "memory", "cc", "rbx");
    return all_equal(found, &target) && target == 0x5eed;
}

__attribute__((noinline)) static bool hold_in_avx(size_t distance) {
    uint64_t target = 0x5eed, found[32], *pointer = &target, *into = found;
    __asm__ volatile(SIXTEEN(LOAD) SIXTEEN(WIDEN) STORE_BELOW SIXTEEN(STORE_HIGH) "vzeroupper"
                     : [found] "+r"(into)
                     : [pointer] "r"(pointer), [distance] "r"(distance)
                     : ALL_VECTORS, "memory", "cc", "rbx");
    return all_equal(found, &target) && target == 0x5eed;
}

bool ts_vector_registers(size_t pages) {
    __builtin_cpu_init();
    bool right = hold_in_sse(pages * 4096);
    if (__builtin_cpu_supports("avx")) right = hold_in_avx(4 * pages * 4096) && right;
    return right;
}

__attribute__((noinline)) bool ts_general_registers(size_t pages) {
    uint64_t target = 0x5eed, found[10] = {0};
    uint64_t *into = found;
    size_t distance = pages * 4096;
    // Address one register after the other by what it was given before the store below.
    __asm__ volatile(
        "movq %[pointer], %%rcx\n\tmovq %[pointer], %%rdx\n\tmovq %[pointer], %%rsi\n\tmovq %[pointer], %%r8\n\t"
        "movq %[pointer], %%r9\n\tmovq %[pointer], %%r10\n\tmovq %[pointer], %%r11\n\tmovq %[pointer], %%r12\n\t"
        "movq %[pointer], %%r13\n\tmovq %[pointer], %%r14\n\t" STORE_BELOW
        "movq %%rcx, 0(%[found])\n\tmovq %%rdx, 8(%[found])\n\tmovq %%rsi, 16(%[found])\n\tmovq %%r8, 24(%[found])\n\t"
        "movq %%r9, 32(%[found])\n\tmovq %%r10, 40(%[found])\n\tmovq %%r11, 48(%[found])\n\t"
        "movq %%r12, 56(%[found])\n\tmovq %%r13, 64(%[found])\n\tmovq %%r14, 72(%[found])"
        : [found] "+D"(into)
        : [pointer] "r"(&target), [distance] "r"(distance)
        : "memory", "cc", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14");
    for (int i = 0; i < 10; i++) {
        if (found[i] != (uint64_t)(uintptr_t)&target) return false;
    }
    return target == 0x5eed;
}

__attribute__((noinline)) bool ts_one_past_end(size_t pages) {
    volatile uintptr_t end = ts_running_stack()->base;
    uintptr_t before = end;
    ts_touch_down(pages);
    // `before` is an address of the stack as well: both follow, wherever the compiler keeps them.
    return end == ts_running_stack()->base && before == end;
}

uintptr_t ts_limit(void) { return *(uintptr_t __seg_fs *)0x70; }

__attribute__((noinline)) bool ts_red_zone(void) {
    uint64_t target = 0x5eed, found = 0;
    uintptr_t sp = ts_running_stack()->low + 64;
    // The pointer lies 16 bytes below the stack pointer, in memory, when the store 120 bytes below it faults.
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[sp], %%rsp\n\tmovq %[pointer], -16(%%rsp)\n\t"
                     "movq $0, -120(%%rsp)\n\tmovq -16(%%rsp), %[found]\n\tmovq %%rbx, %%rsp"
                     : [found] "=&r"(found)
                     : [pointer] "r"(&target), [sp] "r"(sp)
                     : "memory", "cc", "rbx");
    return found == (uint64_t)(uintptr_t)&target && target == 0x5eed;
}

void ts_with_words(size_t count, void (*body)(uint64_t *words, void *context), void *context) {
    uint64_t *volatile words = __builtin_alloca(count * sizeof(uint64_t));
    body(words, context);
    // Not a tail call: the frame must outlive it.
    __asm__ volatile("" : : "r"(words) : "memory");
}

extern void __asan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

bool ts_has_address_sanitizer(void) { return __asan_init != NULL; }
bool ts_has_thread_sanitizer(void) { return __tsan_init != NULL; }
