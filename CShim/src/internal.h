// What the files of the shim share. Nothing here is public.
#ifndef FAULTLINE_INTERNAL_H
#define FAULTLINE_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "CShim.h"

#pragma clang assume_nonnull begin

// Every function of the shim lies in one section, so that containment can tell its code from the user's.
#define FL_TEXT_SECTION "fl_text"

enum { FL_PAGE = 4096 };
#define FL_WORD sizeof(uintptr_t)

static inline uintptr_t fl_page_down(uintptr_t address) { return address & ~(uintptr_t)(FL_PAGE - 1); }
static inline uintptr_t fl_page_up(uintptr_t address) { return fl_page_down(address + FL_PAGE - 1); }
static inline uintptr_t fl_minimum(uintptr_t a, uintptr_t b) { return a < b ? a : b; }
static inline uintptr_t fl_maximum(uintptr_t a, uintptr_t b) { return a > b ? a : b; }

// MARK: system.c — every system call of the shim. Each returns 0 or an errno value; none retries for ever.

fl_failure fl_failure_none(void);
fl_failure fl_failure_at(fl_site site, int error);

/// mmap; the address comes back in `*address`.
int fl_system_map(fl_site site, void *_Nonnull *_Nonnull address, size_t length, int protection, int flags);
int fl_system_unmap(fl_site site, uintptr_t address, size_t length);
int fl_system_protect(fl_site site, uintptr_t address, size_t length, int protection);
int fl_system_advise(fl_site site, uintptr_t address, size_t length, int advice);
/// madvise of [low, high). MADV_GUARD_INSTALL may be interrupted by a racing fault and then asks to be called again, which
/// is done a few times.
int fl_system_advise_retrying(fl_site site, uintptr_t low, uintptr_t high, int advice);
int fl_system_ioctl(fl_site site, int descriptor, unsigned long request, void *argument);
int fl_system_mremap(fl_site site, uintptr_t from, size_t length, int flags, uintptr_t to);
int fl_system_userfaultfd(fl_site site, int *descriptor);
int fl_system_sigaltstack(fl_site site, const stack_t *_Nullable stack, stack_t *_Nullable old);
int fl_system_sigaction(fl_site site, int signal, const struct sigaction *action, struct sigaction *_Nullable old);
/// Resident bytes of the process.
int fl_system_resident(fl_site site, uint64_t *bytes);
/// Blocks every signal on this thread but those of an instruction's own faults; the mask of before comes back.
int fl_system_block_signals(fl_site site, sigset_t *before);

/// Bytes of address space that this process may have (RLIMIT_AS), UINT64_MAX where it is not limited.
uint64_t fl_system_address_space_limit(void);

/// The error to inject at this call of `site`, 0 for none. Counts the call.
int fl_injected(fl_site site);

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // Linux 6.13, include/uapi/asm-generic/mman-common.h
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14
#endif

// MARK: capabilities.c

/// The userfaultfd, or -1: never opened, or this is a child of fork, where it would act on the parent's memory.
int fl_userfaultfd(void);

// MARK: stack_memory.c

/// Counts `bytes` as usable by stacks, unless that exceeds the limit. Signal context: callable.
fl_failure fl_memory_take(uintptr_t bytes);
/// Signal context: callable.
void fl_memory_give(uintptr_t bytes);

// MARK: address_space.c

typedef enum fl_slot_state : uint32_t {
    FL_SLOT_FREE = 0,
    FL_SLOT_LIVE,
    FL_SLOT_OLD,
    FL_SLOT_QUARANTINED,
    FL_SLOT_HIBERNATING,
    FL_SLOT_HIBERNATED,
    FL_SLOT_RESTORED, ///< by a fault: usable, and the record is still to be given back
    FL_SLOT_TAKEN,    ///< by a stack for which it is not usable yet
    FL_SLOT_KIND = 0xff,
} fl_slot_state;

