// The one entry point of SIGSEGV and SIGBUS: facts, verdict, action.
//
// Runs on the thread's alternate stack with every signal blocked. It takes no lock, allocates nothing and never
// returns to the same fault: growth that failed ends the coroutine or the process.
//
//     growth            room is made, in place or by a move; the instruction is executed again
//     overflow          the coroutine ends, or runs on its reserve until it may, or the process ends with a message
//     stale reference   the registers are redirected, else the process ends with a message
//     hibernated        the stack's words are brought back, and the instruction is executed again
//     nil dereference   contained where the coroutine asked for it, else handed on
//     all others        handed on to the handler that was installed before; without one SIG_DFL is restored and the
//                       instruction executed again, so that the process dies of the original fault
//
// Flags: SA_SIGINFO for the facts; SA_ONSTACK because the coroutine's stack has no room; not SA_NODEFER, so that a
// fault in here kills the process at once instead of recurring; not SA_RESTART, which means nothing for a fault. All
// signals are masked, because their handlers would run on a stack that may just be moving.
#include "shim_code.h"

#include "common.h"
#include "fl_capabilities.h"
#include "fl_fault.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "alternate_stack.h"
#include "containment.h"
#include "core_dump.h"
#include "forwarding.h"
#include "hibernation.h"
#include "message.h"
#include "move.h"
#include "sanitizers.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"

enum { LARGEST_FRAME = 1 << 30, GROWTH_MARGIN = FL_PAGE };

static struct sigaction previous[2]; // SIGSEGV, SIGBUS
// Signal context: handler only.
static int slot_of(int signal) { return signal == SIGBUS; }

// The signal that this thread is handing on. A handler that was installed over this one and then made the previous one
// has this one as *its* previous handler: when the same signal comes back here, there is no other handler left.
static __thread const siginfo_t *_Nullable handing_on __attribute__((tls_model("initial-exec")));
static __thread uintptr_t handing_frame __attribute__((tls_model("initial-exec")));

static void handle_fault(int signal, siginfo_t *info, void *context);

// arch/*/call_on.S. Signal context: handler only.
extern bool fl_call_on(void *argument, bool (*function)(void *), uintptr_t top);

// MARK: facts

// Signal context: handler only.
static fl_zone zone_of(uintptr_t address, const fl_stack *running, bool *in_running) {
    *in_running = false;
    if (running && running->strategy == FL_STRATEGY_GROWS_DOWN) {
        uintptr_t reach = fl_stack_slot_low(running) - (1 << 20);
        if (address >= reach && address < running->base) {
            *in_running = true;
            return FL_ZONE_BEYOND; // the kernel grows it: a fault that gets here is one it refused
        }
    }
    fl_slot_handle handle = fl_slot_of(address);
    if (!handle.arena) return FL_ZONE_OUTSIDE;
    fl_slot *slot = fl_slot_entry(handle);
    uint32_t state = fl_slot_kind(slot);
    if (state == FL_SLOT_OLD) return FL_ZONE_OLD_RANGE;
    if (state == FL_SLOT_FREE || state == FL_SLOT_QUARANTINED || state == FL_SLOT_TAKEN) return FL_ZONE_FREE;
    *in_running = running && fl_slot_owner(slot) == running;
    bool current = *in_running && fl_slot_base(handle) == running->base;
    uintptr_t low = current ? running->low : fl_slot_address(handle, slot->low);
    uintptr_t room_low = current ? fl_stack_room_low(running) : fl_slot_low(handle);
    if (address >= low) {
        bool hibernates = state == FL_SLOT_HIBERNATED || state == FL_SLOT_HIBERNATING;
        return hibernates || fl_late_fault_is_possible() ? FL_ZONE_HIBERNATED : FL_ZONE_COMMITTED;
    }
    return address >= room_low ? FL_ZONE_ROOM : FL_ZONE_BEYOND;
}

// Signal context: handler only.
static fl_growth growth_of(const fl_stack *stack) {
    switch ((fl_strategy)stack->strategy) {
    case FL_STRATEGY_FAULT:
    case FL_STRATEGY_FAULT_MOVE: return FL_GROWTH_TRAP;
    case FL_STRATEGY_CHECK_MOVE:
    case FL_STRATEGY_CHECK_SEGMENT: return stack->flags & FL_STACK_OVERFLOWING ? FL_GROWTH_NONE : FL_GROWTH_CHECK;
    case FL_STRATEGY_FIXED:
    case FL_STRATEGY_DEMAND:
    case FL_STRATEGY_GROWS_DOWN:
    case FL_STRATEGY_CHECK_FIXED: return FL_GROWTH_NONE;
    }
}

