/// Says what a fault means. Pure: facts in, verdict out, no system call and no memory beyond the arguments.
///
/// The function is total: an enumerator that it does not know counts as the least favourable one, and a signal that it
/// does not know is foreign. Nothing is called growth that is not certainly the running stack's own access, because the
/// handler acts on growth by mapping memory; what it acts on otherwise ends in a message.
///
///     code <= 0 ------------------------------------------- yes -> sent
///     SIGBUS ---------------------------- SI_KERNEL -> non-canonical (through rsp or rbp), else foreign
///     SIGSEGV, SI_KERNEL (protection: the address means nothing)
///         operand of the instruction      stack pointer near the guard        elsewhere
///         certainly non-canonical         ambiguous (both fit)                non-canonical
///         certainly canonical, or none    lost-signal-frame                   foreign (misaligned, privileged, …)
///         not known                       ambiguous                           ambiguous
///     SIGSEGV, other codes than the two of a page fault ---------> foreign
///     page fault
///         fetch of an instruction ------------------------- yes -> execute
///         in a range that a stack left -------------------- yes -> stale-reference (sp may be stale too)
///         in a stack that hibernates ---------------------- yes -> hibernated
///         in the nil page --------------------------------- yes -> nil-dereference (foreign if sp is there, too)
///         in the kernel's half ---------------------------- yes -> foreign
///         in committed memory ----------------------------- yes -> foreign (protected by other code)
///         in the room of the running stack or beyond, or at the frame with which the stack pointer left its slot
///             a different stack runs ---------------------- yes -> other-guard
///             below the red zone -------------------------- yes -> below-stack
///             no growth / by checks ----------------------------> overflow / headroom-too-small
///             growth by traps
///                 beyond the room, or the frame reaches beyond -> overflow
///                 else, or the frame left the slot ------------> growth (the handler knows the larger slots)
///         in any other slot ------------------------------- yes -> other-guard
///         write to a page that is present ----------------- yes -> write-to-read-only
///         else -------------------------------------------------> foreign
///
/// What the facts cannot tell: a branch to a non-canonical target faults at the branch, whose own operand is canonical,
/// so it counts as foreign. Canonical means 48 bits; with five-level page tables, addresses of 48 to 56 bits raise
/// page faults and end as foreign. `trap` and `error` are not used for a protection fault: they are stale when a
/// signal frame was lost.
#include "shim_code.h"

#include "fl_fault.h"

#include <signal.h>

/// The first address above the user's half with four-level page tables.
static const uintptr_t user_end = (uintptr_t)1 << 47;

/// fs and gs point into the user's half, so an offset below this from them leads to no non-canonical address.
static const uintptr_t segment_reach = (uintptr_t)1 << 31;

/// What the decoded operand says about a protection fault.
typedef enum operand_state : uint32_t { OPERAND_UNKNOWN, OPERAND_CANONICAL, OPERAND_NON_CANONICAL } operand_state;

/// Whether bits 47 to 63 of an address are equal. Signal context: callable.
static bool is_canonical(uintptr_t address) { return address < user_end || address >= -user_end; }

/// Signal context: callable.
static operand_state operand_state_of(const fl_fault_facts *facts) {
    const fl_access *access = &facts->access;
    if (!is_canonical(facts->ip)) return OPERAND_NON_CANONICAL;
    switch (access->kind) {
    case FL_ACCESS_NONE: return OPERAND_CANONICAL;
    case FL_ACCESS_MEMORY:
    case FL_ACCESS_PUSH:
    case FL_ACCESS_POP: break;
    default: return OPERAND_UNKNOWN;
    }
    if (access->uses_thread_segment) {
        bool is_near = access->address < segment_reach || access->address >= -segment_reach;
        return is_near ? OPERAND_CANONICAL : OPERAND_UNKNOWN;
    }
    return is_canonical(access->address) ? OPERAND_CANONICAL : OPERAND_NON_CANONICAL;
}

/// Whether a signal frame would not fit between the stack pointer and the end of the committed part.
/// A stack pointer that is below the committed part already leaves no room at all. Signal context: callable.
static bool is_near_guard(const fl_fault_facts *facts) {
    if (!facts->has_stack) return false;
    if (facts->sp_below_running_slot) return true;
    if (!facts->sp_in_running_stack) return false;
    uintptr_t distance = facts->sp > facts->stack_low ? facts->sp - facts->stack_low : 0;
    return distance < FL_RED_ZONE || distance - FL_RED_ZONE < facts->signal_frame_size;
}

/// SIGSEGV with SI_KERNEL. Signal context: callable.
static fl_verdict classify_protection(const fl_fault_facts *facts) {
    bool is_near = is_near_guard(facts);
    switch (operand_state_of(facts)) {
    case OPERAND_NON_CANONICAL: return is_near ? FL_VERDICT_AMBIGUOUS : FL_VERDICT_NON_CANONICAL;
    case OPERAND_CANONICAL: return is_near ? FL_VERDICT_LOST_SIGNAL_FRAME : FL_VERDICT_FOREIGN;
    default: return FL_VERDICT_AMBIGUOUS;
    }
}

/// Whether the access lies below what the code may use: the stack and its red zone. A push of eight bytes is inside
/// the red zone. Signal context: callable.
static bool is_below_red_zone(const fl_fault_facts *facts) {
    return facts->address < facts->sp && facts->sp - facts->address > FL_RED_ZONE;
}

