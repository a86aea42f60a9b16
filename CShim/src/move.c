// Moving a stack to another slot: a running one to a larger, a suspended one back to a smaller.
//
//     before   old slot  | guard | room | live ……… | base           live begins at the page of sp - red zone
//     after    new slot  | guard | room …………… | live ……… | base     same distance to the base
//              old slot  | guard | room | guarded … | base           state: old, owner: the stack
//
// Runs on another stack (the alternate one at a trap, the thread's own for __morestack) with all signals blocked or
// at a call. Order: destination ready, pages moved, old range guarded, words adjusted. Until the pages move nothing
// has changed and every failure can be reported; after that only the guard of the old range can fail, and a stack whose
// old range is not guarded would be silently unsound: the process ends.
#include "shim_code.h"

#include "move.h"

#include "message.h"
#include "page_mover.h"
#include "stack.h"
#include "statistics.h"
#include "system.h"

// Signal context: callable.
static void keep_old(fl_stack *stack, fl_slot_handle old) {
    fl_stack_details *details = fl_stack_details_of(stack);
    stack->touched_details = 1;
    if (stack->old_count == FL_OLD_RANGES) {
        fl_slot_release(details->old[0], false);
        memmove(&details->old[0], &details->old[1], sizeof(fl_slot_handle) * (FL_OLD_RANGES - 1));
        stack->old_count--;
    }
    details->old[stack->old_count++] = old;
}

// Signal context: callable.
_Noreturn static void end_unguarded(const char *what, fl_failure failure) {
    const char *parts[] = {what, fl_site_name((fl_site)failure.site), "); raise vm.max_map_count or use another guard"};
    fl_message(parts, 3);
    fl_die();
}

// The old range of this size with room for `*usable`; an index, or -1. `*usable` becomes what it has.
// Signal context: callable.
static int find_own(const fl_stack *stack, fl_slot_size size, uintptr_t *usable) {
    for (int index = stack->old_count; index-- > 0;) {
        fl_slot_handle handle = fl_stack_details_of(stack)->old[index];
        uintptr_t had = (uintptr_t)fl_slot_entry(handle)->low * FL_PAGE;
        if (handle.arena->size != size || had < *usable) continue;
        *usable = had;
        return index;
    }
    return -1;
}

// Makes an old range usable again, at the distance from its base that every address in it has always had. On failure it
// is an old range as before. Signal context: callable.
static fl_failure take_own(fl_stack *stack, int index, fl_slot_handle *handle) {
    fl_slot_handle *old = fl_stack_details_of(stack)->old;
    *handle = old[index];
    fl_slot *slot = fl_slot_entry(*handle);
    uintptr_t live = fl_slot_address(*handle, slot->old_low);
    fl_failure failure = fl_slot_make_usable(*handle, fl_slot_address(*handle, slot->low));
    if (failure.error) {
        fl_failure again = fl_slot_retire(*handle, live, false);
        if (again.error) end_unguarded("a stack's former range could not be guarded again (", again);
        return failure;
    }
    stack->old_count--;
    memmove(&old[index], &old[index + 1], sizeof(fl_slot_handle) * (size_t)(stack->old_count - index));
    return failure;
}

// Signal context: callable.
static fl_failure take_fresh(fl_stack *stack, fl_slot_size size, uintptr_t usable, fl_slot_handle *handle) {
    fl_failure failure = fl_slot_take(size, (fl_guard)stack->guard, stack, handle);
    if (failure.error) return failure;
    failure = fl_slot_make_usable(*handle, fl_slot_base(*handle) - usable);
    if (failure.error) fl_slot_release(*handle, false);
    return failure;
}

// The rest of a move: the destination is ready. Signal context: callable.
static void move_to(fl_stack *stack, uintptr_t sp, fl_slot_handle handle, uintptr_t usable, fl_relocation *relocation) {
    fl_slot_handle old = fl_stack_slot(stack);
    uintptr_t old_base = stack->base, base = fl_slot_base(handle);
    uintptr_t live = fl_page_down(sp - FL_RED_ZONE);
    size_t length = old_base - live;

    fl_mover mover = fl_pages_move((fl_mover)stack->mover, live, base - length, length);
    fl_failure failure = fl_slot_retire(old, live, (stack->flags & FL_STACK_PROVOKED) != 0);
    stack->flags &= (uint8_t)~(FL_STACK_PROVOKED | FL_STACK_LOW_USE);
    if (failure.error) end_unguarded("a stack was moved, but its former range could not be guarded (", failure);
    keep_old(stack, old);

    relocation->low = fl_slot_low(old);
    relocation->base = old_base;
    relocation->delta = base - old_base;
    relocation->scanned = relocation->relocated = 0;
    // The red zone begins below the stack pointer, which may be unaligned only in broken code.
    uintptr_t first = ((sp - FL_RED_ZONE) & ~(FL_WORD - 1)) + relocation->delta;
    fl_relocate_words(relocation, (uintptr_t *)first, (base - first) / FL_WORD);

    stack->fiber.frame = (fl_outermost_frame *)((uintptr_t)stack->fiber.frame + relocation->delta);
    stack->base = base;
    stack->low = base - usable;
    stack->slot = handle.arena->size & 0xf;
    fl_stack_set_limit(stack);
    FL_COUNT(stack, moves[mover], 1);
    FL_COUNT(stack, bytes_moved, length);
}