/// What an arena keeps of a slot. `owner` and `state` are read by handlers on any thread. The lower ends are pages below
/// the base.
typedef struct fl_slot {
    _Atomic(uint32_t) owner; ///< index + 1 of its stack in the table of stacks; 0: none
    _Atomic(uint32_t) state; ///< fl_slot_state in the bits of FL_SLOT_KIND, above them the pins of hibernation.c
    _Atomic(uint32_t) next_free;
    uint32_t low;        ///< [low, base) is usable, but for the old range
    uint32_t band_low;   ///< guard pages: [band_low, low) is guarded, empty after a refusal; 0: nothing was ever installed
    uint32_t old_low;    ///< guarded [old_low, base), the live range of a stack that moved away; 0: none
} fl_slot;
_Static_assert(sizeof(fl_slot) == 24, "each suspended stack pays for it");

/// Signal context: callable.
static inline uint32_t fl_slot_kind(const fl_slot *slot) {
    return atomic_load_explicit(&slot->state, memory_order_acquire) & FL_SLOT_KIND;
}

/// A place for a stack: a slot of an arena.
typedef struct fl_place {
    struct fl_arena *_Nullable arena;
    uint32_t index;
} fl_place;

typedef struct fl_arena {
    uintptr_t first;     ///< lowest address of slot 0
    uint32_t slots;
    uint8_t shift;       ///< log2 of the slot size
    uint8_t size;        ///< fl_slot_size
    uint8_t guard;       ///< fl_guard
    uint8_t registered;  ///< with the userfaultfd
    _Atomic(uint32_t) fresh;      ///< slots ever handed out
    _Atomic(uint64_t) free_head;  ///< tag in the upper half, index + 1 in the lower
    struct fl_arena *_Nullable next;
    fl_slot *table;
} fl_arena;

static inline fl_slot *fl_place_slot(fl_place place) { return &place.arena->table[place.index]; }
static inline uintptr_t fl_place_low(fl_place place) {
    return place.arena->first + ((uintptr_t)place.index << place.arena->shift);
}
static inline uintptr_t fl_place_base(fl_place place) {
    return fl_place_low(place) + ((uintptr_t)1 << place.arena->shift);
}

/// An address of the slot that its entry gives as pages below the base, and back.
static inline uintptr_t fl_place_address(fl_place place, uint32_t pages) {
    return fl_place_base(place) - (uintptr_t)pages * FL_PAGE;
}
static inline uint32_t fl_place_pages(fl_place place, uintptr_t address) {
    return (uint32_t)((fl_place_base(place) - address) / FL_PAGE);
}

/// Whether stacks of this size may have huge pages.
static inline bool fl_slot_is_deep(fl_slot_size size) { return size >= FL_SLOT_64MIB; }

/// The slot that holds `address`; arena null where none does. No lock, no search. Signal context: callable.
fl_place fl_place_of(uintptr_t address);

/// Takes a slot, making an arena when there is none. Lock-free. Signal context: callable.
fl_failure fl_place_take(fl_slot_size size, fl_guard guard, fl_stack *owner, fl_place *place);

/// Puts a slot that nobody uses any more on its arena's free list. Signal context: callable.
void fl_place_give_back(fl_place place);

// MARK: slot.c

/// Makes [low, base) of the slot usable and guards what lies below. Signal context: callable.
fl_failure fl_place_make_usable(fl_place place, uintptr_t low);

/// Where growth to `low` should end: a multiple of 2 MiB in a slot for deep stacks, once 1 MiB is passed.
/// Signal context: callable.
uintptr_t fl_place_growth_end(fl_place place, uintptr_t low);

/// Lowers the usable part of a live slot to `low`; the guard band slides down first. Signal context: callable.
fl_failure fl_place_extend(fl_place place, uintptr_t low);

/// Raises the usable part of a live slot to `low`: what lies below is guarded again. It holds nothing any more. After a
/// refusal the slot has either its former bounds, or the new ones with its former guard.
/// Signal context: callable.
fl_failure fl_place_lift(fl_place place, uintptr_t low);

/// Guards [live, base) of a slot that its stack moved away from. `provoked`: a debug knob has guarded more of it.
/// Signal context: callable.
fl_failure fl_place_retire(fl_place place, uintptr_t live, bool provoked);

/// Gives a slot back, its memory to the kernel. Signal context: callable.
void fl_place_release(fl_place place, bool provoked);

