/// What the scheduler needs of the system and Swift cannot express: two thread-local words, a frame that no overflow
/// abandons, and every system call with a site of its own, so that a test can make any of them fail.
///
/// Calls return what the system call returns, or the negated errno value, because errno itself belongs to the code that
/// runs on the thread. Interrupted calls are repeated here, except waiting.
#ifndef FAULTLINE_CSCHEDULER_H
#define FAULTLINE_CSCHEDULER_H

#include <netdb.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#pragma clang assume_nonnull begin

/// Every place where the scheduler calls the kernel and must handle a failure.
typedef enum __attribute__((enum_extensibility(closed))) fls_site : uint32_t {
    FLS_SITE_EPOLL_CREATE = 0,
    FLS_SITE_EPOLL_ADD,
    FLS_SITE_EPOLL_REMOVE,
    FLS_SITE_EPOLL_WAIT,
    FLS_SITE_EVENTFD,
    FLS_SITE_WAKE,         ///< write(2) to another worker's eventfd
    FLS_SITE_THREAD_START, ///< pthread_create
    FLS_SITE_NONBLOCK,     ///< fcntl(F_SETFL, O_NONBLOCK)
    FLS_SITE_READ,
    FLS_SITE_WRITE,
    FLS_SITE_ACCEPT,
    FLS_SITE_CONNECT,
    FLS_SITE_SOCKET,
    FLS_SITE_BIND,
    FLS_SITE_LISTEN,
    FLS_SITE_PIPE,
    FLS_SITE_SHUTDOWN,
    FLS_SITE_CLOSE,
    FLS_SITE_OPTION,  ///< setsockopt
    FLS_SITE_ADDRESS, ///< getsockname
    FLS_SITE_SIGNALFD,
    FLS_SITE_PEER_ADDRESS, ///< getpeername
    FLS_SITE_SEND_TO,
    FLS_SITE_RECEIVE_FROM,
    FLS_SITE_RESOLVE, ///< getaddrinfo
    FLS_SITE_COUNT,
} fls_site;

/// The name of the system call at a site, for instance "epoll_ctl".
const char *fls_site_name(fls_site site);

/// Lets the calls at `site` fail with `error` (an errno value), once `after` calls have passed, `times` times.
void fls_debug_fail(fls_site site, int error, uint32_t after, uint32_t times);

/// Lets each call at `site` wait before it is made, after it is counted; 0 ends that.
void fls_debug_pause(fls_site site, uint32_t milliseconds);

/// The number of calls at `site` since the process started.
uint64_t fls_debug_calls(fls_site site);

/// The number of descriptors that were opened or taken over here and are not closed yet.
int64_t fls_debug_descriptors(void);

/// The job that runs on this thread, and the worker whose thread this is; null elsewhere. Initial-exec, so that a read
/// is one instruction and allocates nothing.
extern __thread void *_Nullable fls_running_job __attribute__((tls_model("initial-exec")));
extern __thread void *_Nullable fls_current_worker __attribute__((tls_model("initial-exec")));

static inline void *_Nullable fls_job(void) { return fls_running_job; }
static inline void fls_set_job(void *_Nullable job) { fls_running_job = job; }
static inline void *_Nullable fls_worker(void) { return fls_current_worker; }
static inline void fls_set_worker(void *_Nullable worker) { fls_current_worker = worker; }

/// Calls `body`, which a contained overflow does not abandon: it is run to its end first, on the reserve of the stack.
void fls_call_no_abandon(void (*body)(void *_Nullable context), void *_Nullable context);

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t fls_now(void);

/// Processors that this process may run on, at least 1.
int fls_processors(void);

/// Blocks the thread for a millisecond, or less.
void fls_pause(void);

/// Starts a thread with SIGPIPE blocked, which a write to a closed pipe or connection would raise. The caller joins or
/// detaches it. Returns 0 or the negated error.
int fls_thread_start(uintptr_t *thread, void (*body)(void *_Nullable), void *_Nullable argument);
void fls_thread_join(uintptr_t thread);
void fls_thread_detach(uintptr_t thread);
/// How the kernel knows the thread that calls.
int fls_thread_number(void);

