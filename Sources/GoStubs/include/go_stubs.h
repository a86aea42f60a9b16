// Code that `faultline go strip` adds to a Go program: it guards the low end of each goroutine's stack and ends the
// program when one overflows. It is never run here; GoBinary copies its bytes. Position-independent; nothing in it is
// written to.
//
//     marker     16 bytes of text, by which a patched program is known
//     parameters five numbers, filled in when it is copied
//     code       the entries below
//     message    text, appended when it is copied
#ifndef FAULTLINE_GO_STUBS_H
#define FAULTLINE_GO_STUBS_H

#include <stdint.h>

#if __has_attribute(swift_name)
#define FL_SWIFT_NAME(name) __attribute__((swift_name(name)))
#else
#define FL_SWIFT_NAME(name)
#endif

#pragma clang assume_nonnull begin

/// Filled in when the code is copied; little-endian.
struct FL_SWIFT_NAME("GoStubParameters") fl_go_stub_parameters {
    /// Stacks of this size and larger ones are guarded, in bytes.
    uint64_t threshold;
    /// Bytes of a guard, a multiple of the page size.
    uint64_t guard_size;
    /// Where thread-local storage holds the goroutine, from the thread pointer.
    int64_t tls_offset;
    /// Bytes of the message.
    uint64_t message_length;
    /// Where the record of a thread notes that a signal by which Go preempts is under way: `signalPending` of `m`, of
    /// four bytes.
    int64_t pending_offset;
};

/// Where the parts are, in bytes from the first. All zero where the code is not for this processor.
struct FL_SWIFT_NAME("GoStubLayout") fl_go_stub_layout {
    uint32_t size;
    uint32_t marker_length;
    uint32_t parameters;
    /// Installs a guard. rax: low end of a stack, rbx: its high end. Keeps both, r14, r15, rbp and xmm15.
    uint32_t install_guard;
    /// Removes it, with the same registers.
    uint32_t remove_guard;
    /// Looks at a signal before Go does. eax: number, rbx: siginfo, rcx: ucontext.
    uint32_t on_signal;
    /// Where a signal that is Go's goes on: room for a jump.
    uint32_t on_signal_end;
    /// Around minit, and room for a jump to it.
    uint32_t on_thread;
    uint32_t on_thread_end;
};

extern const uint8_t fl_go_stub_begin[];
/// The first byte.
static inline const uint8_t *fl_go_stub_code(void) { return fl_go_stub_begin; }
/// Where the parts are.
extern const struct fl_go_stub_layout fl_go_stub_layout;

#pragma clang assume_nonnull end

#endif