// Only a general protection fault needs the instruction; it is read by a system call, which fails where code ends.
// Signal context: handler only.
static fl_access decode(const ucontext_t *context) {
    static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    fl_general_registers registers;
    for (int i = 0; i < 16; i++) registers.value[i] = (uintptr_t)context->uc_mcontext.gregs[order[i]];
    registers.rip = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uint8_t code[15];
    struct iovec into = {.iov_base = code, .iov_len = sizeof code};
    struct iovec from = {.iov_base = (void *)registers.rip, .iov_len = sizeof code};
    ssize_t length = process_vm_readv(getpid(), &into, 1, &from, 1, 0);
    if (length <= 0) {
        // The last bytes of a mapping: what is left of the page.
        from.iov_len = FL_PAGE - registers.rip % FL_PAGE;
        if (from.iov_len < sizeof code) length = process_vm_readv(getpid(), &into, 1, &from, 1, 0);
    }
    if (length <= 0) return (fl_access){.kind = FL_ACCESS_UNKNOWN};
    return fl_instruction_decode(code, (size_t)length, &registers);
}

// Signal context: handler only.
static fl_fault_facts gather(int signal, const siginfo_t *info, const ucontext_t *context, fl_stack *stack) {
    const greg_t *registers = context->uc_mcontext.gregs;
    fl_fault_facts facts = {
        .signal = signal,
        .code = info->si_code,
        .address = (uintptr_t)info->si_addr,
        .error = (uint64_t)registers[REG_ERR],
        .trap = (uint64_t)registers[REG_TRAPNO],
        .ip = (uintptr_t)registers[REG_RIP],
        .sp = (uintptr_t)registers[REG_RSP],
        .access = {.kind = FL_ACCESS_UNKNOWN},
        .nil_extent = fl_capabilities_get()->nil_extent,
        .signal_frame_size = fl_capabilities_get()->signal_frame_size,
    };
    if (info->si_code == SI_KERNEL) facts.access = decode(context);
    facts.zone = zone_of(facts.address, stack, &facts.address_in_running_stack);
    if (!stack) return facts;
    facts.has_stack = true;
    facts.stack_low = stack->low;
    facts.stack_base = stack->base;
    facts.stack_slot_low = fl_stack_slot_low(stack);
    facts.stack_room_low = fl_stack_room_low(stack);
    facts.growth = growth_of(stack);
    facts.sp_in_running_stack = facts.sp >= facts.stack_slot_low && facts.sp <= stack->base;
    facts.sp_below_running_slot = facts.sp < facts.stack_slot_low && facts.stack_slot_low - facts.sp < LARGEST_FRAME;
    return facts;
}

// MARK: actions

// Signal context: handler only.
static fl_unwind_registers unwind_from(const ucontext_t *context) {
    const greg_t *registers = context->uc_mcontext.gregs;
    return (fl_unwind_registers){
        .rip = (uintptr_t)registers[REG_RIP],
        .rsp = (uintptr_t)registers[REG_RSP],
        .rbp = (uintptr_t)registers[REG_RBP],
        .rbx = (uintptr_t)registers[REG_RBX],
        .r12 = (uintptr_t)registers[REG_R12],
        .r13 = (uintptr_t)registers[REG_R13],
        .r14 = (uintptr_t)registers[REG_R14],
        .r15 = (uintptr_t)registers[REG_R15],
        .is_signal_frame = true,
    };
}

// Has the interrupted context end the coroutine, right below its outermost frame, where none is needed any more.
// Signal context: handler only.
static void end_coroutine(const fl_stack *stack, ucontext_t *context) {
    enum { DIRECTION_FLAG = 0x400 };
    greg_t *registers = context->uc_mcontext.gregs;
    registers[REG_RSP] = (greg_t)((uintptr_t)stack->fiber.frame - FL_WORD);
    registers[REG_RIP] = (greg_t)(uintptr_t)fl_contained_finish;
    registers[REG_EFL] &= ~DIRECTION_FLAG;
}

