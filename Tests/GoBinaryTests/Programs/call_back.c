// Calls into Go from threads that Go did not start.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "_cgo_export.h"

static void *run(void *argument) {
    int *number = argument;
    *number = calledBack(*number) + calledBack(*number + 1);
    return 0;
}

int call_back_on_thread(int rounds) {
    int sum = 0;
    for (int round = 0; round < rounds; round++) {
        pthread_t thread;
        int number = rounds > 1 ? round : 1;
        if (pthread_create(&thread, 0, run, &number) != 0) return -1;
        pthread_join(thread, 0);
        sum += number;
    }
    return sum;
}

static char *lowest;

// Until the stack of the thread ends, or near its lowest address, where another fault happens.
int use_up(int depth) {
    volatile char local[256];
    if (lowest && (char *)local < lowest + 8192) *(volatile int *)0 = depth;
    for (unsigned place = 0; place < sizeof local; place++) local[place] = (char)depth;
    return use_up(depth + 1) + local[depth & 255];
}

static void *run_until_the_end(void *argument) {
    calledToUseUp();
    return argument;
}

// On a thread of C: with a stack of glibc's, or with one of its own of a megabyte.
int overflow_on_thread(int own) {
    const size_t size = 1 << 20;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return 1;
    if (own) {
        char *all = mmap(0, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (all == MAP_FAILED || mprotect(all + size, size, PROT_READ | PROT_WRITE) != 0) return 2;
        lowest = all + size;
        if (pthread_attr_setstack(&attributes, lowest, size) != 0) return 3;
    }
    pthread_t thread;
    if (pthread_create(&thread, &attributes, run_until_the_end, 0) != 0) return 4;
    pthread_join(thread, 0);
    return 5;
}

static pthread_t often;
static int is_enough;

static void *run_often(void *argument) {
    while (!__atomic_load_n(&is_enough, __ATOMIC_SEQ_CST)) {
        calledForNothing();
        // As long as a signal is on its way.
        for (volatile int turn = 0; turn < 1000; turn++) {
        }
    }
    calledToWait();
    return argument;
}

// A thread that calls Go again and again.
int begin_calls(void) { return pthread_create(&often, 0, run_often, 0); }

// It calls once more, to wait.
void end_calls(void) {
    __atomic_store_n(&is_enough, 1, __ATOMIC_SEQ_CST);
    pthread_join(often, 0);
}
