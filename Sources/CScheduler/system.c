// Every system call of the scheduler. None of them blocks except the wait for events, for semaphores and for names.
#define _GNU_SOURCE
#include "CScheduler.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

__thread void *fls_running_job __attribute__((tls_model("initial-exec")));
__thread void *fls_current_worker __attribute__((tls_model("initial-exec")));

// MARK: injected failures

typedef struct armed_failure {
    _Atomic(int) error;     // 0 when disarmed
    _Atomic(int64_t) pass;  // calls to let pass
    _Atomic(int64_t) times; // failures that are left
} armed_failure;

static armed_failure armed[FLS_SITE_COUNT];
static _Atomic(uint32_t) pauses[FLS_SITE_COUNT]; // milliseconds
static _Atomic(uint64_t) calls[FLS_SITE_COUNT];

static const char *const names[FLS_SITE_COUNT] = {
    "epoll_create1",  "epoll_ctl(ADD)", "epoll_ctl(DEL)", "epoll_wait", "eventfd",
    "write(eventfd)", "pthread_create", "fcntl(F_SETFL)", "read",       "write",
    "accept4",        "connect",        "socket",         "bind",       "listen",
    "pipe2",          "shutdown",       "close",          "setsockopt", "getsockname",
    "signalfd",       "getpeername",    "sendto",         "recvfrom",   "getaddrinfo",
};

const char *fls_site_name(fls_site site) { return site < FLS_SITE_COUNT ? names[site] : "unknown"; }

void fls_debug_fail(fls_site site, int error, uint32_t after, uint32_t times) {
    atomic_store(&armed[site].error, 0);
    atomic_store(&armed[site].pass, after);
    atomic_store(&armed[site].times, times);
    atomic_store(&armed[site].error, error);
}

void fls_debug_pause(fls_site site, uint32_t milliseconds) { atomic_store(&pauses[site], milliseconds); }

uint64_t fls_debug_calls(fls_site site) { return atomic_load(&calls[site]); }

static _Atomic(int64_t) descriptors;

int64_t fls_debug_descriptors(void) { return atomic_load(&descriptors); }

// Counts `number` new descriptors unless `result` is an error, and passes it on.
static int opened(int result, int number) {
    if (result >= 0) atomic_fetch_add_explicit(&descriptors, number, memory_order_relaxed);
    return result < 0 ? -errno : result;
}

// The error to inject at this call, 0 for none.
static int injected(fls_site site) {
    atomic_fetch_add_explicit(&calls[site], 1, memory_order_relaxed);
    for (uint32_t left = atomic_load_explicit(&pauses[site], memory_order_relaxed); left > 0; left--) fls_pause();
    int error = atomic_load_explicit(&armed[site].error, memory_order_acquire);
    if (error == 0) return 0;
    if (atomic_fetch_sub(&armed[site].pass, 1) > 0) return 0;
    return atomic_fetch_sub(&armed[site].times, 1) > 0 ? error : 0;
}

#define FAIL_IF_INJECTED(site)                      \
    do {                                            \
        int injected_error = injected(site);        \
        if (injected_error) return -injected_error; \
    } while (0)

#define REPEAT_IF_INTERRUPTED(type, call)            \
    do {                                             \
        type result;                                 \
        do result = (call);                          \
        while (result < 0 && errno == EINTR);        \
        return result < 0 ? (type) - errno : result; \
    } while (0)

// MARK: the machine and its threads

uint64_t fls_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail: the clock exists and `now` is ours
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int fls_processors(void) {
    // A fixed set holds 1,024 processors. Where there are more the call fails, and all that are online count.
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? count : 1;
}

typedef struct thread_entry {
    void (*body)(void *);
    void *argument;
} thread_entry;

static void *thread_main(void *pointer) {
    thread_entry entry = *(thread_entry *)pointer;
    free(pointer);
    entry.body(entry.argument);
    return NULL;
}