// Signal context: handler only.
static fl_growth_result grow_in_place(fl_stack *stack, uintptr_t need_low, fl_failure *failure) {
    uintptr_t room_low = fl_stack_room_low(stack);
    fl_slot_handle handle = fl_stack_slot(stack);
    if (need_low < room_low) return FL_AT_MAXIMUM;
    uintptr_t had = stack->base - stack->low;
    uintptr_t low = fl_minimum(stack->base - 2 * had, fl_page_down(need_low) - GROWTH_MARGIN);
    if (2 * had > stack->base - room_low) low = room_low;
    low = fl_maximum(fl_slot_growth_end(handle, low), room_low);
    *failure = fl_slot_extend(handle, low);
    // More than is needed was asked for. Near the limit of all stacks' memory the needed part alone may still fit.
    uintptr_t needed = fl_slot_growth_end(handle, fl_page_down(need_low) - GROWTH_MARGIN);
    if (failure->error && failure->site == FL_SITE_STACK_MEMORY && needed > low) {
        low = needed;
        *failure = fl_slot_extend(handle, low);
    }
    if (failure->error) return FL_GROWTH_FAILED;
    FL_COUNT(stack, growths, 1);
    FL_COUNT(stack, bytes_committed, stack->low - low);
    stack->low = low;
    return FL_GREW;
}

// A large frame that jumped the guard band of a moving stack lies in its own unguarded room, and what it stored there
// must move too: the band opens first, so that the live range is in one piece. Where the debug knob has guarded part of
// the usable room nothing is done: the band's place is not known then. Signal context: handler only.
static fl_failure open_jumped_band(fl_stack *stack, uintptr_t sp) {
    fl_slot_handle handle = fl_stack_slot(stack);
    uintptr_t slot_low = fl_slot_low(handle), band_low = fl_slot_address(handle, fl_slot_entry(handle)->band_low);
    uintptr_t room = slot_low + fl_slot_geometry_of((fl_slot_size)stack->slot).guard;
    uintptr_t end = fl_page_down(fl_maximum(sp - FL_RED_ZONE, room));
    bool jumped = stack->guard == FL_GUARD_PAGES && end < band_low && sp >= slot_low;
    if (!jumped || (stack->flags & FL_STACK_PROVOKED)) return fl_failure_none();
    fl_failure failure = fl_slot_extend(handle, end);
    if (!failure.error) stack->low = end;
    return failure;
}

// Signal context: handler only.
static fl_growth_result grow(fl_stack *stack, const fl_fault_facts *facts, ucontext_t *context, fl_failure *failure) {
    uintptr_t need_low = fl_minimum(facts->address, facts->sp - FL_RED_ZONE);
    fl_statistics_used(stack, stack->base - fl_minimum(facts->address, facts->sp));
    if (stack->strategy == FL_STRATEGY_FAULT) return grow_in_place(stack, need_low, failure);
    fl_relocation relocation = {.reach = fl_maximum(facts->sp - FL_RED_ZONE, facts->stack_slot_low)};
    uintptr_t need = fl_page_up(stack->base - need_low) + GROWTH_MARGIN;
    uintptr_t maximum = fl_stack_maximum(stack);
    if (stack->base - need_low <= maximum) need = fl_minimum(need, maximum);
    *failure = open_jumped_band(stack, facts->sp);
    if (failure->error) return FL_GROWTH_FAILED;
    // A frame that ends within guards has stored nothing below them: what is live begins where the slot is usable.
    uintptr_t live = fl_maximum(facts->sp, stack->low + FL_RED_ZONE);
    fl_growth_result result = fl_stack_grow_by_move(stack, live, need, &relocation, failure);
    if (result != FL_GREW) return result;
    // A stack pointer that jumped out of the slot is an address of no range: it keeps its distance to the base.
    greg_t *sp = &context->uc_mcontext.gregs[REG_RSP];
    bool jumped = (uintptr_t)*sp < relocation.low;
    fl_relocate_context(&relocation, context);
    if (jumped) *sp += (greg_t)relocation.delta;
    fl_relocate_thread(&relocation);
    FL_COUNT(stack, words_scanned, relocation.scanned);
    FL_COUNT(stack, words_relocated, relocation.relocated);
    return FL_GREW;
}