fl_failure fl_stack_move(fl_stack *stack, uintptr_t sp, fl_slot_size size, uintptr_t usable,
                         fl_relocation *relocation) {
    fl_slot_handle handle;
    // Where it was before, if it has shrunk since. Not in the same size: that is the debug knob's way.
    int own = size == stack->slot ? -1 : find_own(stack, size, &usable);
    bool is_ready = own >= 0 && take_own(stack, own, &handle).error == 0;
    fl_failure failure = is_ready ? fl_failure_none() : take_fresh(stack, size, usable, &handle);
    if (failure.error) return failure;
    move_to(stack, sp, handle, usable, relocation);
    return failure;
}

fl_failure fl_stack_move_back(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                              bool *must_stay) {
    uintptr_t maximum = fl_stack_maximum(stack), initial = fl_stack_initial(stack);
    for (uint32_t size = stack->first_slot; size < stack->slot; size = fl_slot_next((fl_slot_size)size)) {
        uintptr_t room = fl_slot_room((fl_slot_size)size), usable = fl_minimum(room, maximum);
        bool holds_all = room >= usable + (usable == maximum ? fl_stack_reserve(stack) : 0);
        if (!holds_all || usable < fl_maximum(need, initial)) continue;
        fl_slot_handle handle;
        uintptr_t had = fl_maximum(need, initial);
        int own = find_own(stack, (fl_slot_size)size, &had);
        if (own < 0 && stack->old_count == FL_OLD_RANGES) {
            *must_stay = true;
            continue; // a larger one may be its own
        }
        fl_failure failure =
            own >= 0 ? take_own(stack, own, &handle) : take_fresh(stack, (fl_slot_size)size, usable, &handle);
        if (failure.error) return failure;
        *must_stay = false;
        move_to(stack, sp, handle, own >= 0 ? had : usable, relocation);
        return failure;
    }
    return fl_failure_none();
}

fl_growth_result fl_stack_grow_by_move(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                                       fl_failure *failure) {
    *failure = fl_failure_none();
    uintptr_t had = stack->base - stack->low, maximum = fl_stack_maximum(stack);
    if (need > maximum) return FL_AT_MAXIMUM;
    // A debug knob guarded part of the usable room: the same size again, so that it can move ten thousand times.
    if (stack->flags & FL_STACK_PROVOKED) {
        uintptr_t usable = (uintptr_t)fl_slot_entry(fl_stack_slot(stack))->low * FL_PAGE;
        if (need <= usable) {
            *failure = fl_stack_move(stack, sp, (fl_slot_size)stack->slot, usable, relocation);
            return failure->error ? FL_GROWTH_FAILED : FL_GREW;
        }
    }
    if (had >= maximum) return FL_AT_MAXIMUM;
    uintptr_t usable = fl_minimum(fl_maximum(2 * had, need), maximum);
    // The last slot must hold the reserve too, so that an overflow is contained where it happens.
    uint32_t size = stack->slot;
    do {
        size = fl_slot_next((fl_slot_size)size);
        if (size >= FL_SLOT_SIZES) return FL_AT_MAXIMUM;
        usable = fl_minimum(fl_maximum(usable, fl_slot_room((fl_slot_size)size)), maximum);
    } while (fl_slot_room((fl_slot_size)size) < usable + (usable == maximum ? fl_stack_reserve(stack) : 0));
    // It moves no more: a smaller one than the next may do.
    if (usable == maximum) size = fl_slot_for(maximum + fl_stack_reserve(stack), (fl_slot_size)(stack->slot + 1));
    *failure = fl_stack_move(stack, sp, (fl_slot_size)size, usable, relocation);
    if (failure->error) return FL_GROWTH_FAILED;
    FL_COUNT(stack, growths, 1);
    FL_COUNT(stack, bytes_committed, usable - had);
    return FL_GREW;
}

#pragma clang attribute pop