/// Takes a slot out of use for good: no memory, no access, never handed out again. Signal context: forbidden.
fl_failure fl_place_quarantine(fl_place place);

// MARK: stack.c

/// The part of a stack that is seldom touched: kept apart so that an idle stack pays no memory for it.
typedef struct fl_stack_details {
    fl_place old[FL_OLD_RANGES]; ///< oldest first
    fl_fault_report fault;
    fl_counters counters;
    uintptr_t segment_bytes;      ///< check-segment: usable bytes of all segments but the first
    void *_Nullable allocations;  ///< alloca of checked code that found no room on the stack, linked by their first word
} fl_stack_details;

/// What stands at the top of each further segment: the segment that control returns to.
typedef struct fl_segment_link {
    uintptr_t base, low;
} fl_segment_link;

static inline uintptr_t fl_stack_initial(const fl_stack *stack) { return stack->initial_pages * FL_PAGE; }
static inline uintptr_t fl_stack_maximum(const fl_stack *stack) { return stack->maximum_pages * FL_PAGE; }
static inline uintptr_t fl_stack_reserve(const fl_stack *stack) { return stack->reserve_pages * FL_PAGE; }

/// The slot that the stack is in now; arena null for one of its own mapping (grows-down) or without a slot.
static inline fl_place fl_stack_place(const fl_stack *stack) { return fl_place_of(stack->base - 1); }

/// Lowest address that growth may reach in the slot, by the maximum. Signal context: callable.
uintptr_t fl_stack_room_low(const fl_stack *stack);

/// The stack that runs on this thread, null on a thread's own stack. Signal context: callable.
static inline fl_stack *_Nullable fl_stack_running(void) { return (fl_stack *)(void *)fl_current_fiber; }

/// The lowest word of a suspended stack that is live. A red zone that reaches into the guard was never used that far.
/// Signal context: callable.
static inline uintptr_t fl_stack_first_word(const fl_stack *stack) {
    return fl_maximum((uintptr_t)stack->fiber.own.sp - FL_RED_ZONE, stack->low) & ~(uintptr_t)(FL_WORD - 1);
}

/// Sets the limit that checked code compares with, here and in the fiber. Signal context: callable.
void fl_stack_set_limit(fl_stack *stack);

/// Bytes usable at first. Signal context: callable.
uintptr_t fl_stack_usable_at_first(const fl_stack *stack);

/// Gives a configured stack a slot, unless it has one, with its first usable part and its guard.
/// Signal context: forbidden.
fl_failure fl_stack_make_ready(fl_stack *stack);

/// Gives the slot and the entry of a stack back. Signal context: forbidden.
void fl_stack_discard(fl_stack *stack);

// MARK: stack_table.c

/// Signal context: callable.
fl_stack_details *fl_stack_details_of(const fl_stack *stack);
/// The stack whose slot this is, or null. Signal context: callable.
fl_stack *_Nullable fl_slot_owner(fl_slot *slot);

/// A free entry. Returns 0 or an errno value. Signal context: forbidden.
int fl_stack_entry_take(fl_stack *_Nonnull *_Nonnull stack);
/// Signal context: forbidden.
void fl_stack_entry_give(fl_stack *stack);
/// Entries of the table of stacks that were ever handed out. Signal context: callable.
uint32_t fl_stack_entries(void);
/// One of them; null while another thread makes it. Signal context: callable.
fl_stack *_Nullable fl_stack_entry(uint32_t index);

// MARK: grows_down.c

/// The lowest address that the kernel has grown a `grows-down` stack to. Signal context: forbidden.
uintptr_t fl_grows_down_low(const fl_stack *stack);

// MARK: pool.c

/// A stack of this thread's pool that fits, or null. Signal context: forbidden.
fl_stack *_Nullable fl_pool_take(const fl_stack_configuration *configuration);

/// Makes an ended stack as it was at first and keeps it. False: it has to be discarded. Signal context: forbidden.
bool fl_pool_keep(fl_stack *stack);

// MARK: relocation.c

