/// One stack: made ready, grown in place, moved, ended. The strategies are data here.
#ifndef FAULTLINE_STACK_H
#define FAULTLINE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CSwitch.h"
#include "fl_fault.h"
#include "fl_statistics.h"

#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) fl_strategy : uint32_t {
    FL_STRATEGY_FIXED = 0,
    FL_STRATEGY_DEMAND,
    FL_STRATEGY_GROWS_DOWN,
    FL_STRATEGY_FAULT,
    FL_STRATEGY_FAULT_MOVE,
    FL_STRATEGY_CHECK_MOVE,
    FL_STRATEGY_CHECK_SEGMENT,
    FL_STRATEGY_CHECK_FIXED,
} fl_strategy;

typedef enum __attribute__((enum_extensibility(closed))) fl_guard : uint32_t {
    FL_GUARD_PROT_NONE = 0,
    FL_GUARD_PAGES = 1,
} fl_guard;

/// Sizes of slots: every power of two, smallest first (CShim/README.md has their table).
typedef enum __attribute__((enum_extensibility(closed))) fl_slot_size : uint32_t {
    FL_SLOT_64KIB = 0,
    FL_SLOT_128KIB,
    FL_SLOT_256KIB,
    FL_SLOT_512KIB,
    FL_SLOT_1MIB,
    FL_SLOT_2MIB,
    FL_SLOT_4MIB,
    FL_SLOT_8MIB,
    FL_SLOT_16MIB,
    FL_SLOT_32MIB,
    FL_SLOT_64MIB,
    FL_SLOT_128MIB,
    FL_SLOT_256MIB,
    FL_SLOT_512MIB,
    FL_SLOT_1GIB,
    FL_SLOT_SIZES,
} fl_slot_size;

typedef struct fl_slot_geometry {
    uintptr_t size;   ///< bytes, guard included
    uintptr_t guard;  ///< bytes at the low end that are never committed
    uintptr_t offset; ///< of the first slot from the start of its arena
} fl_slot_geometry;

/// Signal context: callable.
fl_slot_geometry fl_slot_geometry_of(fl_slot_size size);

/// Smallest slot, at least `from`, whose room holds `usable` bytes; FL_SLOT_SIZES where none does.
/// Signal context: callable.
fl_slot_size fl_slot_for(uintptr_t usable, fl_slot_size from);

/// The size that a moving stack goes to from `size`, unless a smaller one holds its maximum: at least four times as
/// large, since each move takes time and leaves an old range; FL_SLOT_SIZES where there is none.
/// Signal context: callable.
fl_slot_size fl_slot_next(fl_slot_size size);

/// As fl_slot_for, among the sizes that moving stacks go through. Signal context: callable.
fl_slot_size fl_slot_for_moving(uintptr_t usable);

/// Usable bytes of a slot: its size less its guard. Signal context: callable.
uintptr_t fl_slot_room(fl_slot_size size);

/// The largest frame that code without stack probes may have in such a slot, and so the largest buffer there that a
/// system call fills as a whole: below what is usable nothing but guard stands for at least as many bytes, however deep
/// the stack is. Signal context: callable.
uintptr_t fl_slot_largest_frame(fl_slot_size size);

/// Bytes between the base of a slot and the low end of the guard below `usable` bytes. Between that and the guard at
/// the end of the slot guards may be missing, and nowhere else. Signal context: callable.
uintptr_t fl_slot_band(fl_slot_size size, uintptr_t usable);

/// Bytes of the arena of such slots that is made when there are `number`, where the kernel grants that much.
/// Signal context: callable.
uintptr_t fl_arena_size(fl_slot_size size, uint32_t number);

/// Bytes of the tables for each stack that is alive and has not faulted. Signal context: callable.
uintptr_t fl_stack_bookkeeping(void);

/// Stacks that the table can hold. Signal context: callable.
uint64_t fl_stacks_maximum(void);

/// What a stack is made from. The library has checked it: sizes are multiples of the page and
/// initial <= maximum, and maximum + reserve fits the largest slot.
typedef struct fl_stack_configuration {
    fl_strategy strategy;
    fl_guard guard;
    fl_mover mover;
    uint32_t slot;          ///< first slot to use (fl_slot_size)
    uintptr_t initial;      ///< bytes usable at first
    uintptr_t maximum;      ///< bytes usable at most
    uintptr_t reserve;      ///< bytes below the maximum on which no-abandon frames may finish; 0: none
    bool contains_overflow; ///< an overflow ends the coroutine instead of the process
    bool contains_nil;      ///< so does a nil dereference in user code
    bool keeps_fp_control;  ///< MXCSR and the x87 control word are the coroutine's own
} fl_stack_configuration;

