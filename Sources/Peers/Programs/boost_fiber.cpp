// Boost.Fiber as a baseline: its scheduler of one thread, as it is by default.
#include "protocol.h"

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <boost/version.hpp>

namespace fibers = boost::fibers;

namespace {

// The thread's own fiber and another yield in turn; a round trip is a turn of the other.
outcome round_trips(std::uint64_t count) {
    std::uint64_t turns = 0;
    fibers::fiber other([&turns, count] {
        while (turns < count) {
            turns++;
            boost::this_fiber::yield();
        }
    });
    std::uint64_t began = now();
    while (turns < count) boost::this_fiber::yield();
    std::uint64_t took = now() - began;
    other.join();
    return {took, turns};
}

// The pool lives as long as the process, as a program's would.
outcome spawn(std::uint64_t count) {
    static fibers::pooled_fixedsize_stack pool;
    std::uint64_t done = 0, began = now();
    for (std::uint64_t i = 0; i < count; i++) {
        fibers::fiber(std::allocator_arg, pool, [&done] { done++; }).join();
    }
    return {now() - began, done};
}

} // namespace

int main() {
    const operation operations[] = {{"round-trip", round_trips}, {"spawn", spawn}};
    char version[64];
    snprintf(version, sizeof version, "boost %d.%d.%d", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
             BOOST_VERSION % 100);
    answer_lines(version, operations, sizeof operations / sizeof *operations);
    return 0;
}