int fls_thread_start(uintptr_t *thread, void (*body)(void *), void *argument) {
    FAIL_IF_INJECTED(FLS_SITE_THREAD_START);
    thread_entry *entry = malloc(sizeof *entry);
    if (!entry) return -ENOMEM;
    *entry = (thread_entry){.body = body, .argument = argument};
    // The new thread inherits the mask, so that it never runs without.
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    int error = pthread_sigmask(SIG_BLOCK, &pipe, &before);
    pthread_t started;
    if (!error) {
        error = pthread_create(&started, NULL, thread_main, entry);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (error) {
        free(entry);
        return -error;
    }
    *thread = (uintptr_t)started;
    return 0;
}

void fls_thread_join(uintptr_t thread) { (void)pthread_join((pthread_t)thread, NULL); }
void fls_thread_detach(uintptr_t thread) { (void)pthread_detach((pthread_t)thread); }
int fls_thread_number(void) { return gettid(); }

void fls_semaphore_wait(sem_t *semaphore) {
    while (sem_wait(semaphore) < 0 && errno == EINTR) continue;
}

bool fls_semaphore_wait_until(sem_t *semaphore, uint64_t deadline) {
    struct timespec end = {.tv_sec = (time_t)(deadline / 1000000000), .tv_nsec = (long)(deadline % 1000000000)};
    int result;
    do result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &end);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

void fls_pause(void) {
    struct timespec millisecond = {.tv_sec = 0, .tv_nsec = 1000000};
    (void)nanosleep(&millisecond, NULL);
}

// MARK: events

enum { EVENTS_AT_ONCE = 256 };

int fls_epoll_create(void) {
    FAIL_IF_INJECTED(FLS_SITE_EPOLL_CREATE);
    return opened(epoll_create1(EPOLL_CLOEXEC), 1);
}

int fls_epoll_add(int epoll, int descriptor, void *registration) {
    FAIL_IF_INJECTED(FLS_SITE_EPOLL_ADD);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = registration};
    REPEAT_IF_INTERRUPTED(int, epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int fls_epoll_remove(int epoll, int descriptor) {
    FAIL_IF_INJECTED(FLS_SITE_EPOLL_REMOVE);
    REPEAT_IF_INTERRUPTED(int, epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL));
}

static int wait_for_events(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    if (nanoseconds == 0 || nanoseconds < 0) return epoll_wait(epoll, events, capacity, nanoseconds < 0 ? -1 : 0);
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &timeout, NULL);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    // Before Linux 5.11, or where a filter forbids it: milliseconds, rounded up so that no wait ends early and spins.
    int64_t milliseconds = (nanoseconds + 999999) / 1000000;
    return epoll_wait(epoll, events, capacity, milliseconds > 1000000000 ? 1000000000 : (int)milliseconds);
}

int fls_epoll_wait(int epoll, fls_event *arrived, int capacity, int64_t nanoseconds) {
    FAIL_IF_INJECTED(FLS_SITE_EPOLL_WAIT);
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = wait_for_events(epoll, events, capacity < EVENTS_AT_ONCE ? capacity : EVENTS_AT_ONCE, nanoseconds);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        uint32_t both = events[i].events & (EPOLLHUP | EPOLLERR);
        arrived[i] = (fls_event){
            .registration = events[i].data.ptr,
            .readable = (events[i].events & (EPOLLIN | EPOLLRDHUP)) || both,
            .writable = (events[i].events & EPOLLOUT) || both,
        };
    }
    return count;
}

int fls_eventfd(void) {
    FAIL_IF_INJECTED(FLS_SITE_EVENTFD);
    return opened(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 1);
}

int fls_wake(int eventfd) {
    FAIL_IF_INJECTED(FLS_SITE_WAKE);
    uint64_t one = 1;
    REPEAT_IF_INTERRUPTED(int, (int)write(eventfd, &one, sizeof one));
}

// MARK: descriptors

int fls_set_nonblocking(int descriptor) {
    FAIL_IF_INJECTED(FLS_SITE_NONBLOCK);
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    return opened(flags & O_NONBLOCK ? 0 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK), 1);
}

ptrdiff_t fls_read(int descriptor, void *buffer, size_t count) {
    FAIL_IF_INJECTED(FLS_SITE_READ);
    REPEAT_IF_INTERRUPTED(ptrdiff_t, read(descriptor, buffer, count));
}

ptrdiff_t fls_write(int descriptor, const void *buffer, size_t count) {
    FAIL_IF_INJECTED(FLS_SITE_WRITE);
    REPEAT_IF_INTERRUPTED(ptrdiff_t, write(descriptor, buffer, count));
}

int fls_accept(int descriptor) {
    FAIL_IF_INJECTED(FLS_SITE_ACCEPT);
    int accepted;
    do accepted = accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (accepted < 0 && (errno == EINTR || errno == ECONNABORTED));
    return opened(accepted, 1);
}

