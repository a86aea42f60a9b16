// Following one call of a program instruction by instruction. A shadow of its stack has the calls that have not
// returned: where the stack pointer was at entry, and the lowest that it has been since. A call is over when the stack
// pointer is above its entry, however it got there. Other threads run on.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CProbes.h"

typedef struct frame {
    size_t function;
    uint64_t entry, lowest;
} frame;

typedef struct stepper {
    const fl_step_request *request;
    fl_step_mark *marks;
    frame *frames;
    size_t count, capacity;
    /// The thread that is followed, 0 before the call.
    pid_t thread;
    /// The stack that is looked at, and in Go programs the goroutine that has it.
    uint64_t low, high, goroutine;
    /// Whether the stack pointer was in it.
    bool was_own;
    /// The first bytes of the function that is waited for.
    long code;
    /// Whether that thread is left stopped until no other has anything to tell.
    bool is_stopped;
    /// Whether a frame was forgotten.
    bool is_cut;
    bool is_over;
    int error;
} stepper;

typedef struct user_regs_struct registers;

enum { TRACING_REFUSED = 126, EXEC_FAILED = 127, NONE = -1, TURN = 256 };

static bool peek(pid_t id, uint64_t address, uint64_t *word) {
    errno = 0;
    *word = (uint64_t)ptrace(PTRACE_PEEKDATA, id, (void *)address, NULL);
    return errno == 0;
}

/// The number of the function that begins at `address`, or NONE.
static ssize_t function_at(const fl_step_request *request, uint64_t address) {
    size_t low = 0, high = request->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (request->entries[middle] < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < request->count && request->entries[low] == address ? (ssize_t)low : NONE;
}

/// The last call is over.
static void leave(stepper *it) {
    frame *last = &it->frames[--it->count];
    uint64_t depth = last->entry - last->lowest;
    if (it->count) {
        if (last->lowest < last[-1].lowest) last[-1].lowest = last->lowest;
    } else {
        it->is_over = true;
        if (it->is_cut) return;
    }
    fl_step_mark *mark = &it->marks[last->function];
    mark->calls++;
    if (depth > mark->deepest) mark->deepest = depth;
}

static void enter(stepper *it, size_t function, uint64_t pointer) {
    if (it->count) {
        // Behind the growth of a stack a function begins again.
        const frame *last = &it->frames[it->count - 1];
        if (last->function == function && last->entry == pointer) return;
    }
    if (it->count == it->capacity) {
        size_t more = it->capacity ? 2 * it->capacity : 64;
        frame *larger = realloc(it->frames, more * sizeof(frame));
        if (!larger) {
            it->error = ENOMEM;
            return;
        }
        it->frames = larger;
        it->capacity = more;
    }
    it->frames[it->count++] = (frame){.function = function, .entry = pointer, .lowest = pointer};
}

/// A goroutine begins with the ends of its stack.
static bool find_stack(stepper *it) {
    return peek(it->thread, it->goroutine, &it->low) && peek(it->thread, it->goroutine + 8, &it->high);
}

/// The goroutine may have another stack, where everything is at the same distance from the high end.
static void move(stepper *it) {
    uint64_t high = it->high;
    if (!find_stack(it)) it->error = EFAULT;
    for (size_t i = 0; i < it->count; i++) {
        it->frames[i].entry += it->high - high;
        it->frames[i].lowest += it->high - high;
    }
}

/// Looks at the state before an instruction.
static void look(stepper *it, const registers *now) {
    uint64_t pointer = now->rsp;
    // It comes back to this thread from other stacks, and may have grown on another thread meanwhile.
    if (it->request->stack_free && !it->was_own && pointer >= it->low && pointer < it->high) move(it);
    bool is_own = it->was_own = pointer >= it->low && pointer < it->high;
    if (is_own) {
        while (it->count && pointer > it->frames[it->count - 1].entry) leave(it);
        if (it->is_over) return;
        frame *last = &it->frames[it->count - 1];
        if (pointer < last->lowest) last->lowest = pointer;
    }
    ssize_t function = function_at(it->request, now->rip);
    if (function == NONE) return;
    // Its argument is the stack, in registers since Go 1.17; a goroutine that is given another has that already.
    if (it->request->stack_free && now->rip == it->request->stack_free && now->rax == it->low) move(it);
    if (!is_own) return;
    if (it->request->ends[function]) {
        it->is_cut = true;
        it->count = 1;
    } else {
        enter(it, (size_t)function, pointer);
    }
}

static bool set_breakpoint(stepper *it, pid_t id, bool is_set) {
    void *address = (void *)it->request->entries[it->request->start];
    if (is_set) {
        errno = 0;
        it->code = ptrace(PTRACE_PEEKTEXT, id, address, NULL);
        if (errno) return false;
    }
    // int3
    return ptrace(PTRACE_POKETEXT, id, address, (void *)(is_set ? (it->code & ~0xffL) | 0xcc : it->code)) == 0;
}

/// A thread has met the breakpoint.
static void arrive(stepper *it, pid_t id, registers *now) {
    it->thread = id;
    now->rip--;
    if (!set_breakpoint(it, id, false) || ptrace(PTRACE_SETREGS, id, NULL, now)) it->error = errno;
    it->high = UINT64_MAX;
    it->goroutine = now->r14;
    if (it->request->stack_free && (!find_stack(it) || now->rsp < it->low || now->rsp >= it->high))
        it->error = EFAULT;
    else
        enter(it, it->request->start, now->rsp);
}

/// In the child.
static _Noreturn void begin(const fl_step_request *request) {
    setpgid(0, 0);
    // Threads that work for others may have signals blocked, and the program would inherit that.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++) dup2(nothing, i);
    // Ends it even where all of its threads wait.
    alarm(request->seconds);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) _exit(TRACING_REFUSED);
    execve(request->arguments[0], request->arguments, request->environment);
    _exit(EXEC_FAILED);
}