/// Waits until the semaphore is positive, and decreases it.
void fls_semaphore_wait(sem_t *semaphore);
/// The same until `deadline` of fls_now at the latest; false where that came first.
bool fls_semaphore_wait_until(sem_t *semaphore, uint64_t deadline);

/// Writes to standard error; what cannot be written is lost.
void fls_write_error(const void *bytes, size_t count);

/// An event: its registration and its directions. A hang-up or an error has both.
typedef struct fls_event {
    void *_Nullable registration;
    bool readable;
    bool writable;
} fls_event;

int fls_epoll_create(void);
/// Edge-triggered, in both directions.
int fls_epoll_add(int epoll, int descriptor, void *_Nullable registration);
int fls_epoll_remove(int epoll, int descriptor);
/// Waits at most `nanoseconds`, for ever if negative. Returns the number of events, at most `capacity` and at most 256.
int fls_epoll_wait(int epoll, fls_event *events, int capacity, int64_t nanoseconds);

int fls_eventfd(void);
int fls_wake(int eventfd);

/// Takes a descriptor over by making its open file nonblocking. Returns 0 or the negated error.
int fls_set_nonblocking(int descriptor);
ptrdiff_t fls_read(int descriptor, void *_Nullable buffer, size_t count);
ptrdiff_t fls_write(int descriptor, const void *_Nullable buffer, size_t count);
/// The new descriptor is nonblocking and closed by exec. A connection that was reset while it waited is skipped.
int fls_accept(int descriptor);
/// Returns -EINPROGRESS also for EALREADY. Call it again when the socket is writable.
int fls_connect(int descriptor, const struct sockaddr *address, socklen_t length);
/// Nonblocking and closed by exec, as all descriptors that the calls below open.
int fls_socket(int domain, int type);
/// Blocks the signals in this thread and opens a descriptor that they are read from.
int fls_signals(const int *numbers, size_t count);
int fls_pipe(int descriptors[_Nonnull 2]);
int fls_socket_pair(int descriptors[_Nonnull 2]);
int fls_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int fls_listen(int descriptor, int backlog);
/// `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
int fls_shutdown(int descriptor, int how);
/// The descriptor is closed even where an error is returned, as close(2) of Linux says.
int fls_close(int descriptor);
/// Sets an option of level SOL_SOCKET or IPPROTO_TCP to 0 or 1.
int fls_set_option(int descriptor, int level, int option, bool value);
int fls_local_address(int descriptor, struct sockaddr_storage *address, socklen_t *length);
int fls_peer_address(int descriptor, struct sockaddr_storage *address, socklen_t *length);

/// Sends one datagram.
ptrdiff_t fls_send_to(int descriptor, const void *_Nullable bytes, size_t count, const struct sockaddr *address,
                      socklen_t length);
/// Receives one datagram and its sender's address. Returns its whole length, also where `count` is less.
ptrdiff_t fls_receive_from(int descriptor, void *buffer, size_t count, struct sockaddr_storage *address,
                           socklen_t *length);

/// The addresses of a host for stream sockets. It blocks. Returns 0, or a code of gai_strerror(3); EAI_SYSTEM comes
/// with `*error`, an errno value. The caller frees the list.
int fls_resolve(const char *host, struct addrinfo *_Nullable *_Nonnull list, int *error);

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

/// What ThreadSanitizer knows a lock by; null where it is not in the process, or without memory for it.
void *_Nullable fls_lock_sign(void);
void fls_lock_forget(void *_Nullable sign);

/// Tells it that this thread has the lock.
static inline void fls_lock_taken(void *_Nullable sign) {
    if (sign) __tsan_acquire(sign);
}

/// And that it is about to leave it.
static inline void fls_lock_left(void *_Nullable sign) {
    if (sign) __tsan_release(sign);
}

#pragma clang assume_nonnull end
#endif
