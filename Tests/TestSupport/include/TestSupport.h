/// What tests need and Swift cannot say: frames of a given size, pointers in given registers, faults of every kind,
/// signal handlers with every combination of flags, fork.
#ifndef FAULTLINE_TEST_SUPPORT_H
#define FAULTLINE_TEST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CShim.h"

#pragma clang assume_nonnull begin

// MARK: stacks

/// The stack that runs on this thread, null on a thread's own.
const fl_stack *_Nullable ts_running_stack(void);

/// Whether the head of Swift's exclusivity access set was found.
bool ts_access_set_is_known(void);

/// Gives up the right to lock memory beyond RLIMIT_MEMLOCK. Returns 0 or an errno value.
int ts_drop_lock_capability(void);

/// An address on the stack that runs.
void *ts_stack_address(void);

/// The kernel's number of this thread.
int ts_thread_id(void);

/// Touches `pages` pages below the stack pointer, one after the other, downward.
void ts_touch_down(size_t pages);

/// Calls `body` below a frame of `bytes`.
void ts_call_below(size_t bytes, void (*body)(void *_Nullable context), void *_Nullable context);

/// Calls `body` on a stack that nobody was told of, of `bytes` from `low`.
void ts_call_on_other_stack(void *low, size_t bytes, void (*body)(void *_Nullable context), void *_Nullable context);

/// A frame of about `bytes` whose lowest word is stored first: one unprobed jump of the stack pointer. Returns whether
/// a sum over a pattern that is then written to the whole frame is right.
bool ts_large_frame(size_t bytes);

/// Lowers the stack pointer by `bytes`, a multiple of a page, at once, stores there, then on each page above from the
/// top down. Returns whether what was stored first is still there.
bool ts_keeps_lowest_word(size_t bytes);

/// A frame of `bytes` of which only the lowest word was stored; then read(2) fills a buffer in its middle. Returns 0 or
/// the errno value of the read.
int ts_read_into_frame(size_t bytes);

/// Recurses until something stops it, in frames of about `frame` bytes.
void ts_descend(size_t frame);
/// The same with the prologue checks of split stacks.
void ts_descend_checked(size_t frame);

/// A function of libc that blocks every signal for a while, by number; null behind the last.
const char *_Nullable ts_window_name(size_t index);
/// Calls it with the stack pointer `distance` bytes above the end of the running stack's first 64 KiB. Returns 0 or an
/// errno value: EBUSY where it left signals blocked.
int ts_call_near_end(size_t index, size_t distance);

/// What fills an array in a frame.
typedef enum __attribute__((enum_extensibility(closed))) ts_filling : uint32_t {
    TS_FILLING_READ = 0,
    TS_FILLING_RECV,     ///< of a datagram of 100,000 bytes, or as many as the array has
    TS_FILLING_READV,    ///< into three parts of it
    TS_FILLING_GETDENTS, ///< of a large folder
    TS_FILLING_FREAD,
} ts_filling;

/// Has an array of `bytes` in a frame filled, in which nothing was stored before; at most 1 MiB. Returns 0 or an errno
/// value: EIO where it was filled in part.
int ts_fill_frame(ts_filling filling, size_t bytes);

/// Calls `body` below frames of `depth` bytes together, each of about 2 KiB, or one frame less.
void ts_at_depth(size_t depth, void (*body)(void *_Nullable context), void *_Nullable context);

/// Calls `body` with `count` words of its own frame, uninitialized: Swift's temporary allocations above 1 KiB are heap.
void ts_with_words(size_t count, void (*body)(uint64_t *words, void *_Nullable context), void *_Nullable context);

/// `depth` nested C frames of about `frame` bytes; returns a value that depends on each of them.
uint64_t ts_recurse(uint32_t depth, size_t frame);

/// Stores errno `value`, traps by touching `pages` pages, and returns errno as it was then.
int ts_errno_across_growth(int value, size_t pages);

// MARK: pointer holders; each returns whether every pointer followed the stack

/// Pairs of pointers to a local in each of xmm0 … xmm15, and in ymm0 … ymm15 where the processor has them, across a
/// store `pages` pages further down.
bool ts_vector_registers(size_t pages);

/// Pointers to a local in eleven general registers.
bool ts_general_registers(size_t pages);

/// The address one past the end of the stack, kept in a local.
bool ts_one_past_end(size_t pages);

/// An address kept in the red zone, across a store into the same red zone that faults.
bool ts_red_zone(void);

/// What checked code of this thread compares with, 0 where it has no limit.
uintptr_t ts_limit(void);

// MARK: C++ exceptions

