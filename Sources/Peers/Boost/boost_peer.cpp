// Boost.Context as a baseline. Compiled at run time where Boost is installed, from the copy of this text that the
// program carries; loaded with dlopen. Each function does its operation `count` times and returns 0, or -1 when Boost
// threw, which it does only when memory is refused.

#include <cstdint>

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/version.hpp>

namespace context = boost::context;

namespace {

// Jumps back to where the jump here came from, for ever.
void echo(context::detail::transfer_t from) {
    for (;;) from = context::detail::jump_fcontext(from.fctx, from.data);
}

// Makes a fiber on a stack of `allocator`, runs it to its end and destroys it.
template <typename Allocator> std::int32_t spawn(std::uint64_t count, Allocator allocator) noexcept {
    try {
        for (std::uint64_t i = 0; i < count; i++) {
            context::fiber fiber(std::allocator_arg, allocator,
                                 [](context::fiber &&resumer) { return std::move(resumer); });
            fiber = std::move(fiber).resume();
        }
        return 0;
    } catch (...) {
        return -1;
    }
}

} // namespace

// Boost's version as in BOOST_VERSION: 107400 is 1.74.0.
extern "C" std::uint64_t fl_boost_version() { return BOOST_VERSION; }

// Round trips by jump_fcontext, the switch under all of Boost's coroutines and fibers.
extern "C" std::int32_t fl_boost_fcontext_round_trips(std::uint64_t count) {
    enum { size = 64 << 10 };
    alignas(64) static char stack[size];
    context::detail::transfer_t other = {context::detail::make_fcontext(stack + size, size, echo), nullptr};
    for (std::uint64_t i = 0; i < count; i++) other = context::detail::jump_fcontext(other.fctx, nullptr);
    return 0;
}

// The pool lives as long as the process, as a program's would, so that its first fill is not what is timed.
extern "C" std::int32_t fl_boost_spawn_pooled(std::uint64_t count) {
    static context::pooled_fixedsize_stack pool;
    return spawn(count, pool);
}

extern "C" std::int32_t fl_boost_spawn_fixed(std::uint64_t count) { return spawn(count, context::fixedsize_stack()); }

extern "C" std::int32_t fl_boost_spawn_protected(std::uint64_t count) {
    return spawn(count, context::protected_fixedsize_stack());
}