enum { FL_BACKTRACE_MAXIMUM = 32, FL_OLD_RANGES = 8 };

/// How a stack fault ended the coroutine; filled by the handler.
typedef struct fl_fault_report {
    fl_verdict verdict;
    uint32_t frames;   ///< in `backtrace`
    int32_t error;     ///< errno of the system call that failed, 0 where none did
    uint32_t site;     ///< fl_site of that call
    uintptr_t address; ///< that was accessed
    uintptr_t ip;      ///< the instruction
    uintptr_t used;    ///< bytes between the base and the stack pointer
    uintptr_t limit;   ///< the configured maximum in bytes
    uintptr_t held_by; ///< code of the outermost frame that must return first, or of one that cannot be unwound
    uintptr_t backtrace[FL_BACKTRACE_MAXIMUM];
} fl_fault_report;

/// How long a stack has not been resumed, as far as sweeps know (fl_idle.h).
typedef struct fl_idle_mark {
    uint32_t since; ///< milliseconds of the monotonic clock, modulo 2^32
    uint8_t seen;   ///< sweeps since the one that marked it that found it idle, at most 255
    bool shrunk;    ///< or a sweep tried to
} fl_idle_mark;

/// What a suspended stack takes beside its pages: each byte of it counts a million times over. What follows from these
/// fields is not kept: the slot from the base, the details from the index. `fiber` comes first: a fiber's address is
/// its stack's address.
typedef struct fl_stack {
    fl_fiber fiber;
    uintptr_t base; ///< highest address; exclusive. 0: it has no slot
    uintptr_t low;  ///< lowest usable address now
    union {
        struct fl_stack *_Nullable next;    ///< in a thread's pool
        struct fl_record *_Nullable record; ///< while it is FL_FIBER_HIBERNATED
        fl_idle_mark idle;                  ///< while it is FL_FIBER_IDLE
        uint32_t next_free;                 ///< in the free list of the table of stacks
    };
    union {
        struct {
            uint64_t initial_pages : 21; ///< as configured; 21 bits are 8 GiB
            uint64_t maximum_pages : 21;
            uint64_t reserve_pages : 21;
        };
        uint64_t sizes; ///< all three, to be compared
    };
    uint32_t index; ///< in the table of stacks
    union {
        struct {
            uint8_t strategy : 4;        ///< fl_strategy
            uint8_t slot : 4;            ///< fl_slot_size now
            uint8_t guard : 2;           ///< fl_guard
            uint8_t mover : 2;           ///< fl_mover
            uint8_t first_slot : 4;      ///< fl_slot_size it starts in
            uint8_t old_count : 7;       ///< old ranges kept, at most FL_OLD_RANGES
            uint8_t touched_details : 1; ///< the details hold something
            uint8_t flags;               ///< FL_STACK_*
        };
        uint32_t kind; ///< all of these, to be compared
    };
} fl_stack;

_Static_assert(offsetof(fl_stack, fiber) == 0, "a fiber is cast to its stack");
_Static_assert(offsetof(fl_stack, base) == offsetof(fl_fiber_extent, base) &&
                   offsetof(fl_stack, low) == offsetof(fl_fiber_extent, low) &&
                   offsetof(fl_stack, sizes) == offsetof(fl_fiber_extent, sizes) &&
                   offsetof(fl_stack, kind) == offsetof(fl_fiber_extent, strategy) && FL_STRATEGY_CHECK_MOVE == 5,
               "fl_space_left reads them");
_Static_assert(sizeof(fl_stack) == 88, "with its slot, page and page table a stack takes at most 4,400 bytes");
_Static_assert(FL_SLOT_SIZES <= 1 << 4 && FL_STRATEGY_CHECK_FIXED < 1 << 4, "they fit their fields");
_Static_assert(FL_GUARD_PAGES < 1 << 2 && FL_MOVER_AUTOMATIC < 1 << 2 && FL_OLD_RANGES < 1 << 7, "these too");

enum {
    FL_STACK_CONTAINS_OVERFLOW = 1,
    FL_STACK_CONTAINS_NIL = 2,
    FL_STACK_OVERFLOWING = 4, ///< runs on its reserve until a no-abandon frame returns
    FL_STACK_PROVOKED = 8,    ///< a debug knob raised `low`
    FL_STACK_LOW_USE = 16,    ///< it used little of its room when it was shrunk last, and has not grown since
    FL_STACK_EMPTIED = 32,    ///< waits in a pool without its pages
    FL_STACK_LEFT = 64,       ///< its thread is being ended under it, and will give its slot back (forced_unwind.c)
    FL_STACK_UNOWNED = 128,   ///< fl_fiber_destroy was called, or will not be
};

