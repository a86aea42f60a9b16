/// Facts of a fault in, verdict out.
///
/// `fl_fault_classify` is pure: no system call, no memory read beyond its arguments, so that a test can try millions
/// of cases. The handler gathers the facts (fault_handler.c), among them what the faulting instruction does
/// (instruction.c), and acts on the verdict.
#ifndef FAULTLINE_FAULT_H
#define FAULTLINE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// What the faulting instruction does with memory.
typedef enum __attribute__((enum_extensibility(closed))) fl_access_kind : uint32_t {
    FL_ACCESS_UNKNOWN = 0, ///< the bytes are not in the decoder's table
    FL_ACCESS_NONE,        ///< the instruction has no memory operand
    FL_ACCESS_MEMORY,      ///< one explicit memory operand (ModRM, moffs or string), at `address`; also where it is
                           ///< pushed, popped or called (`second_is_stack`)
    FL_ACCESS_PUSH,        ///< push, call, enter: stores just below the stack pointer (`address` = sp - size)
    FL_ACCESS_POP,         ///< pop, ret, leave: loads at the stack pointer (leave: at the frame pointer)
} fl_access_kind;

/// The decoded operand of one instruction.
typedef struct fl_access {
    fl_access_kind kind;
    uint32_t length;              ///< of the instruction in bytes, 0 if unknown
    uintptr_t address;            ///< effective address of the memory operand (for call/push with a memory operand: of
                                  ///< that operand); 0 if there is none
    uint32_t uses_thread_segment; ///< an fs or gs prefix: `address` is relative to a segment base
    uint32_t second_is_stack;     ///< also pushes (call *mem, push mem) or pops (pop mem) besides `address`
} fl_access;

/// General registers in the order of x86 encoding: rax rcx rdx rbx rsp rbp rsi rdi r8 … r15, then rip.
typedef struct fl_general_registers {
    uintptr_t value[16];
    uintptr_t rip;
} fl_general_registers;

/// Decodes the instruction at `code` (`available` readable bytes, at most 15 used). Knows the one-byte map, 0F, 0F38,
/// 0F3A, VEX and EVEX encodings well enough to find the memory operand. Pure. Signal context: callable.
fl_access fl_instruction_decode(const uint8_t *code, size_t available, const fl_general_registers *registers);

/// Where an address lies with respect to the arenas.
typedef enum __attribute__((enum_extensibility(closed))) fl_zone : uint32_t {
    FL_ZONE_OUTSIDE = 0, ///< no slot of an arena and not the running `grows-down` stack
    FL_ZONE_COMMITTED,   ///< readable and writable part of a stack
    FL_ZONE_ROOM,        ///< below the committed part, above the lowest address that the strategy may still reach
    FL_ZONE_BEYOND,      ///< below the configured maximum: the reserve and the guard at the end of the slot
    FL_ZONE_OLD_RANGE,   ///< a slot that a stack moved away from
    FL_ZONE_FREE,        ///< a slot that no stack uses, or one in quarantine
    FL_ZONE_HIBERNATED,  ///< the usable part of a stack that hibernates, or may just have been restored
} fl_zone;

/// How the running stack makes room, as far as classification needs it.
typedef enum __attribute__((enum_extensibility(closed))) fl_growth : uint32_t {
    FL_GROWTH_NONE = 0, ///< fixed, demand, check-fixed; grows-down beyond what the kernel grows
    FL_GROWTH_TRAP,     ///< fault, fault-move
    FL_GROWTH_CHECK,    ///< check-move, check-segment: a trap means that the headroom was too small
} fl_growth;

/// The facts of one fault. Plain numbers, so that a test can choose them.
typedef struct fl_fault_facts {
    int32_t signal;    ///< SIGSEGV or SIGBUS
    int32_t code;      ///< si_code
    uintptr_t address; ///< si_addr
    uint64_t error;    ///< page fault error code of the context (REG_ERR), see FL_PAGE_FAULT_*
    uint64_t trap;     ///< trap number of the context (REG_TRAPNO); 14 = page fault, 13 = protection
    uintptr_t ip;      ///< program counter
    uintptr_t sp;      ///< stack pointer
    fl_access access;  ///< the decoded instruction; kind unknown where its bytes could not be read

    bool has_stack;                ///< a coroutine runs on this thread
    uintptr_t stack_low;           ///< lowest committed address of the running stack
    uintptr_t stack_base;          ///< its base
    uintptr_t stack_slot_low;      ///< lowest address of its slot
    uintptr_t stack_room_low;      ///< lowest address of its room (where FL_ZONE_BEYOND begins, downwards); 0 leaves it
                                   ///< to the handler whether a frame fits
    fl_growth growth;              ///< how it makes room
    fl_zone zone;                  ///< of `address`
    bool address_in_running_stack; ///< `address` lies in a slot that the running stack owns and uses
    bool sp_in_running_stack;      ///< so does the stack pointer
    bool sp_below_running_slot;    ///< the stack pointer jumped below its slot by less than `largest_frame`

    uintptr_t nil_extent;     ///< addresses below this are the nil page
    size_t signal_frame_size; ///< what the kernel needs to deliver a signal on this processor
} fl_fault_facts;

enum { FL_PAGE_FAULT_PRESENT = 1, FL_PAGE_FAULT_WRITE = 2, FL_PAGE_FAULT_USER = 4, FL_PAGE_FAULT_EXECUTE = 16 };

/// The red zone of the System V ABI: a leaf function may store this far below the stack pointer.
enum { FL_RED_ZONE = 128 };

typedef enum __attribute__((enum_extensibility(closed))) fl_verdict : uint32_t {
    FL_VERDICT_GROWTH = 0,        ///< the running stack needs room
    FL_VERDICT_OVERFLOW,          ///< it needs room beyond its maximum
    FL_VERDICT_NIL_DEREFERENCE,   ///< an access to the nil page
    FL_VERDICT_STALE_REFERENCE,   ///< an access to a range that a stack moved away from
    FL_VERDICT_OTHER_GUARD,       ///< the guard of a stack that does not run here: a stray pointer
    FL_VERDICT_BELOW_STACK,       ///< the running stack's own room, far below the stack pointer: a stray pointer
    FL_VERDICT_HEADROOM,          ///< check strategies: unchecked code ran through the headroom
    FL_VERDICT_READ_ONLY,         ///< a write to memory that is mapped read-only
    FL_VERDICT_EXECUTE,           ///< a jump to memory that is not code
    FL_VERDICT_NON_CANONICAL,     ///< a non-canonical address
    FL_VERDICT_LOST_SIGNAL_FRAME, ///< the kernel could not write a signal frame: a handler without SA_ONSTACK
    FL_VERDICT_AMBIGUOUS,         ///< non-canonical or lost signal frame; the facts fit both or neither
    FL_VERDICT_SENT,              ///< sent by a process or thread (kill, raise, sigqueue)
    FL_VERDICT_FOREIGN,           ///< a fault, but not of a kind that is ours
    FL_VERDICT_HIBERNATED,        ///< an access to a stack that hibernates: its words are brought back first
    FL_VERDICT_COUNT,
} fl_verdict;

/// Signal context: callable. Pure.
fl_verdict fl_fault_classify(const fl_fault_facts *facts);

/// The name used in statistics and output, for instance "nil-dereference". Signal context: callable.
const char *fl_verdict_name(fl_verdict verdict);

#pragma clang assume_nonnull end
#endif
