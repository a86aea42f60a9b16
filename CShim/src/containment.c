// Ending a coroutine instead of the process.
//
// Frames of libc, ld.so, the Swift runtime and this shim are never abandoned: they may hold a lock. So the whole stack
// is walked once, from the fault to the entry of the coroutine:
//
//     fault -> frames -> … -> outermost no-abandon frame -> user frames only -> fl_fiber_entry
//
// Without a no-abandon frame the coroutine ends at once. Otherwise the return address of the outermost one is replaced
// by fl_contained_return, the reserve is opened, and the code runs on until control comes there: then every frame that
// is left is the user's. Recursion that goes through a library, a sort's comparator or a decoder's nested values, may
// so go on to a hard limit, which is the end of the slot's room. A walk that meets a frame it cannot describe proves
// nothing, and the process ends.
#include "shim_code.h"

#include "containment.h"

#include <unwind.h>

#include "capabilities.h"
#include "code_owner.h"
#include "loaded_object.h"
#include "message.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"
#include "walk.h"

// A walk from the fault towards the entry of the coroutine.
typedef struct walk {
    fl_unwind_registers registers;
    uintptr_t replaceable; // where the outermost no-abandon frame so far keeps its return address, 0: there is none
    uintptr_t held_by;     // an address in that frame's code
} walk;

// Signal context: callable.
static bool walk_to_entry(const fl_stack *stack, walk *walk, fl_fault_report *report) {
    fl_unwind_cache cache;
    memset(&cache, 0, sizeof cache);
    // A copy, which stays in registers where most frames are stepped over: by a plain rule from the cache.
    fl_unwind_registers registers = walk->registers;
    bool is_one_part = stack->strategy != FL_STRATEGY_CHECK_SEGMENT;
    uintptr_t low = 0, high = 0, entry = (uintptr_t)fl_fiber_entry;
    if (is_one_part) (void)fl_stack_part_of(stack, registers.rsp, &low, &high);
    const fl_unwind_rule *rule = NULL;
    // A frame takes at least the word of its return address, which bounds the walk.
    uintptr_t maximum = (fl_stack_maximum(stack) + fl_stack_reserve(stack)) / FL_WORD;
    for (uintptr_t walked = 0; walked < maximum; walked++) {
        walk->registers.rip = registers.rip; // where it ends, if it does
        if (registers.rip - entry < FL_ENTRY_BYTES) return true;
        if (report->frames < FL_BACKTRACE_MAXIMUM) report->backtrace[report->frames++] = registers.rip;
        uintptr_t address = fl_unwind_lookup(&registers);
        if (rule == NULL || rule->ip != address) rule = fl_unwind_rule_at(&cache, address);
        if (rule == NULL || rule->owner == FL_CODE_UNKNOWN) return false;
        bool is_no_abandon = rule->owner == FL_CODE_NO_ABANDON;
        fl_unwind_frame frame = {.cfa = 0, .return_address_slot = 0};
        fl_unwind_result result;
        if (is_one_part && (rule->kind == FL_UNWIND_FROM_RSP || rule->kind == FL_UNWIND_FROM_RBP)) {
            result = fl_unwind_step_plain(rule, &registers, &frame, low, high);
        } else {
            fl_unwind_registers before = registers;
            result = fl_walk_step(stack, rule, &before, &frame, &cache);
            registers = before;
        }
        if (result != FL_UNWIND_STEPPED) return false;
        if (is_no_abandon) {
            if (!frame.return_address_slot) return false;
            walk->replaceable = frame.return_address_slot;
            walk->held_by = address;
        }
    }
    return false;
}

fl_containment fl_contain(fl_stack *stack, const fl_unwind_registers *at, bool now_only) {
    fl_fault_report *report = &fl_stack_details_of(stack)->fault;
    report->frames = 0;
    report->held_by = 0;
    walk walk = {.registers = *at};
    bool is_known = fl_capabilities_get()->unwinds && walk_to_entry(stack, &walk, report);
    report->held_by = is_known ? walk.held_by : walk.registers.rip;
    if (!is_known) return FL_CONTAIN_NEVER;
    if (!walk.replaceable) return FL_CONTAIN_NOW;
    if (!now_only) *(uintptr_t *)walk.replaceable = (uintptr_t)fl_contained_return;
    return FL_CONTAIN_LATER;
}

extern void _Unwind_SetIP(struct _Unwind_Context *context, _Unwind_Ptr ip) __attribute__((weak));

/// Signal context: forbidden.
extern _Unwind_Reason_Code fl_contained_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                                    struct _Unwind_Exception *exception,
                                                    struct _Unwind_Context *context);

// The outermost no-abandon frame was that of a throw, which does not return: its exception comes here instead.
_Unwind_Reason_Code fl_contained_personality(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                             struct _Unwind_Exception *exception, struct _Unwind_Context *context) {
    (void)version, (void)class, (void)exception;
    if (!_Unwind_SetIP) return _URC_CONTINUE_UNWIND;
    if (actions & _UA_SEARCH_PHASE) return _URC_HANDLER_FOUND;
    if (!(actions & _UA_HANDLER_FRAME)) return _URC_CONTINUE_UNWIND; // the thread is being ended
    _Unwind_SetIP(context, (_Unwind_Ptr)fl_contained_return);
    return _URC_INSTALL_CONTEXT;
}