/// Waits for any thread. One that is stepped is there again at once, and could be all that is ever seen: now and then
/// it waits until no other has anything to tell, which may be what it waits for itself, or the end of its time.
static pid_t wait_for_any(stepper *it, pid_t child, int *status) {
    pid_t id = waitpid(-child, status, __WALL | (it->is_stopped ? WNOHANG : 0));
    if (id != 0) return id;
    it->is_stopped = false;
    if (ptrace(PTRACE_SINGLESTEP, it->thread, NULL, NULL) && errno != ESRCH) return -1;
    return waitpid(-child, status, __WALL);
}

static int follow(stepper *it, pid_t child, uint64_t *instructions) {
    while (!it->is_over && !it->error) {
        int status;
        pid_t id = wait_for_any(it, child, &status);
        if (id < 0 && errno == EINTR) continue;
        if (id < 0) return errno;
        if (!WIFSTOPPED(status)) {
            if (id != child) continue;
            return WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ETIMEDOUT : ECHILD;
        }
        int delivered = WSTOPSIG(status);
        // Go would do nothing about it.
        if (delivered == SIGALRM) return ETIMEDOUT;
        if (status >> 16 || delivered == SIGSTOP) {
            // A thread was made, or begins.
            delivered = 0;
        } else if (delivered == SIGTRAP) {
            registers now;
            delivered = 0;
            if (ptrace(PTRACE_GETREGS, id, NULL, &now)) {
                if (errno != ESRCH) return errno;
            } else if (id == it->thread) {
                look(it, &now);
                it->is_stopped = ++*instructions % TURN == 0;
                if (it->is_stopped) continue;
            } else if (!it->thread && now.rip == it->request->entries[it->request->start] + 1) {
                arrive(it, id, &now);
            }
        }
        // ESRCH: it was ended meanwhile, which the next wait tells.
        if (ptrace(id == it->thread ? PTRACE_SINGLESTEP : PTRACE_CONT, id, NULL, (void *)(uintptr_t)delivered) &&
            errno != ESRCH)
            return errno;
    }
    return it->error;
}

int fl_step_marks(const fl_step_request *request, fl_step_mark *marks, uint64_t *instructions) {
    stepper it = {.request = request, .marks = marks};
    memset(marks, 0, request->count * sizeof *marks);
    *instructions = 0;
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) begin(request);
    // Both do it, so that it is done before either goes on.
    setpgid(child, child);
    int status, result;
    if (waitpid(child, &status, 0) != child) return ECHILD;
    if (!WIFSTOPPED(status)) return WIFEXITED(status) && WEXITSTATUS(status) == TRACING_REFUSED ? EPERM : ECHILD;
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) ||
        !set_breakpoint(&it, child, true) || ptrace(PTRACE_CONT, child, NULL, NULL))
        result = errno;
    else
        result = follow(&it, child, instructions);
    kill(-child, SIGKILL);
    while (waitpid(-child, &status, __WALL) > 0 || errno == EINTR) continue;
    free(it.frames);
    return result;
}
