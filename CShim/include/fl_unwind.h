/// Unwinding by call frame information, callable from the fault handler: no allocation, no lock, bounded work.
///
/// A return address is looked up with glibc's `_dl_find_object` (2.35 and later, documented as async-signal-safe), then
/// in the binary search table of that object's `.eh_frame_hdr`, and the frame's rules are evaluated here.
#ifndef FAULTLINE_UNWIND_H
#define FAULTLINE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The registers that frames on x86-64 are unwound with: those that a callee keeps. A register that a frame calls
/// undefined keeps the value it had. The others are not tracked, so a few instructions cannot be unwound *from*
/// (FL_UNWIND_UNSUPPORTED): those where gcc realigns a stack by way of r10, and the tail of longjmp.
typedef struct fl_unwind_registers {
    uintptr_t rip, rsp, rbp, rbx, r12, r13, r14, r15;
    /// The interrupted instruction itself (a fault) rather than a return address: look `rip` up as it is, not rip - 1.
    bool is_signal_frame;
} fl_unwind_registers;

typedef enum __attribute__((enum_extensibility(closed))) fl_unwind_result : uint32_t {
    FL_UNWIND_STEPPED = 0, ///< `registers` now describe the caller
    FL_UNWIND_NO_OBJECT,   ///< no loaded object holds the address
    /// The object has no frame description for it. So it is with many Swift functions compiled without -g (half of
    /// those of a small program, and many of the standard library's), and with the PLT that lld makes.
    FL_UNWIND_NO_ENTRY,
    FL_UNWIND_UNSUPPORTED,   ///< a rule that this unwinder does not evaluate
    FL_UNWIND_OUT_OF_BOUNDS, ///< a rule reads outside [low, high), the bounds of the stack, or leads back down it
    FL_UNWIND_END,           ///< the return address is undefined or zero: the outermost frame
} fl_unwind_result;

/// What an unwind learned about one frame besides the caller's registers.
typedef struct fl_unwind_frame {
    uintptr_t cfa;                 ///< canonical frame address of the frame that was left
    uintptr_t return_address_slot; ///< where on the stack its return address is kept, 0 if not in memory
} fl_unwind_frame;

/// How frames at one address are left.
typedef enum __attribute__((enum_extensibility(closed))) fl_unwind_kind : uint8_t {
    FL_UNWIND_BY_RULES = 0, ///< the rules must be evaluated each time
    FL_UNWIND_FROM_RSP,     ///< plain: the CFA is rsp + cfa_offset, registers are saved at offsets from it
    FL_UNWIND_FROM_RBP,     ///< the same from rbp
    FL_UNWIND_NO_RULES,     ///< there is no frame description
} fl_unwind_kind;

/// What holds at one address, kept for the frames that follow: recursion meets the same few addresses again.
typedef struct fl_unwind_rule {
    uintptr_t ip; ///< 0: empty
    int32_t cfa_offset;
    int32_t lowest;                                                                 ///< of the offsets below
    int32_t rbp_offset, rbx_offset, r12_offset, r13_offset, r14_offset, r15_offset; ///< INT32_MIN: same value
    fl_unwind_kind kind;
    uint8_t owner;            ///< fl_code_owner
    bool keeps_frame_pointer; ///< see code_owner.h
} fl_unwind_rule;

enum { FL_UNWIND_CACHE_ENTRIES = 128 };

/// A small direct-mapped cache of rules, by address. 6 KiB; the caller provides it (on the alternate stack), zeroed,
/// for one walk: it does not notice that an object is unloaded. The key is the address that is looked up: `rip` of a
/// signal frame and `rip - 1` of any other.
typedef struct fl_unwind_cache {
    fl_unwind_rule rules[FL_UNWIND_CACHE_ENTRIES];
} fl_unwind_cache;

/// Steps from the frame in `registers` to its caller. Stack memory is read only inside [low, high). `registers` are
/// left alone unless the result is FL_UNWIND_STEPPED. Needs less than 7 KiB of stack.
/// Only a signal frame, or one whose stack pointer lies outside [low, high), can lead downwards: callers that allow
/// either bound their walk. Signal context: callable.
fl_unwind_result fl_unwind_step(fl_unwind_registers *registers, fl_unwind_frame *frame, fl_unwind_cache *cache,
                                uintptr_t low, uintptr_t high);

/// The loaded object that holds an address.
typedef struct fl_image {
    const char *_Nullable path; ///< null where no object holds it
    uintptr_t base;             ///< where it was loaded
    bool is_executable;         ///< the program itself, whose path may be relative: read /proc/self/exe instead
} fl_image;

/// Signal context: forbidden (dladdr may lock).
fl_image fl_image_of(uintptr_t address);

#pragma clang assume_nonnull end
#endif
