// Boost.Context as a baseline.
#include "protocol.h"

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/version.hpp>

namespace context = boost::context;

namespace {

// Jumps back to where the jump here came from, for ever. What is handed over counts.
void echo(context::detail::transfer_t from) {
    for (;;) from = context::detail::jump_fcontext(from.fctx, static_cast<char *>(from.data) + 1);
}

// Round trips by jump_fcontext, the switch under all of Boost's coroutines and fibers.
outcome round_trips(std::uint64_t count) {
    enum { size = 64 << 10 };
    alignas(64) static char stack[size];
    context::detail::transfer_t other = {context::detail::make_fcontext(stack + size, size, echo), nullptr};
    std::uint64_t began = now();
    for (std::uint64_t i = 0; i < count; i++) other = context::detail::jump_fcontext(other.fctx, other.data);
    return {now() - began, reinterpret_cast<std::uint64_t>(other.data)};
}

// Makes a fiber on a stack of `allocator`, runs it to its end and destroys it.
template <typename Allocator> outcome spawn(std::uint64_t count, Allocator allocator) {
    std::uint64_t done = 0, began = now();
    for (std::uint64_t i = 0; i < count; i++) {
        context::fiber fiber(std::allocator_arg, allocator, [&done](context::fiber &&resumer) {
            done++;
            return std::move(resumer);
        });
        fiber = std::move(fiber).resume();
    }
    return {now() - began, done};
}

// The pool lives as long as the process, as a program's would, so that its first fill is not what is timed.
outcome spawn_pooled(std::uint64_t count) {
    static context::pooled_fixedsize_stack pool;
    return spawn(count, pool);
}

outcome spawn_fixed(std::uint64_t count) { return spawn(count, context::fixedsize_stack()); }

outcome spawn_protected(std::uint64_t count) { return spawn(count, context::protected_fixedsize_stack()); }

} // namespace

int main() {
    const operation operations[] = {{"round-trip", round_trips},
                                    {"spawn-pooled", spawn_pooled},
                                    {"spawn-fixed", spawn_fixed},
                                    {"spawn-protected", spawn_protected}};
    char version[64];
    snprintf(version, sizeof version, "boost %d.%d.%d", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
             BOOST_VERSION % 100);
    answer_lines(version, operations, sizeof operations / sizeof *operations);
    return 0;
}
