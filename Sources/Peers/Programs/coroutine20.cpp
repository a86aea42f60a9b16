// Coroutines of C++20, which have no stacks: each call of one that may suspend takes its frame from the heap.
#include "protocol.h"

#include <coroutine>
#include <exception>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

// A call that may suspend. Its caller awaits it, and it continues its caller when it ends.
class call {
  public:
    struct promise_type {
        std::coroutine_handle<> caller = std::noop_coroutine();
        uint64_t value = 0;

        call get_return_object() { return call(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct to_caller {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                    return self.promise().caller;
                }
                void await_resume() noexcept {}
            };
            return to_caller{};
        }
        void return_value(uint64_t result) { value = result; }
        void unhandled_exception() { std::terminate(); }
    };

    explicit call(std::coroutine_handle<promise_type> handle) : handle(handle) {}
    call(call &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~call() {
        if (handle) handle.destroy();
    }

    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        handle.promise().caller = caller;
        return handle;
    }
    uint64_t await_resume() { return handle.promise().value; }

    void start() { handle.resume(); }
    bool done() const { return handle.done(); }
    uint64_t value() const { return handle.promise().value; }

  private:
    std::coroutine_handle<promise_type> handle;
};

std::vector<std::coroutine_handle<>> waiting;

struct wait_for_resume {
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> innermost) { waiting.push_back(innermost); }
    void await_resume() {}
};

// The recursion of a request's handler, as in Tasks.swift: four values are used after the call below.
__attribute__((noinline)) call handle(uint64_t depth) {
    uint64_t first = depth * 0x9E37, second = depth ^ 0x79B9, third = depth + 0x7F4A, fourth = depth * depth;
    asm volatile("" : "+r"(first), "+r"(second), "+r"(third), "+r"(fourth));
    if (depth == 0) {
        co_await wait_for_resume{};
        co_return first;
    }
    uint64_t below = co_await handle(depth - 1);
    co_return (below + first) ^ (second + third) ^ fourth;
}

// Never suspends.
__attribute__((noinline)) call nothing(uint64_t value) { co_return value; }

__attribute__((noinline)) call take_turns(uint64_t count) {
    for (uint64_t turn = 0; turn < count; turn++) co_await wait_for_resume{};
    co_return count;
}

uint64_t resident() {
    unsigned long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lu %lu", &size, &pages) != 2) pages = 0;
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Bytes, in place of nanoseconds, that `count` of them take which wait that deep in their handlers.
outcome suspended(uint64_t count, uint64_t depth) {
    waiting = {};
    waiting.reserve(count);
    std::vector<call> calls;
    calls.reserve(count);
    uint64_t before = resident();
    for (uint64_t i = 0; i < count; i++) {
        calls.push_back(handle(depth));
        calls.back().start();
    }
    uint64_t after = resident();
    uint64_t ended = 0;
    for (auto innermost : std::exchange(waiting, {})) innermost.resume();
    for (auto &one : calls) ended += one.done();
    return {after > before ? after - before : 0, ended};
}

outcome suspend(uint64_t count) { return suspended(count, 8); }
outcome suspend_deep(uint64_t count) { return suspended(count, 10000); }

outcome spawn(uint64_t count) {
    uint64_t ended = 0;
    uint64_t began = now();
    for (uint64_t i = 0; i < count; i++) {
        call one = nothing(1);
        one.start();
        ended += one.value();
    }
    return {now() - began, ended};
}

outcome turns(uint64_t count) {
    waiting = {};
    waiting.reserve(1);
    call one = take_turns(count);
    one.start();
    uint64_t done = 0;
    uint64_t began = now();
    while (!one.done()) {
        auto next = waiting.back();
        waiting.pop_back();
        next.resume();
        done++;
    }
    return {now() - began, done};
}

} // namespace

int main() {
    static const operation operations[] = {
        {"suspend", suspend}, {"suspend-deep", suspend_deep}, {"spawn", spawn}, {"switch", turns}};
    answer_lines("c++20", operations, sizeof operations / sizeof *operations);
    return 0;
}
