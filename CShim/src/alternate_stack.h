/// What each thread has before a coroutine runs on it.
#ifndef FAULTLINE_INTERNAL_ALTERNATE_STACK_H
#define FAULTLINE_INTERNAL_ALTERNATE_STACK_H

#include "common.h"

#pragma clang assume_nonnull begin

typedef struct fl_thread {
    uintptr_t morestack_base; ///< of the stack that __morestack's work runs on; read by src/arch
    uintptr_t tls_low;        ///< static TLS block [tls_low, tls_high)
    uintptr_t tls_high;
    void *mapping;
    size_t mapping_size;
    bool owns_alternate_stack;
    uint8_t ends; ///< rounds of destructors that have asked for its end
} fl_thread;

extern __thread fl_thread *_Nullable fl_this_thread __attribute__((tls_model("initial-exec")));

#pragma clang assume_nonnull end
#endif