// Makes room below the maximum: the configured reserve at first, then twice as much each time, to the end of the slot's
// room. Not all at once, because what is opened counts as memory in use. Signal context: callable.
static fl_failure open_reserve(fl_stack *stack, uintptr_t need_low) {
    if (stack->strategy != FL_STRATEGY_CHECK_SEGMENT) { // there more segments are allowed from now on
        uintptr_t maximum = fl_stack_maximum(stack), had = stack->base - stack->low;
        uintptr_t opened = had > maximum ? 2 * (had - maximum) : fl_stack_reserve(stack);
        uintptr_t room_low = stack->base - fl_slot_room((fl_slot_size)stack->slot);
        uintptr_t low = fl_minimum(stack->base - maximum - opened, fl_page_down(need_low) - FL_PAGE);
        low = fl_maximum(low, room_low);
        fl_failure failure = fl_slot_extend(fl_stack_slot(stack), low);
        if (failure.error) return failure;
        stack->low = low;
        stack->reserve_pages = (stack->base - room_low - maximum) / FL_PAGE;
    }
    stack->flags |= FL_STACK_OVERFLOWING;
    fl_stack_set_limit(stack);
    return fl_failure_none();
}

// The reserve lies below the maximum; room that could not be made for another reason has none.
// Signal context: callable.
static bool has_reserve(const fl_stack *stack, uintptr_t need_low) {
    if (fl_stack_reserve(stack) == 0 || stack->strategy == FL_STRATEGY_GROWS_DOWN) return false;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) return !(stack->flags & FL_STACK_OVERFLOWING);
    uintptr_t room = fl_slot_room((fl_slot_size)stack->slot);
    return stack->base - need_low <= room && room >= fl_stack_maximum(stack) + fl_stack_reserve(stack);
}

// The last part of the path of the object that holds `address`. Signal context: callable.
static const char *library_at(uintptr_t address) {
    fl_loaded_object object;
    if (!fl_loaded_object_of(address, &object)) return "code that no object holds";
    if (object.path == NULL || object.path[0] == '\0') return "this program";
    const char *name = object.path;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '/') name = at + 1;
    }
    return name;
}

// Signal context: callable.
static fl_obstacle must_return(uintptr_t code) {
    return (fl_obstacle){"; a frame of ", library_at(code),
                         " must return first: bound the recursion's depth, or raise StackConfiguration.maximum"};
}

fl_ending fl_overflow(fl_stack *stack, const fl_unwind_registers *at, uintptr_t address, fl_failure failure) {
    stack->touched_details = 1;
    fl_fault_report *report = &fl_stack_details_of(stack)->fault;
    uintptr_t used = stack->base - at->rsp;
    // Base and low are those of the segment in use, and the first one is not among the bytes of the others.
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
        used = fl_stack_initial(stack) + fl_stack_details_of(stack)->segment_bytes - (at->rsp - stack->low);
    }
    fl_statistics_used(stack, used);
    bool is_overflowing = (stack->flags & FL_STACK_OVERFLOWING) != 0;
    uintptr_t need_low = fl_minimum(address, at->rsp - FL_RED_ZONE);
    bool reserve = failure.error == 0 && has_reserve(stack, need_low);
    if (is_overflowing && reserve) {
        failure = open_reserve(stack, need_low);
        if (!failure.error) return FL_END_CONTINUE;
    }
    if (!is_overflowing) FL_COUNT(stack, overflows, 1);
    report->verdict = FL_VERDICT_OVERFLOW;
    report->error = failure.error;
    report->site = failure.site;
    report->address = address;
    report->ip = at->rip;
    report->used = used;
    report->limit = fl_stack_maximum(stack);

    const char *reason = NULL;
    fl_obstacle obstacle = {.what = NULL};
    if (!(stack->flags & FL_STACK_CONTAINS_OVERFLOW)) {
        reason = failure.error ? "could not be given more room" : "overflowed";
    } else if (is_overflowing) {
        reason = "overflowed inside code that may not be abandoned, and used up its reserve";
        obstacle = must_return(report->held_by);
    } else {
        switch (fl_contain(stack, at, !reserve)) {
        case FL_CONTAIN_NOW: return FL_END_COROUTINE;
        case FL_CONTAIN_LATER:
            if (reserve) {
                failure = open_reserve(stack, need_low);
                if (!failure.error) return FL_END_CONTINUE;
                report->error = failure.error;
                report->site = failure.site;
            }
            reason = "overflowed inside code that may not be abandoned, and has no reserve";
            obstacle = must_return(report->held_by);
            break;
        case FL_CONTAIN_NEVER:
            reason = "overflowed, and its frames could not be unwound";
            obstacle = (fl_obstacle){"; the walk over them ended in ", library_at(report->held_by),
                                     ": compile it with -fasynchronous-unwind-tables, or raise "
                                     "StackConfiguration.maximum"};
            break;
        }
    }
    fl_message_overflow(stack, report, reason, obstacle);
    return FL_END_PROCESS;
}

#pragma clang attribute pop