/// Whether the fault is about the running stack: in its room or beyond, or between a stack pointer that jumped below
/// the slot and the base. Signal context: callable.
static bool is_about_running_stack(const fl_fault_facts *facts) {
    if (!facts->has_stack) return false;
    bool is_uncommitted = facts->zone == FL_ZONE_ROOM || facts->zone == FL_ZONE_BEYOND;
    if (facts->address_in_running_stack && is_uncommitted) return true;
    return facts->sp_below_running_slot && !is_below_red_zone(facts) && facts->address < facts->stack_base;
}

/// Whether the frame in use, red zone included, ends inside the room. Signal context: callable.
static bool frame_fits_room(const fl_fault_facts *facts) {
    return facts->sp >= FL_RED_ZONE && facts->sp - FL_RED_ZONE >= facts->stack_room_low;
}

/// A page fault that is about the running stack. Signal context: callable.
static fl_verdict classify_running_stack(const fl_fault_facts *facts) {
    if (!facts->sp_in_running_stack && !facts->sp_below_running_slot) return FL_VERDICT_OTHER_GUARD;
    if (is_below_red_zone(facts)) return FL_VERDICT_BELOW_STACK;
    switch (facts->growth) {
    case FL_GROWTH_TRAP: break;
    case FL_GROWTH_CHECK: return FL_VERDICT_HEADROOM;
    default: return FL_VERDICT_OVERFLOW;
    }
    if (facts->sp_below_running_slot) return FL_VERDICT_GROWTH;
    return facts->zone == FL_ZONE_ROOM && frame_fits_room(facts) ? FL_VERDICT_GROWTH : FL_VERDICT_OVERFLOW;
}

/// A page fault that is not about the running stack. Signal context: callable.
static fl_verdict classify_elsewhere(const fl_fault_facts *facts) {
    switch (facts->zone) {
    case FL_ZONE_ROOM:
    case FL_ZONE_BEYOND:
    case FL_ZONE_FREE: return FL_VERDICT_OTHER_GUARD;
    case FL_ZONE_OUTSIDE: break;
    default: return FL_VERDICT_FOREIGN;
    }
    uint64_t read_only = FL_PAGE_FAULT_PRESENT | FL_PAGE_FAULT_WRITE;
    bool is_read_only = facts->code == SEGV_ACCERR && (facts->error & read_only) == read_only;
    return is_read_only ? FL_VERDICT_READ_ONLY : FL_VERDICT_FOREIGN;
}

/// SIGSEGV with SEGV_MAPERR or SEGV_ACCERR. Signal context: callable.
static fl_verdict classify_page_fault(const fl_fault_facts *facts) {
    if (facts->error & FL_PAGE_FAULT_EXECUTE) return FL_VERDICT_EXECUTE;
    if (facts->zone == FL_ZONE_OLD_RANGE) return FL_VERDICT_STALE_REFERENCE;
    if (facts->zone == FL_ZONE_HIBERNATED) return FL_VERDICT_HIBERNATED;
    if (facts->address < facts->nil_extent)
        return facts->sp < facts->nil_extent ? FL_VERDICT_FOREIGN : FL_VERDICT_NIL_DEREFERENCE;
    if (facts->address >= user_end || facts->zone == FL_ZONE_COMMITTED) return FL_VERDICT_FOREIGN;
    return is_about_running_stack(facts) ? classify_running_stack(facts) : classify_elsewhere(facts);
}

fl_verdict fl_fault_classify(const fl_fault_facts *facts) {
    if (facts->code <= 0) return FL_VERDICT_SENT;
    if (facts->signal == SIGBUS) return facts->code == SI_KERNEL ? FL_VERDICT_NON_CANONICAL : FL_VERDICT_FOREIGN;
    if (facts->signal != SIGSEGV) return FL_VERDICT_FOREIGN;
    if (facts->code == SI_KERNEL) return classify_protection(facts);
    if (facts->code != SEGV_MAPERR && facts->code != SEGV_ACCERR) return FL_VERDICT_FOREIGN;
    return classify_page_fault(facts);
}

const char *fl_verdict_name(fl_verdict verdict) {
    static const char *const names[FL_VERDICT_COUNT] = {
        [FL_VERDICT_GROWTH] = "growth",
        [FL_VERDICT_OVERFLOW] = "overflow",
        [FL_VERDICT_NIL_DEREFERENCE] = "nil-dereference",
        [FL_VERDICT_STALE_REFERENCE] = "stale-reference",
        [FL_VERDICT_OTHER_GUARD] = "other-guard",
        [FL_VERDICT_BELOW_STACK] = "below-stack",
        [FL_VERDICT_HEADROOM] = "headroom-too-small",
        [FL_VERDICT_READ_ONLY] = "write-to-read-only",
        [FL_VERDICT_EXECUTE] = "execute",
        [FL_VERDICT_NON_CANONICAL] = "non-canonical",
        [FL_VERDICT_LOST_SIGNAL_FRAME] = "lost-signal-frame",
        [FL_VERDICT_AMBIGUOUS] = "ambiguous",
        [FL_VERDICT_SENT] = "sent",
        [FL_VERDICT_FOREIGN] = "foreign",
        [FL_VERDICT_HIBERNATED] = "hibernated",
    };
    return verdict < FL_VERDICT_COUNT ? names[verdict] : "unknown";
}

#pragma clang attribute pop