// The previous handler, with its mask and flags; without one the default action by executing the instruction again.
// Signal context: handler only.
static void hand_on(int signal, siginfo_t *info, ucontext_t *context, fl_verdict verdict) {
    struct sigaction action = previous[slot_of(signal)];
    struct sigaction standard = {.sa_handler = SIG_DFL};
    bool sent = verdict == FL_VERDICT_SENT;
    // The same signal again, from within the previous handler. One that left by siglongjmp is not within it any more:
    // the kernel may put the next signal where the last one was, but then no frame lies between.
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    if (handing_on == info && frame < handing_frame) action = standard;
    if (action.sa_handler == SIG_IGN && sent) return;
    if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) {
        fl_core_show_running();
        // A refusal cannot be survived: the same instruction would fault for ever.
        if (fl_system_sigaction(FL_SITE_HANDLER_SET, signal, &standard, NULL)) fl_die();
        // What a process sent, or a lost frame, does not recur by itself. Blocked until the handler has returned.
        if (sent || info->si_code == SI_KERNEL) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
        return;
    }
    if (action.sa_flags & SA_RESETHAND) previous[slot_of(signal)] = standard;
    sigset_t mask = context->uc_sigmask;
    sigorset(&mask, &mask, &action.sa_mask);
    if (!(action.sa_flags & SA_NODEFER)) sigaddset(&mask, signal);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    handing_on = info;
    handing_frame = frame;
    if (action.sa_flags & SA_SIGINFO) {
        action.sa_sigaction(signal, info, context);
    } else {
        action.sa_handler(signal);
    }
    handing_on = NULL;
    // It leaves the end to the kernel.
    if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_DFL) fl_core_show_running();
}

// True: the context may continue. False: the signal is handed on. Signal context: handler only.
static bool act(fl_verdict verdict, fl_stack *stack, const fl_fault_facts *facts, ucontext_t *context,
                fl_failure failure) {
    switch (verdict) {
    case FL_VERDICT_GROWTH:
        if (grow(stack, facts, context, &failure) == FL_GREW) return true;
        break;
    case FL_VERDICT_OVERFLOW: break;
    case FL_VERDICT_STALE_REFERENCE: {
        if (fl_forward(context, facts->address)) return true;
        char address[24], ip[24];
        const char *parts[] = {"stale stack reference to 0x", fl_hexadecimal(address, facts->address),
                               " at instruction 0x", fl_hexadecimal(ip, facts->ip),
                               ": no register holds an address of the stack that moved from there"};
        fl_message(parts, 5);
        return false;
    }
    case FL_VERDICT_HIBERNATED: {
        char address[24], ip[24], error[24];
        fl_restoring restoring = fl_wake_by_fault(facts->address, &failure);
        if (restoring == FL_RESTORED) return true;
        bool failed = restoring == FL_RESTORE_FAILED;
        const char *parts[] = {"access to a hibernated stack at 0x",
                               fl_hexadecimal(address, facts->address),
                               " by instruction 0x",
                               fl_hexadecimal(ip, facts->ip),
                               ": ",
                               failed ? fl_site_name((fl_site)failure.site) : "only a resume can restore it",
                               failed ? " failed with errno " : ", without a userfaultfd",
                               failed ? fl_decimal(error, (uint64_t)failure.error) : ""};
        fl_message(parts, 8);
        return false;
    }
    case FL_VERDICT_NIL_DEREFERENCE: {
        if (!stack || !(stack->flags & FL_STACK_CONTAINS_NIL) || !facts->sp_in_running_stack) return false;
        fl_unwind_registers at = unwind_from(context);
        fl_fault_report *report = &fl_stack_details_of(stack)->fault;
        stack->touched_details = 1;
        *report = (fl_fault_report){.verdict = verdict,
                                    .address = facts->address,
                                    .ip = facts->ip,
                                    .used = stack->base - facts->sp,
                                    .limit = fl_stack_maximum(stack)};
        if (fl_contain(stack, &at, true) != FL_CONTAIN_NOW) return false;
        end_coroutine(stack, context);
        return true;
    }
    case FL_VERDICT_HEADROOM: {
        char ip[24];
        const char *parts[] = {"headroom too small: unchecked code at instruction 0x", fl_hexadecimal(ip, facts->ip),
                               " ran through the room that checks leave for it; raise StackConfiguration.initial"};
        fl_message(parts, 3);
        return false;
    }
    case FL_VERDICT_LOST_SIGNAL_FRAME: {
        const char *parts[] = {"a signal was lost: its handler was installed without SA_ONSTACK and the coroutine's "
                               "stack has no room for it; install it with SA_ONSTACK"};
        fl_message(parts, 1);
        return false;
    }
    default: return false;
    }
    // The kernel grew this one, contiguously: what lies above the refused page is mapped.
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN) {
        stack->low = fl_minimum(fl_page_down(facts->address) + FL_PAGE, stack->base - FL_PAGE);
    }
    fl_unwind_registers at = unwind_from(context);
    switch (fl_overflow(stack, &at, facts->address, failure)) {
    case FL_END_COROUTINE: end_coroutine(stack, context); return true;
    case FL_END_CONTINUE: return true;
    case FL_END_PROCESS: return false;
    }
}

