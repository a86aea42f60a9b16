// C++ exceptions that stay inside C++ frames while code below them suspends.
#include <exception>

// TestSupport.h, which declares these for C and Swift, includes headers that are no C++.
extern "C" {
int ts_catch_around(int, void (*)(void *), void *);
int ts_unwind_around(void (*)(void *), void *);
int ts_uncaught_exceptions(void);
bool ts_handles_exception(void);
void ts_throw(int);
}

int ts_catch_around(int thrown, void (*body)(void *), void *context) {
    try {
        try {
            throw thrown;
        } catch (int) {
            body(context);
            throw; // what this frame caught, whatever others caught meanwhile
        }
    } catch (int rethrown) {
        return rethrown;
    }
    return -1;
}

namespace {
struct Guard {
    void (*body)(void *);
    void *context;
    int *uncaught;
    ~Guard() {
        body(context);
        *uncaught = std::uncaught_exceptions();
    }
};
} // namespace

int ts_unwind_around(void (*body)(void *), void *context) {
    int uncaught = -1;
    try {
        Guard guard{body, context, &uncaught};
        throw 1;
    } catch (int) {
    }
    return uncaught;
}

int ts_uncaught_exceptions(void) { return std::uncaught_exceptions(); }

bool ts_handles_exception(void) { return static_cast<bool>(std::current_exception()); }

void ts_throw(int value) { throw value; }