/// What making a stack ready ran into.
typedef struct fl_failure {
    int32_t error; ///< errno value, 0: none
    uint32_t site; ///< fl_site of the call that failed
} fl_failure;

/// Takes a stack from this thread's pool or makes one. `*failure` tells why the result is null.
/// Signal context: forbidden.
/// The thread remembers the latest `number` that the caller has for such a configuration; 0 is none.
fl_stack *_Nullable fl_stack_create(const fl_stack_configuration *configuration, uint64_t number, fl_failure *failure);

/// Gives this thread what a running coroutine needs: a number, an alternate signal stack, a stack for __morestack, the
/// bounds of its static TLS. Signal context: forbidden.
fl_failure fl_thread_prepare(void);

enum {
    FL_ENTRIES_BETWEEN_CLOCKS = 16,  ///< entries of stacks before a thread reads the clock
    FL_ENTRIES_BETWEEN_LOOKS = 1024, ///< and before it is looked at whatever the time
    FL_LOOK_MILLISECONDS = 10,       ///< a clock that is read leads to a look when the last was that long ago
};

/// Before a stack is entered on this thread: prepares the thread, and looks now and then whether it can still take a
/// stack fault. SIGSEGV and SIGBUS are unblocked where the program has blocked them, and the alternate stack is put
/// back where it is missing or too small. A failure at FL_SITE_HANDLER_SET (EBUSY) says that the handlers are another's
/// now; one at FL_SITE_ALTERNATE_SET (EBUSY) that a signal handler runs on the alternate stack. Signal context:
/// forbidden.
fl_failure fl_thread_enter(void);

/// The frames of a suspended stack, hibernated or not, innermost first: at most `maximum` addresses, fewer where a
/// frame cannot be stepped over or, hibernated, no memory is left for a copy. Returns their number; 0 in any other
/// state. Runs on the thread that the stack belongs to. Signal context: forbidden.
size_t fl_stack_backtrace(const fl_stack *stack, uintptr_t *addresses, size_t maximum);

/// Bytes that all stacks may use together; UINT64_MAX, the default, is no limit. It binds creation and growth from now
/// on. Signal context: callable.
void fl_memory_limit_set(uint64_t bytes);
uint64_t fl_memory_limit(void);

/// Bytes that stacks may touch without asking for room. Signal context: callable.
uint64_t fl_memory_in_use(void);

/// Lowest address of the stack's slot. Signal context: callable.
uintptr_t fl_stack_slot_low(const fl_stack *stack);

/// The report of a faulted stack. Signal context: forbidden.
const fl_fault_report *fl_stack_fault(const fl_stack *stack);

/// The counters of one stack. Signal context: callable.
void fl_stack_counters(const fl_stack *stack, fl_counters *into);

/// Slots that may be in quarantine at a time, in the whole process: closed, so that an access to an abandoned stack is
/// a fault. They take at most two mappings each, together less than 1 % of what vm.max_map_count allows by default, and
/// a thread that does nothing but overflow comes round once in a few tenths of a second.
enum { FL_QUARANTINE_SLOTS = 256 };

/// Slots in quarantine, in the whole process. Signal context: callable.
uint64_t fl_quarantine_count(void);

/// Slots of `size` handed out and not given back, quarantine included. Signal context: callable.
uint64_t fl_slots_in_use(fl_slot_size size);

enum { FL_HEADROOM_MAXIMUM = 64 << 10 };

/// Room that checked code must leave to unchecked code it calls, in a slot with `room` usable bytes: half of it, at
/// most 64 KiB. Signal context: callable.
static inline uintptr_t fl_headroom(uintptr_t room) {
    return room / 2 < FL_HEADROOM_MAXIMUM ? room / 2 : FL_HEADROOM_MAXIMUM;
}

/// What compiler-inserted checks call as `__morestack`: an entry of its own in src/arch that keeps every register.
extern void fl_morestack(void);

/// What clang calls for a variable-sized local (`__morestack_allocate_stack_space`) that finds no room: memory from the
/// heap that lives until the coroutine ends. Signal context: forbidden.
void *fl_morestack_allocate(size_t size);

/// Whether the SIGSEGV and SIGBUS handlers in force are still this shim's. Signal context: callable.
bool fl_handler_is_installed(void);

/// Installs the handlers again after another library replaced them; that library's handlers become the previous ones.
/// Returns 0 or an errno value. Signal context: forbidden.
int fl_handler_install(void);

#pragma clang assume_nonnull end
#endif
