// The C++ standard library's own recursion: the matcher of regular expressions, destructors of nested containers,
// exceptions that pass many frames.
#include "ForeignCode.h"

#include <map>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int letters = 8000;  // of the text that is matched: each takes several frames
constexpr int nesting = 20000; // of containers
constexpr int frames = 1000;   // that an exception passes

struct nested {
    std::vector<nested> inner;
    std::map<int, std::string> names;
};

struct counted {
    explicit counted(long &count) : count(count) {}
    ~counted() { count++; }
    long &count;
};

[[gnu::noinline]] long descend(int depth, long &unwound) {
    counted here(unwound);
    if (depth == 0) throw std::runtime_error("from the bottom");
    return descend(depth - 1, unwound) + depth;
}

// Catches, does something else that throws and catches, and rethrows what it had caught.
[[gnu::noinline]] long descend_and_rethrow(int depth, long &unwound) {
    counted here(unwound);
    if (depth == 0) throw std::out_of_range("from below");
    try {
        return descend_and_rethrow(depth - 1, unwound) + depth;
    } catch (const std::out_of_range &) {
        try {
            throw depth;
        } catch (int other) {
            unwound += other & 1;
        }
        throw;
    }
}

} // namespace

extern "C" bool fc_regex(fc_job *job) {
    std::string text(letters + job->step, 'a');
    std::smatch match;
    std::regex pattern(job->step % 2 ? "(a|b)*c?" : "((a)|(b|aa))*");
    bool found = std::regex_match(text, match, pattern);
    fc_note(job, "%d at %ld, ", found, found ? static_cast<long>(match.position(1)) : -1);
    std::regex backtracking("(a*)*b");
    fc_note(job, "%d\n", std::regex_search(std::string(10, 'a'), backtracking));
    return ++job->step < 4;
}

extern "C" bool fc_nested(fc_job *job) {
    auto outermost = std::make_unique<nested>();
    nested *innermost = outermost.get();
    for (int depth = 0; depth < nesting; depth++) {
        innermost->names[depth] = std::to_string(depth + static_cast<int>(job->seed));
        innermost->inner.resize(1 + depth % 2);
        innermost = &innermost->inner.back();
    }
    auto copy = std::make_unique<nested>(*outermost); // recursion of the copy constructor
    outermost.reset();
    long size = 0;
    for (nested *at = copy.get(); !at->inner.empty(); at = &at->inner.back()) {
        size += static_cast<long>(at->inner.size() + at->names.begin()->second.size());
    }
    copy.reset();
    fc_note(job, "%ld\n", size);
    return ++job->step < 3;
}

extern "C" bool fc_exceptions(fc_job *job) {
    long unwound = 0;
    std::string text;
    try {
        descend(frames, unwound);
    } catch (const std::exception &error) {
        text = error.what();
    }
    fc_note(job, "%s through %ld frames, ", text.c_str(), unwound);
    unwound = 0;
    try {
        descend_and_rethrow(frames / 10, unwound);
    } catch (const std::exception &error) {
        text = error.what();
    }
    fc_note(job, "%s %ld, %d\n", text.c_str(), unwound, std::uncaught_exceptions());
    return ++job->step < 5;
}
