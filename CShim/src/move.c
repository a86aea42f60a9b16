// Moving a running stack to a larger slot.
//
//     before   old slot  | guard | room | live ……… | base           live begins at the page of sp - red zone
//     after    new slot  | guard | room …………… | live ……… | base     same distance to the base
//              old slot  | guard | room | guarded … | base           state: old, owner: the stack
//
// Runs on another stack (the alternate one at a trap, the thread's own for __morestack) with all signals blocked or
// at a call. Order: destination ready, pages moved, old range guarded, words adjusted. Until the pages move nothing
// has changed and every failure can be reported; after that only the guard of the old range can fail, and a stack whose
// old range is not guarded would be silently unsound: the process ends.
#include "internal.h"

#pragma clang section text = "fl_text"

static void keep_old(fl_stack *stack, fl_place old) {
    fl_stack_details *details = stack->details;
    stack->touched_details = 1;
    if (stack->old_count == FL_OLD_RANGES) {
        fl_place_release(details->old[0], false);
        memmove(&details->old[0], &details->old[1], sizeof(fl_place) * (FL_OLD_RANGES - 1));
        stack->old_count--;
    }
    details->old[stack->old_count++] = old;
}

fl_failure fl_stack_move(fl_stack *stack, uintptr_t sp, fl_slot_size size, uintptr_t usable,
                         fl_relocation *relocation) {
    fl_place place, old = stack->place;
    uintptr_t old_base = stack->base;
    uintptr_t live = fl_page_down(sp - FL_RED_ZONE);
    size_t length = old_base - live;

    fl_failure failure = fl_place_take(size, (fl_guard)stack->guard, stack, &place);
    if (failure.error) return failure;
    uintptr_t base = fl_place_base(place);
    failure = fl_place_make_usable(place, base - usable);
    if (failure.error) {
        fl_place_release(place, false);
        return failure;
    }
    fl_mover mover = fl_pages_move((fl_mover)stack->mover, live, base - length, length);
    failure = fl_place_retire(old, live, (stack->flags & FL_STACK_PROVOKED) != 0);
    stack->flags &= (uint8_t)~FL_STACK_PROVOKED;
    if (failure.error) {
        const char *parts[] = {"a stack was moved, but its former range could not be guarded (",
                               fl_site_name((fl_site)failure.site), "); raise vm.max_map_count or use another guard"};
        fl_message(parts, 3);
        fl_die();
    }
    keep_old(stack, old);

    relocation->low = fl_place_low(old);
    relocation->base = old_base;
    relocation->delta = base - old_base;
    relocation->scanned = relocation->relocated = 0;
    // The red zone begins below the stack pointer, which may be unaligned only in broken code.
    uintptr_t first = ((sp - FL_RED_ZONE) & ~(FL_WORD - 1)) + relocation->delta;
    fl_relocate_words(relocation, (uintptr_t *)first, (base - first) / FL_WORD);

    stack->place = place;
    stack->base = base;
    stack->low = base - usable;
    stack->slot_low = fl_place_low(place);
    stack->slot = (uint8_t)size;
    stack->room_low = usable >= stack->maximum ? stack->low : stack->slot_low;
    fl_stack_set_limit(stack);
    FL_COUNT(stack, moves[mover], 1);
    FL_COUNT(stack, bytes_moved, length);
    return fl_failure_none();
}

fl_growth_result fl_stack_grow_by_move(fl_stack *stack, uintptr_t sp, uintptr_t need, fl_relocation *relocation,
                                       fl_failure *failure) {
    *failure = fl_failure_none();
    uintptr_t had = stack->base - stack->low;
    if (need > stack->maximum) return FL_AT_MAXIMUM;
    // A debug knob guarded part of the usable room: the same size again, so that it can move ten thousand times.
    if (stack->flags & FL_STACK_PROVOKED) {
        fl_slot *slot = fl_place_slot(stack->place);
        uintptr_t usable = stack->base - slot->low;
        if (need <= usable) {
            *failure = fl_stack_move(stack, sp, (fl_slot_size)stack->slot, usable, relocation);
            return failure->error ? FL_GROWTH_FAILED : FL_GREW;
        }
    }
    if (had >= stack->maximum) return FL_AT_MAXIMUM;
    uintptr_t usable = fl_minimum(fl_maximum(2 * had, need), stack->maximum);
    // The last slot must hold the reserve too, so that an overflow is contained where it happens.
    uint32_t size = stack->slot;
    do {
        size++;
        if (size >= FL_SLOT_SIZES) return FL_AT_MAXIMUM;
        usable = fl_minimum(fl_maximum(usable, fl_slot_room((fl_slot_size)size)), stack->maximum);
    } while (fl_slot_room((fl_slot_size)size) < usable + (usable == stack->maximum ? stack->reserve : 0));
    *failure = fl_stack_move(stack, sp, (fl_slot_size)size, usable, relocation);
    if (failure->error) return FL_GROWTH_FAILED;
    FL_COUNT(stack, growths, 1);
    FL_COUNT(stack, bytes_committed, usable - had);
    return FL_GREW;
}
