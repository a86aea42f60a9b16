// Stacks that ended and wait for the next of their kind: a list for each thread and size of slot, the latest first. In
// front of it may be one that is in hand: of the usual kind, with its frame as it was made.
//
// A pooled stack is ready as it is: at its first size, its guard in place. Only its thread touches it, so nothing here
// needs a lock or an atomic word. What a thread did not need for a while it gives back: each list knows how few stacks
// it had at least since the last look, and that many of its last ones were not needed. No timer and no signal does
// that: a thread reads the clock now and then while it makes and keeps stacks, and code that is about to wait calls
// fl_pool_trim.
#include "shim_code.h"

#include "pool.h"

#include <pthread.h>
#include <sys/mman.h>

#include "stack.h"
#include "system.h"

enum {
    KEEP_BYTES = 64 << 10, // memory that a pooled stack may keep where its strategy lets it grow
    LOOKED_AT = 4,         // stacks that are asked whether they fit
    // Cycles in which the kernel hands out 64 pages at most: each takes an exception and is cleared. A huge page takes
    // longer.
    WINDOW = 40000,
};
#define SECOND ((uint64_t)1000000000)

// Out of the way of what every coroutine's beginning and end runs through: its registers need not be saved there.
#define SELDOM __attribute__((noinline))

__thread fl_pool fl_this_pool __attribute__((tls_model("initial-exec")));
static _Atomic(uint64_t) quiet_time = FL_POOL_QUIET_SECONDS * SECOND;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error;

// MARK: the end of a thread

static void thread_ends(void *argument) {
    fl_pool *ending = argument;
    // Another destructor may end coroutines later: then this one is asked for once more.
    ending->ends = false;
    fl_pool_drain();
}

static void make_key(void) { key_error = pthread_key_create(&key, thread_ends); }

// Without this a thread's last stacks would be lost with it, so what cannot be given back then is not kept at all.
static SELDOM bool end_with_thread(void) {
    pthread_once(&key_once, make_key);
    fl_this_pool.ends = !key_error && pthread_setspecific(key, &fl_this_pool) == 0;
    return fl_this_pool.ends;
}

// MARK: taking and keeping

void fl_pool_look(void) { fl_pool_trim(fl_pool_now(), fl_pool_quiet()); }

static void push(fl_pool_list *list, fl_stack *stack) {
    stack->next = list->first;
    list->first = stack;
    list->count++;
}

static fl_stack *pop(fl_pool_list *list) {
    fl_stack *stack = list->first;
    list->first = stack->next;
    if (--list->count < list->unneeded) list->unneeded = list->count;
    return stack;
}

// What is in hand goes to its list, where all others are looked for.
static void settle(void) {
    fl_stack *stack = fl_this_pool.usual.in_hand;
    if (!stack) return;
    fl_this_pool.usual.in_hand = NULL;
    push(fl_pool_usual_list(), stack);
}

void fl_pool_expect(const fl_pool_usual *usual) {
    settle();
    fl_this_pool.usual = *usual;
}

fl_stack *_Nullable fl_pool_take_usual(void) {
    // Where it waits a stack may have these besides.
    enum { AT_REST = FL_STACK_LOW_USE | FL_STACK_EMPTIED };
    const fl_pool_usual *usual = &fl_this_pool.usual;
    fl_stack *stack = fl_pool_usual_list()->first;
    if (!stack || stack->sizes != usual->sizes || (stack->kind & ~((uint32_t)AT_REST << 24)) != usual->kind) {
        return NULL;
    }
    return pop(fl_pool_usual_list());
}

// Stacks that mremap moves have slots of their own (address_space.c); apart from that any mover will do.
static bool serves(const fl_stack *stack, const fl_stack_configuration *configuration) {
    return stack->strategy == configuration->strategy && stack->guard == configuration->guard &&
           fl_stack_initial(stack) == configuration->initial && fl_stack_maximum(stack) == configuration->maximum &&
           fl_stack_reserve(stack) == configuration->reserve &&
           (stack->mover == FL_MOVER_MREMAP) == (configuration->mover == FL_MOVER_MREMAP);
}

// The first that fits: its slot is ready as it is.
fl_stack *_Nullable fl_pool_take(const fl_stack_configuration *configuration) {
    settle();
    fl_pool_list *list = &fl_this_pool.lists[configuration->slot];
    fl_stack **link = &list->first;
    for (int looked = 0; *link && looked < LOOKED_AT; link = &(*link)->next, looked++) {
        fl_stack *stack = *link;
        if (!serves(stack, configuration)) continue;
        *link = stack->next;
        list->count--;
        if (list->count < list->unneeded) list->unneeded = list->count;
        return stack;
    }
    fl_pool_count_use();
    return NULL;
}

// Makes a stack that grew as it was at first.
static SELDOM bool shrink(fl_stack *stack) {
    uintptr_t keep = stack->base - KEEP_BYTES;
    if (stack->low < keep && fl_slot_advise(FL_SITE_RELEASE, stack->low, keep, MADV_DONTNEED)) {
        return false;
    }
    return fl_stack_make_ready(stack).error == 0;
}

static bool is_paged_in(const fl_stack *stack) {
    return (stack->strategy == FL_STRATEGY_DEMAND || stack->strategy == FL_STRATEGY_CHECK_FIXED) &&
           stack->low < stack->base - KEEP_BYTES;
}

// Gives back what lies below the part that is kept, whatever is there.
static SELDOM bool release_depth(const fl_stack *stack) {
    if (!is_paged_in(stack)) return true;
    uintptr_t size = stack->base - KEEP_BYTES - stack->low;
    return fl_system_advise(FL_SITE_RELEASE, stack->low, size, MADV_DONTNEED) == 0;
}

