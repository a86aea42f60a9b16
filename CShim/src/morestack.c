// What a failed check does: move to a larger slot, or run the function on a new segment.
//
// The assembly (arch/x86_64/morestack.S) has saved every register that may hold an argument on the stack itself, so
// a move relocates them with the other live words; this runs on the thread's __morestack stack.
#include "shim_code.h"

#include "morestack.h"

#include <stdlib.h>

#include "containment.h"
#include "message.h"
#include "move.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"

static fl_unwind_registers unwind_from(const fl_morestack_frame *frame) {
    // The function that was entered has not begun: its caller is where the walk starts.
    const uintptr_t *bp = (const uintptr_t *)frame->bp;
    return (fl_unwind_registers){
        .rip = bp[2],
        .rsp = frame->bp + 3 * FL_WORD,
        .rbp = bp[0],
        .rbx = frame->rbx,
        .r12 = frame->r12,
        .r13 = frame->r13,
        .r14 = frame->r14,
        .r15 = frame->r15,
        .is_signal_frame = false,
    };
}

static fl_morestack_frame *overflow(fl_stack *stack, fl_morestack_frame *frame, fl_failure failure) {
    fl_unwind_registers at = unwind_from(frame);
    switch (fl_overflow(stack, &at, frame->bp - frame->frame_size, failure)) {
    case FL_END_COROUTINE: fl_contained_finish();
    case FL_END_CONTINUE: frame->mode = FL_MORESTACK_CONTINUE; return frame;
    case FL_END_PROCESS: fl_die();
    }
}

static fl_morestack_frame *add_segment(fl_stack *stack, fl_morestack_frame *frame) {
    enum { RESERVED = (sizeof(fl_segment_link) + 15) & ~15 };
    uintptr_t arguments = (frame->arguments_size + 15) & ~(uintptr_t)15;
    uintptr_t need = frame->frame_size + arguments + RESERVED + FL_PAGE;
    // Twice the need: half of a room may be headroom.
    fl_slot_size size = fl_slot_for(fl_maximum(2 * need, fl_stack_initial(stack)), (fl_slot_size)stack->first_slot);
    if (size >= FL_SLOT_SIZES) return overflow(stack, frame, fl_failure_none());
    uintptr_t usable = fl_maximum(fl_page_up(2 * need), fl_stack_initial(stack));
    uintptr_t allowed = fl_stack_maximum(stack) + (stack->flags & FL_STACK_OVERFLOWING ? fl_stack_reserve(stack) : 0);
    if (fl_stack_details_of(stack)->segment_bytes + fl_stack_initial(stack) + usable > allowed) {
        if (!(stack->flags & FL_STACK_OVERFLOWING)) {
            fl_morestack_frame *ended = overflow(stack, frame, fl_failure_none());
            (void)ended; // the reserve is open: this very function needs a segment from it
            allowed = fl_stack_maximum(stack) + fl_stack_reserve(stack);
        }
        if (fl_stack_details_of(stack)->segment_bytes + fl_stack_initial(stack) + usable > allowed) {
            return overflow(stack, frame, fl_failure_none());
        }
    }
    fl_slot_handle handle;
    fl_failure failure = fl_slot_take(size, (fl_guard)stack->guard, stack, &handle);
    if (failure.error) return overflow(stack, frame, failure);
    uintptr_t base = fl_slot_base(handle);
    failure = fl_slot_make_usable(handle, base - usable);
    if (failure.error) {
        fl_slot_release(handle, false);
        return overflow(stack, frame, failure);
    }
    fl_segment_link *link = (fl_segment_link *)(base - sizeof(fl_segment_link));
    *link = (fl_segment_link){.base = stack->base, .low = stack->low};
    uintptr_t sp = base - RESERVED - arguments;
    // The arguments on the stack begin behind the two return addresses and the saved frame pointer.
    memcpy((void *)sp, (const void *)(frame->bp + 3 * FL_WORD), frame->arguments_size);

    stack->base = base;
    stack->low = base - usable;
    stack->touched_details = 1;
    fl_stack_details_of(stack)->segment_bytes += usable;
    fl_stack_set_limit(stack);
    FL_COUNT(stack, segments, 1);
    FL_COUNT(stack, growths, 1);
    FL_COUNT(stack, bytes_committed, usable);
    fl_statistics_used(stack, fl_stack_details_of(stack)->segment_bytes + fl_stack_initial(stack));
    frame->segment_sp = sp;
    frame->mode = FL_MORESTACK_SEGMENT;
    return frame;
}

fl_morestack_frame *fl_morestack_work(fl_morestack_frame *frame) {
    fl_stack *stack = fl_stack_running();
    int kept = errno;
    if (!stack) {
        const char *parts[] = {"checked code failed its check outside a coroutine; the limit in the thread control "
                               "block was not set by this library"};
        fl_message(parts, 1);
        fl_die();
    }
    FL_COUNT(stack, checks_failed, 1);
    frame->mode = FL_MORESTACK_CONTINUE;
    fl_morestack_frame *result = frame;
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT) {
        result = add_segment(stack, frame);
    } else if (stack->strategy == FL_STRATEGY_CHECK_MOVE) {
        uintptr_t sp = (uintptr_t)frame;
        uintptr_t need = fl_page_up(stack->base - sp + frame->frame_size + fl_headroom(SIZE_MAX) + FL_PAGE);
        fl_relocation relocation = {.reach = sp - FL_RED_ZONE};
        fl_failure failure;
        fl_statistics_used(stack, stack->base - frame->bp + frame->frame_size);
        need = fl_minimum(need, fl_stack_maximum(stack)); // the last slot; the next failed check finds it full
        switch (fl_stack_grow_by_move(stack, sp, need, &relocation, &failure)) {
        case FL_GREW:
            fl_relocate_thread(&relocation);
            FL_COUNT(stack, words_scanned, relocation.scanned);
            FL_COUNT(stack, words_relocated, relocation.relocated);
            result = (fl_morestack_frame *)(sp + relocation.delta);
            if (result->bp - result->frame_size < FL_THREAD_WORD(FL_LIMIT_OFFSET))
                result = overflow(stack, result, failure);
            break;
        case FL_AT_MAXIMUM:
        case FL_GROWTH_FAILED: result = overflow(stack, frame, failure); break;
        }
    } else {
        result = overflow(stack, frame, fl_failure_none());
    }
    errno = kept;
    return result;
}

void fl_morestack_release(void) {
    fl_stack *stack = fl_stack_running();
    int kept = errno;
    fl_slot_handle done = fl_stack_leave_segment(stack);
    fl_stack_set_limit(stack);
    fl_slot_release(done, false);
    errno = kept;
}

void *fl_morestack_allocate(size_t size) {
    fl_stack *stack = fl_stack_running();
    enum { HEADER = 16 };
    char *block = size <= PTRDIFF_MAX - HEADER ? malloc(size + HEADER) : NULL;
    if (!block || !stack) {
        const char *parts[] = {"a variable-sized local found room neither on the stack nor on the heap"};
        fl_message(parts, 1);
        fl_die();
    }
    fl_stack_details *details = fl_stack_details_of(stack);
    *(void **)(void *)block = details->allocations;
    stack->touched_details = 1;
    details->allocations = block;
    return block + HEADER;
}

#pragma clang attribute pop
