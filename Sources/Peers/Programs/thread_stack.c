// A recursion on the stack of a POSIX thread, until that ends it.
//
// Arguments: the size of the stack, then "runaway", or the two arguments of Ackermann's function. On the overflow it
// writes "depth=D nanoseconds=T" and dies of the fault; a recursion that returns writes the same with "value=V" behind.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define KEPT(value) __asm__ volatile("" : "+r"(value) : : "memory")

static uint64_t first, second, deepest, began;
static int is_runaway;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n, uint64_t depth, uint64_t *maximum) {
    if (depth > *maximum) *maximum = depth;
    if (m == 0) return n + 1;
    uint64_t inner = n == 0 ? 1 : ackermann(m, n - 1, depth + 1, maximum);
    KEPT(inner);
    uint64_t value = ackermann(m - 1, inner, depth + 1, maximum);
    KEPT(value);
    return value;
}

static __attribute__((noinline)) uint64_t runaway(uint64_t depth, uint64_t *maximum) {
    *maximum = depth;
    if (depth == UINT64_MAX) return 0;
    uint64_t value = runaway(depth + 1, maximum);
    KEPT(value);
    return value;
}

// In the handler: nothing but system calls. Digits are put together by hand.
static void say(const char *name, uint64_t number) {
    char text[64];
    size_t at = sizeof text, length = strlen(name);
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    ssize_t ignored = write(STDOUT_FILENO, name, length);
    ignored = write(STDOUT_FILENO, text + at, sizeof text - at);
    ignored = write(STDOUT_FILENO, "\n", 1);
    (void)ignored;
}

// Not by getrusage: its maximum may be that of the process that started this one.
static uint64_t peak(void) {
    static char text[4096];
    int file = open("/proc/self/status", O_RDONLY);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    const char *field = strstr(text, "VmHWM:");
    uint64_t kibibytes = 0;
    for (field = field ? field + 6 : ""; *field == ' ' || *field == '\t'; field++) {
    }
    for (; *field >= '0' && *field <= '9'; field++) kibibytes = 10 * kibibytes + (uint64_t)(*field - '0');
    return kibibytes;
}

static void report(void) {
    say("nanoseconds=", now() - began);
    say("depth=", deepest);
    say("peak-kibibytes=", peak());
}

static void overflow(int number) {
    report();
    // Executed again, the instruction faults again, and that ends the process.
    signal(number, SIG_DFL);
}

static void *on_thread(void *argument) {
    stack_t alternate = {.ss_sp = argument, .ss_size = 64 << 10};
    struct sigaction action = {.sa_handler = overflow, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&alternate, NULL) || sigaction(SIGSEGV, &action, NULL)) return NULL;
    began = now();
    uint64_t value = is_runaway ? runaway(1, &deepest) : ackermann(first, second, 1, &deepest);
    report();
    say("value=", value);
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 3) return 64;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    is_runaway = strcmp(arguments[2], "runaway") == 0;
    if (!is_runaway) {
        if (count < 4) return 64;
        first = strtoull(arguments[2], NULL, 10);
        second = strtoull(arguments[3], NULL, 10);
    }
    pthread_attr_t attributes;
    pthread_t thread;
    void *alternate = malloc(64 << 10);
    if (!alternate || pthread_attr_init(&attributes) ||
        pthread_attr_setstacksize(&attributes, strtoull(arguments[1], NULL, 10)) ||
        pthread_create(&thread, &attributes, on_thread, alternate)) {
        fputs("no thread with a stack of that size\n", stderr);
        return 1;
    }
    pthread_join(thread, NULL);
    return 0;
}