typedef struct fault {
    int signal;
    siginfo_t *info;
    ucontext_t *context;
    fl_verdict verdict;
} fault;

// A coroutine that a handler on the alternate stack resumed: the kernel has put this signal's frame over those of that
// handler. A damaged chain of resumers is not followed for ever. Signal context: handler only.
static bool is_below_handler(const ucontext_t *context) {
    enum { NESTING = 1 << 12 };
    uintptr_t low = (uintptr_t)context->uc_stack.ss_sp;
    const fl_fiber *fiber = fl_current_fiber;
    for (int depth = 0; fiber && depth < NESTING; depth++) {
        if ((uintptr_t)fiber->frame->resumer.sp - low < context->uc_stack.ss_size) return true;
        fiber = fiber->frame->resumer_fiber;
    }
    return false;
}

// True: the context may continue. Signal context: handler only.
static bool resolve(void *argument) {
    int kept = errno;
    fault *fault = argument;
    uint64_t began = fl_now();
    fl_stack *stack = fl_stack_running();
    if (stack && is_below_handler(fault->context)) {
        const char *parts[] = {
            "a signal handler on the alternate stack resumed a coroutine, whose stack fault cannot be "
            "handled there; run no coroutine inside a signal handler"};
        fl_message(parts, 1);
        fl_die();
    }
    fl_fault_facts facts = gather(fault->signal, fault->info, fault->context, stack);
    bool has_calls = !fl_announcer || !fl_sanitizers_open_calls(facts.address);
    fault->verdict = has_calls ? fl_fault_classify(&facts) : FL_VERDICT_OVERFLOW;
    FL_COUNT(stack, traps[fault->verdict], 1);
    fl_failure failure = has_calls ? fl_failure_none() : fl_failure_at(FL_SITE_ANNOUNCE, ENOMEM);
    bool continues = act(fault->verdict, stack, &facts, fault->context, failure);
    fl_statistics_time(stack, fl_now() - began);
    errno = kept;
    return continues;
}

// Signal context: handler only.
static bool resolve_or_hand_on(void *argument) {
    fault *fault = argument;
    if (resolve(fault)) return true;
    int kept = errno;
    hand_on(fault->signal, fault->info, fault->context, fault->verdict);
    errno = kept;
    return false;
}

// The kernel delivers on the alternate stack that the thread has now, which may be one of another owner that has no
// room for more than this frame: then the work is done on the thread's own. Nothing is called before, because binding a
// function at its first call may take 3 KiB. Signal context: handler only.
static void handle_fault(int signal, siginfo_t *info, void *context) {
    fault fault = {.signal = signal, .info = info, .context = context, .verdict = FL_VERDICT_FOREIGN};
    const fl_thread *thread = fl_this_thread;
    bool is_small = fault.context->uc_stack.ss_size < FL_SIGNAL_STACK_MINIMUM;
    if (thread && is_small) {
        (void)fl_call_on(&fault, resolve_or_hand_on, thread->signal_top);
    } else {
        (void)resolve_or_hand_on(&fault);
    }
}

// MARK: installing

bool fl_handler_is_installed(void) {
    struct sigaction segv, bus;
    fl_reach_down(); // the kernel makes no stack grow
    return sigaction(SIGSEGV, NULL, &segv) == 0 && sigaction(SIGBUS, NULL, &bus) == 0 && (segv.sa_flags & SA_SIGINFO) &&
           segv.sa_sigaction == handle_fault && (bus.sa_flags & SA_SIGINFO) && bus.sa_sigaction == handle_fault;
}

int fl_handler_install(void) {
    static const int signals[2] = {SIGSEGV, SIGBUS};
    struct sigaction action = {.sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    bool sets_first = false;
    fl_reach_down(); // likewise
    for (int i = 0; i < 2; i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old)) return errno;
        if ((old.sa_flags & SA_SIGINFO) && old.sa_sigaction == handle_fault) continue;
        previous[i] = old;
        int error = fl_system_sigaction(FL_SITE_HANDLER_SET, signals[i], &action, NULL);
        if (error) {
            // Both or neither.
            if (sets_first) (void)sigaction(SIGSEGV, &previous[0], NULL);
            return error;
        }
        sets_first = i == 0;
    }
    return 0;
}

#pragma clang attribute pop