typedef struct fl_relocation {
    uintptr_t low, base; ///< former range; one past the end counts
    uintptr_t reach;     ///< words in memory count from here on: the stack pointer less the red zone; the mover's caller sets it
    uintptr_t delta;     ///< to add
    uint64_t scanned, relocated;
} fl_relocation;

static inline uintptr_t fl_relocate(fl_relocation *relocation, uintptr_t value) {
    if (value - relocation->low > relocation->base - relocation->low) return value;
    relocation->relocated++;
    return value + relocation->delta;
}

void fl_relocate_words(fl_relocation *relocation, uintptr_t *words, size_t count);
/// General registers and the vector registers of the XSAVE area. Signal context: handler only.
void fl_relocate_context(fl_relocation *relocation, ucontext_t *context);
/// This thread's static TLS block. Signal context: callable.
void fl_relocate_thread(fl_relocation *relocation);

// MARK: page_mover.c

/// Moves the pages [from, from + length) to `to`, which has none, and reports which mover finished.
/// Signal context: callable, not on the stack that moves.
fl_mover fl_pages_move(fl_mover wanted, uintptr_t from, uintptr_t to, size_t length);

// MARK: move.c

/// Continues `stack` in a slot of `size` with `usable` bytes. The stack pointer is `sp`; registers and TLS are the
/// caller's to relocate by `*relocation`. Signal context: callable, not on the stack that moves.
fl_failure fl_stack_move(fl_stack *stack, uintptr_t sp, fl_slot_size size, uintptr_t usable,
                         fl_relocation *relocation);

/// Continues a suspended stack in the smallest slot, from its first size on, that holds `need` bytes. Does nothing where
/// its own is the smallest, or, with `*must_stay`, where it could only go at the price of an old range more than it
/// may keep. As fl_stack_move otherwise. Signal context: callable, not on the stack that moves.
fl_failure fl_stack_move_back(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                              bool *must_stay);

typedef enum fl_growth_result : uint32_t { FL_GREW = 0, FL_AT_MAXIMUM, FL_GROWTH_FAILED } fl_growth_result;

/// Picks the next slot for a moving stack that needs `need` bytes below its base, and moves it.
fl_growth_result fl_stack_grow_by_move(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                                       fl_failure *failure);

// MARK: word_dictionary.c

/// Index of a word that is known, else -1. Signal context: callable.
int fl_dictionary_find(uint64_t word);
/// A word by its index. Signal context: callable.
uint64_t fl_dictionary_word(uint8_t index);
/// A stack with this base holds `word`. Signal context: forbidden.
void fl_dictionary_learn(uint64_t word, uintptr_t base);

// MARK: stack_codec.c

/// Where decoding stands. `upper` and the tags are the codec's own.
typedef struct fl_word_stream {
    const uint8_t *at, *end;
    uintptr_t base;
    uint64_t upper;
    uint8_t tags;
    bool odd;
} fl_word_stream;

/// Encodes `count` words of a stack with this base. Returns the bytes of the stream, or 0 where they exceed `capacity`;
/// without `into` it only measures. Signal context: callable.
size_t fl_words_encode(const uintptr_t *words, size_t count, uintptr_t base, uint8_t *_Nullable into, size_t capacity);

/// The next `count` words of a stream. Signal context: callable.
void fl_words_decode(fl_word_stream *stream, uintptr_t *words, size_t count);

// MARK: stack_store.c

/// A block of at least `bytes`. Signal context: forbidden.
fl_failure fl_store_take(size_t bytes, void *_Nullable *_Nonnull block);
/// Gives a block back; `bytes` is what was asked for. Signal context: forbidden.
void fl_store_give(void *block, size_t bytes);

// MARK: hibernation.c

typedef struct fl_record fl_record;

typedef enum fl_restoring : uint32_t {
    FL_RESTORED = 0,   ///< or it was no longer hibernated: the access may be tried again
    FL_NOT_RESTORABLE, ///< this process cannot replace a guard in one step
    FL_RESTORE_FAILED,
} fl_restoring;

/// Restores the hibernated stack whose slot holds `address`. Signal context: handler only.
fl_restoring fl_wake_by_fault(uintptr_t address, fl_failure *failure);