int fls_connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    FAIL_IF_INJECTED(FLS_SITE_CONNECT);
    if (connect(descriptor, address, length) == 0) return 0;
    // An interrupted connect goes on in the background, as one in progress does.
    return errno == EALREADY || errno == EINTR ? -EINPROGRESS : -errno;
}

int fls_socket(int domain, int type) {
    FAIL_IF_INJECTED(FLS_SITE_SOCKET);
    return opened(socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 1);
}

int fls_pipe(int numbers[2]) {
    FAIL_IF_INJECTED(FLS_SITE_PIPE);
    return opened(pipe2(numbers, O_NONBLOCK | O_CLOEXEC), 2);
}

int fls_socket_pair(int numbers[2]) {
    FAIL_IF_INJECTED(FLS_SITE_SOCKET);
    return opened(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, numbers), 2);
}

int fls_signals(const int *numbers, size_t count) {
    FAIL_IF_INJECTED(FLS_SITE_SIGNALFD);
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        if (sigaddset(&set, numbers[i]) < 0) return -errno;
    }
    int error = pthread_sigmask(SIG_BLOCK, &set, &before);
    if (error) return -error;
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor >= 0) return opened(descriptor, 1);
    error = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

int fls_bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    FAIL_IF_INJECTED(FLS_SITE_BIND);
    REPEAT_IF_INTERRUPTED(int, bind(descriptor, address, length));
}

int fls_listen(int descriptor, int backlog) {
    FAIL_IF_INJECTED(FLS_SITE_LISTEN);
    REPEAT_IF_INTERRUPTED(int, listen(descriptor, backlog));
}

int fls_shutdown(int descriptor, int how) {
    FAIL_IF_INJECTED(FLS_SITE_SHUTDOWN);
    REPEAT_IF_INTERRUPTED(int, shutdown(descriptor, how));
}

int fls_close(int descriptor) {
    // An injected failure closes as well, as the kernel does.
    int error = injected(FLS_SITE_CLOSE);
    int result = close(descriptor);
    atomic_fetch_sub_explicit(&descriptors, 1, memory_order_relaxed);
    if (error) return -error;
    // The number is closed all the same. Repeating could close a descriptor that another thread has just opened under
    // it.
    return result < 0 && errno != EINTR ? -errno : 0;
}

int fls_set_option(int descriptor, int level, int option, bool value) {
    FAIL_IF_INJECTED(FLS_SITE_OPTION);
    int number = value;
    REPEAT_IF_INTERRUPTED(int, setsockopt(descriptor, level, option, &number, sizeof number));
}

int fls_local_address(int descriptor, struct sockaddr_storage *address, socklen_t *length) {
    FAIL_IF_INJECTED(FLS_SITE_ADDRESS);
    REPEAT_IF_INTERRUPTED(int, getsockname(descriptor, (struct sockaddr *)address, length));
}

int fls_peer_address(int descriptor, struct sockaddr_storage *address, socklen_t *length) {
    FAIL_IF_INJECTED(FLS_SITE_PEER_ADDRESS);
    REPEAT_IF_INTERRUPTED(int, getpeername(descriptor, (struct sockaddr *)address, length));
}

ptrdiff_t fls_send_to(int descriptor, const void *bytes, size_t count, const struct sockaddr *address,
                      socklen_t length) {
    FAIL_IF_INJECTED(FLS_SITE_SEND_TO);
    REPEAT_IF_INTERRUPTED(ptrdiff_t, sendto(descriptor, bytes, count, 0, address, length));
}

ptrdiff_t fls_receive_from(int descriptor, void *buffer, size_t count, struct sockaddr_storage *address,
                           socklen_t *length) {
    FAIL_IF_INJECTED(FLS_SITE_RECEIVE_FROM);
    REPEAT_IF_INTERRUPTED(ptrdiff_t,
                          recvfrom(descriptor, buffer, count, MSG_TRUNC, (struct sockaddr *)address, length));
}

int fls_resolve(const char *host, struct addrinfo **list, int *error) {
    *error = injected(FLS_SITE_RESOLVE);
    if (*error) return EAI_SYSTEM;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int result = getaddrinfo(host, NULL, &hints, list);
    *error = result == EAI_SYSTEM ? errno : 0;
    return result;
}

// MARK: messages

void fls_write_error(const void *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes = (const char *)bytes + written;
        count -= (size_t)written;
    }
}

// MARK: locks

void *fls_lock_sign(void) { return __tsan_acquire ? malloc(1) : NULL; }
void fls_lock_forget(void *sign) { free(sign); }