/// Throws `thrown`, catches it, calls `body` inside the handler, and throws again what it handles. Returns what
/// arrived.
int ts_catch_around(int thrown, void (*body)(void *_Nullable context), void *_Nullable context);
/// Calls `body` in a destructor while an exception is on its way. Returns how many are on their way afterwards: 1.
int ts_unwind_around(void (*body)(void *_Nullable context), void *_Nullable context);
/// Exceptions on their way on this thread.
int ts_uncaught_exceptions(void);
/// Whether a handler of this thread's code runs.
bool ts_handles_exception(void);
void ts_throw(int value);

// MARK: faults

void ts_read_byte(uintptr_t address);
void ts_write_byte(uintptr_t address);
void ts_jump(uintptr_t address);
/// Reads through two registers of which neither holds an address of the stack.
void ts_read_indexed(uintptr_t address);
/// Writes to a page that is present and read-only.
void ts_write_read_only(void);
/// Reads a page of a file mapping beyond the end of the file: SIGBUS.
void ts_read_beyond_file(void);
/// Calls through rsp while it is non-canonical: SIGBUS.
void ts_push_non_canonical(void);
/// Lowers the stack pointer to `distance` bytes above the usable part's end, and has the kernel deliver `signal`.
void ts_signal_near_end(int signal, size_t distance);

// MARK: comparators

typedef int ts_comparator(const void *_Nullable, const void *_Nullable);

/// Written in assembly, so that no compiler's option decides: without a frame pointer and an unwind table, with a frame
/// pointer alone, with an unwind table alone.
ts_comparator ts_comparator_bare, ts_comparator_framed, ts_comparator_described;
/// What each of them calls.
void ts_set_comparator_hook(ts_comparator *hook);
/// "bare", "framed" or "described".
ts_comparator *_Nullable ts_comparator_named(const char *name);

// MARK: handlers

typedef enum ts_handler_kind : uint32_t {
    TS_HANDLER_INFO = 1,       ///< SA_SIGINFO
    TS_HANDLER_NODEFER = 2,    ///< SA_NODEFER
    TS_HANDLER_RESET = 4,      ///< SA_RESETHAND
    TS_HANDLER_MASKS_USR1 = 8, ///< SIGUSR1 in sa_mask
    TS_HANDLER_RETURNS = 16,   ///< returns instead of ending the process with status 7
    TS_HANDLER_ONSTACK = 32,   ///< SA_ONSTACK
} ts_handler_kind;

/// Installs a handler that writes "handler signal=… [code=… address=…] blocked-self=… blocked-usr1=… calls=…".
int ts_install_handler(int signal, uint32_t kind);
/// signal(2) with SIG_DFL or SIG_IGN.
int ts_set_default(int signal);
int ts_set_ignore(int signal);
/// Installs a handler that writes the verdicts counted so far and restores the default action.
int ts_install_reporter(void);
/// Sends `signal` to this thread.
void ts_raise(int signal);
/// A signal handler without SA_ONSTACK that counts its calls.
int ts_install_counting_handler(int signal);
int ts_handler_calls(void);

/// Standard output goes to /dev/null from here on, still through stdio.
void ts_discard_output(void);

/// fork(2), which Swift does not import.
int ts_fork(void);

/// The next arena that this thread makes is not mapped before `ts_let_go`. Returns 0 or an errno value.
int ts_hold_next_arena(void);
/// Waits until a thread is held.
void ts_wait_until_held(void);
void ts_let_go(void);

/// The alternate stack of this thread: size in bytes, 0 where there is none.
size_t ts_alternate_stack_size(void);
/// Gives this thread an alternate stack of `size` bytes from malloc. Returns 0 or an errno value.
int ts_set_alternate_stack(size_t size);

/// Gives this thread an alternate stack of `size` bytes above `below` bytes of a pattern. Returns the pattern, or null.
const uint8_t *_Nullable ts_set_alternate_stack_above(size_t below, size_t size);
/// Bytes of that pattern that are no longer what they were.
size_t ts_overwritten(const uint8_t *pattern, size_t size);
/// Takes this thread's alternate stack away. Returns 0 or an errno value.
int ts_disable_alternate_stack(void);
/// Installs a handler on the alternate stack that calls `body`, and raises `signal`.
int ts_run_in_handler(int signal, void (*body)(void));
/// Blocks every signal on this thread. Returns 0 or an errno value.
int ts_block_all_signals(void);
/// Whether `signal` is blocked on this thread.
bool ts_is_blocked(int signal);
/// Closes every descriptor from `first` on. Returns 0 or an errno value.
int ts_close_from(unsigned first);

/// Whether this kernel has MADV_GUARD_INSTALL, UFFDIO_MOVE for this process, and the instruction wrgsbase for programs.
bool ts_offers_guard_pages(void);
bool ts_offers_uffdio_move(void);
bool ts_offers_wrgsbase(void);

/// Whether AddressSanitizer or ThreadSanitizer is in this process.
bool ts_has_address_sanitizer(void);
bool ts_has_thread_sanitizer(void);

#pragma clang assume_nonnull end
#endif