/// Whether a fault in usable memory may have been overtaken by a restoration on another thread: once for each
/// restoration in the process. Signal context: handler only.
bool fl_late_fault_is_possible(void);

// MARK: forwarding.c

/// Redirects the registers that point into an old range of a stack of this thread. False: no register does, or the
/// stack is not this thread's. Signal context: handler only.
bool fl_forward(ucontext_t *context, uintptr_t address);

// MARK: containment.c

typedef enum fl_containment : uint32_t {
    FL_CONTAIN_NOW = 0,   ///< no protected frame: the coroutine may end here
    FL_CONTAIN_LATER,     ///< a return address was replaced: let the code run on the reserve
    FL_CONTAIN_NEVER,     ///< a frame cannot be unwound, or its owner cannot be told
} fl_containment;

/// Fills the report's backtrace and decides how the running coroutine may end. With `now_only`, nothing is replaced
/// and FL_CONTAIN_LATER says that a protected frame is in the way. Signal context: callable.
fl_containment fl_contain(fl_stack *stack, const fl_unwind_registers *at, bool now_only);

/// Decides and acts on a fault that ends the coroutine or the process: an overflow, or room that could not be made.
typedef enum fl_ending : uint32_t { FL_END_COROUTINE = 0, FL_END_CONTINUE, FL_END_PROCESS } fl_ending;

/// Fills the report and, where the stack contains overflows, prepares the end. FL_END_CONTINUE: the reserve is open and
/// a return address was replaced. FL_END_PROCESS: a message was written. Signal context: callable.
fl_ending fl_overflow(fl_stack *stack, const fl_unwind_registers *at, uintptr_t address, fl_failure failure);

/// Ends the running coroutine: its frames are abandoned. Runs on any stack.
/// Signal context: forbidden; a handler makes the interrupted context run it.
_Noreturn void fl_contained_finish(void);
/// Where a replaced return address leads (src/arch).
extern void fl_contained_return(void);

// MARK: alternate_stack.c

typedef struct fl_thread {
    uintptr_t morestack_base; ///< of the stack that __morestack's work runs on; read by src/arch
    uintptr_t tls_low;        ///< static TLS block [tls_low, tls_high)
    uintptr_t tls_high;
    void *mapping;
    size_t mapping_size;
    bool owns_alternate_stack;
    uint8_t ends;             ///< rounds of destructors that have asked for its end
} fl_thread;

extern __thread fl_thread *_Nullable fl_this_thread __attribute__((tls_model("initial-exec")));

// MARK: fault_handler.c

/// Writes one line to standard error: "faultline: …". Signal context: callable.
void fl_message(const char *_Nonnull const *_Nonnull parts, size_t count);
/// Writes the message for an overflow or failed growth that is not contained. Signal context: callable.
void fl_message_overflow(const fl_stack *stack, const fl_fault_report *report, const char *reason);
/// Decimal digits of `value`. `buffer` has room for 24 bytes. Signal context: callable.
const char *fl_decimal(char *buffer, uint64_t value);
const char *fl_hexadecimal(char *buffer, uint64_t value);
/// Ends the process by SIGSEGV with its default action, from outside a fault. Signal context: callable.
_Noreturn void fl_die(void);

// MARK: statistics.c

extern fl_counters fl_process_counters;

static inline void fl_count(uint64_t *counter, uint64_t by) { __atomic_fetch_add(counter, by, __ATOMIC_RELAXED); }

#define FL_COUNT(stack_, field, by)                                                                                  \
    do {                                                                                                             \
        fl_count(&fl_process_counters.field, (by));                                                                  \
        fl_stack *counted_ = (stack_);                                                                               \
        if (counted_) {                                                                                              \
            counted_->touched_details = 1;                                                                           \
            fl_count(&fl_stack_details_of(counted_)->counters.field, (by));                                           \
        }                                                                                                            \
    } while (0)

uint64_t fl_now(void);
void fl_statistics_time(fl_stack *_Nullable stack, uint64_t nanoseconds);
void fl_statistics_used(fl_stack *stack, uintptr_t bytes);

#pragma clang assume_nonnull end
#endif
