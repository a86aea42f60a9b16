// The peers that are C: ucontext, POSIX threads, a plain call.
#include <errno.h>
#include <pthread.h>
#include <ucontext.h>

#include "CPeers.h"

enum { STACK = 64 << 10 };

// MARK: ucontext

static __thread ucontext_t resumer, resumed;
static char stack[STACK]; // benchmarks run on one thread

static void echo(void) {
    for (;;) swapcontext(&resumed, &resumer);
}

static void nothing(void) {}

static int make(void (*function)(void)) {
    if (getcontext(&resumed)) return errno;
    resumed.uc_stack.ss_sp = stack;
    resumed.uc_stack.ss_size = STACK;
    resumed.uc_link = &resumer;
    makecontext(&resumed, function, 0);
    return 0;
}

int fl_peer_ucontext_round_trips(uint64_t count) {
    int error = make(echo);
    for (uint64_t i = 0; i < count && !error; i++) {
        if (swapcontext(&resumer, &resumed)) error = errno;
    }
    return error;
}

int fl_peer_ucontext_spawn(uint64_t count) {
    int error = 0;
    for (uint64_t i = 0; i < count && !error; i++) {
        error = make(nothing);
        if (!error && swapcontext(&resumer, &resumed)) error = errno;
    }
    return error;
}

// MARK: threads

struct turns {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t taken;
    uint64_t end;
};

static void take_turns(struct turns *turns, uint64_t parity) {
    pthread_mutex_lock(&turns->mutex);
    while (turns->taken < turns->end) {
        while (turns->taken < turns->end && turns->taken % 2 != parity) {
            pthread_cond_wait(&turns->changed, &turns->mutex);
        }
        turns->taken++;
        pthread_cond_signal(&turns->changed);
    }
    pthread_mutex_unlock(&turns->mutex);
}

static void *other_thread(void *argument) {
    take_turns(argument, 1);
    return NULL;
}

int fl_peer_thread_round_trips(uint64_t count) {
    struct turns turns = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 2 * count};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, other_thread, &turns);
    if (error) return error;
    take_turns(&turns, 0);
    pthread_join(thread, NULL);
    return 0;
}

static void *no_work(void *argument) { return argument; }

int fl_peer_thread_spawn(uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, no_work, NULL);
        if (error) return error;
        pthread_join(thread, NULL);
    }
    return 0;
}

struct call {
    void (*body)(void);
};

static void *call_body(void *argument) {
    ((struct call *)argument)->body();
    return NULL;
}

int fl_peer_call_on_thread(size_t stack_size, void (*body)(void)) {
    struct call call = {body};
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);
    if (error) return error;
    error = pthread_attr_setstacksize(&attributes, stack_size);
    if (!error) error = pthread_create(&thread, &attributes, call_body, &call);
    pthread_attr_destroy(&attributes);
    return error ? error : pthread_join(thread, NULL);
}

static pthread_mutex_t never_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER, arrived = PTHREAD_COND_INITIALIZER;
static uint64_t waiting, wanted;

static void *wait_for_ever(void *argument) {
    pthread_mutex_lock(&never_mutex);
    waiting++;
    pthread_cond_signal(&arrived);
    for (;;) pthread_cond_wait(&never, &never_mutex);
    return argument;
}

uint64_t fl_peer_threads_wait(uint64_t count, int *error) {
    uint64_t made = 0;
    *error = 0;
    for (; made < count && !*error; made++) {
        pthread_t thread;
        *error = pthread_create(&thread, NULL, wait_for_ever, NULL);
        if (*error) break;
    }
    pthread_mutex_lock(&never_mutex);
    wanted += made;
    while (waiting < wanted) pthread_cond_wait(&arrived, &never_mutex);
    pthread_mutex_unlock(&never_mutex);
    return made;
}

// MARK: calls

static __attribute__((noinline)) void opaque(void) { __asm__ volatile("" ::: "memory"); }

void fl_peer_plain_calls(uint64_t count) {
    for (uint64_t i = 0; i < count; i++) opaque();
}