// A stack that the kernel pages in does not tell how deep it was. The pages just below those that are kept do, unless a
// frame skips them; to ask for them takes a third of the time that it takes to release what may be there. A stack that
// was used for a moment only is spared it, and the thread's first few of up to 16 MiB until its next look.
static SELDOM bool forget_depth(const fl_stack *stack) {
    uintptr_t keep = stack->base - KEEP_BYTES, lowest;
    if (!is_paged_in(stack) || stack->low + KEEP_BYTES > keep) return true;
    return !fl_system_resident_pages(keep - KEEP_BYTES, keep, &lowest) || release_depth(stack);
}

// A `fixed` stack keeps all of its memory.
static uint32_t capacity(const fl_stack *stack) {
    return stack->strategy == FL_STRATEGY_FIXED ? FL_POOL_STACKS_UNASKED : FL_POOL_STACKS;
}

static SELDOM bool ask_depth(const fl_stack *stack) {
    bool forgot = forget_depth(stack);
    fl_this_pool.window = __builtin_readcyclecounter();
    return forgot;
}

// A stack for a call, from another one: of those the outermost 1,000 are used for long, but not themselves.
static bool is_nested_call(const fl_fiber *fiber) {
    const fl_stack *stack = (const fl_stack *)(const void *)fiber;
    return fiber->frame->resumer_fiber && fl_slot_is_deep((fl_slot_size)stack->slot) && fl_fiber_runs_closure(fiber);
}

static bool was_brief_itself(const fl_stack *stack) {
    uint32_t whole = fl_pool_cycles() - stack->fiber.frame->pool_use.taken;
    fl_fiber *caller = fl_current_fiber;
    if (caller && is_nested_call(caller)) caller->frame->pool_use.nested += whole;
    return whole - stack->fiber.frame->pool_use.nested < WINDOW >> 10;
}

// Whether it was in use for a moment only: as a call on its own, or since it was taken in the present window.
static bool was_brief(const fl_stack *stack) {
    if (fl_announcer) return false;
    if (is_nested_call(&stack->fiber)) return was_brief_itself(stack);
    return stack->fiber.frame->pool_window == fl_this_pool.window &&
           __builtin_readcyclecounter() - fl_this_pool.window < WINDOW;
}

bool fl_pool_forgets_depth(const fl_stack *stack) { return was_brief(stack) || ask_depth(stack); }

bool fl_pool_keep_usual(fl_stack *stack) {
    settle();
    return fl_pool_keep_at_once(stack);
}

bool fl_pool_keep(fl_stack *stack) {
    settle();
    fl_pool_list *list = &fl_this_pool.lists[stack->slot];
    // A moved stack ends in another slot than it began in; it is not worth keeping for the size it asked for.
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN || stack->slot != stack->first_slot ||
        stack->flags & (FL_STACK_OVERFLOWING | FL_STACK_PROVOKED) || list->count >= capacity(stack) ||
        (!fl_this_pool.ends && !end_with_thread())) {
        return false;
    }
    if (stack->low != stack->base - fl_stack_usable_at_first(stack) && !shrink(stack)) return false;
    bool is_asked = fl_slot_is_deep((fl_slot_size)stack->slot) || list->count >= FL_POOL_STACKS_UNASKED;
    if (is_asked && !fl_pool_forgets_depth(stack)) return false;
    push(list, stack);
    fl_pool_count_use();
    return true;
}

// MARK: giving back

uint64_t fl_pool_quiet(void) { return atomic_load_explicit(&quiet_time, memory_order_relaxed); }
void fl_pool_set_quiet(uint64_t nanoseconds) { atomic_store_explicit(&quiet_time, nanoseconds, memory_order_relaxed); }

uint64_t fl_pool_now(void) { return fl_coarse_now(); }

static void trim(fl_pool_list *list) {
    fl_stack **link = &list->first;
    for (uint32_t needed = list->count - list->unneeded; needed > 0; needed--) {
        (void)release_depth(*link); // refused, it keeps its pages until the next look
        link = &(*link)->next;
    }
    while (*link) {
        fl_stack *stack = *link;
        // A `fixed` stack has its memory from the start: it goes as a whole.
        if (stack->flags & FL_STACK_EMPTIED || stack->strategy == FL_STRATEGY_FIXED) {
            *link = stack->next;
            list->count--;
            fl_stack_discard(stack);
            continue;
        }
        // Refused, it keeps its pages until the next look.
        if (fl_slot_advise(FL_SITE_POOL_TRIM, stack->low, stack->base, MADV_DONTNEED) == 0) {
            stack->flags |= FL_STACK_EMPTIED;
        }
        link = &stack->next;
    }
    list->unneeded = list->count;
}

void fl_pool_trim(uint64_t now, uint64_t quiet) {
    // A clock that two processors read at once may be a tick behind the last look.
    if (now < fl_this_pool.looked || now - fl_this_pool.looked < quiet) return;
    fl_this_pool.looked = now;
    settle();
    for (uint32_t size = 0; size < FL_SLOT_SIZES; size++) trim(&fl_this_pool.lists[size]);
}

void fl_pool_drain(void) {
    settle();
    for (uint32_t size = 0; size < FL_SLOT_SIZES; size++) {
        fl_pool_list *list = &fl_this_pool.lists[size];
        while (list->first) {
            fl_stack *stack = list->first;
            list->first = stack->next;
            fl_stack_discard(stack);
        }
        list->count = list->unneeded = 0;
    }
}

#pragma clang attribute pop
