// Hibernation: a suspended stack's live words move to the store and come back.
//
//     state of the slot   live -> hibernating -> hibernated -> restored -> live
//                          ^          |               |     by a resume or by a handler on any thread
//                          +----------+               +-- pins: handlers that read the record at this moment
//
//     what is done        forbid stores, encode, forbid any access, guard, allow access
//                         restore: decode a page and have the kernel put it over the guard in one step
//
// Invariants:
//  - a page is either guarded or complete: UFFDIO_COPY replaces the guard marker and never a page (EEXIST), so the
//    thread that comes second changes nothing, and no thread sees a page half restored;
//  - from the encoding until the guards stand no thread can store into the pages. Guards alone are not enough: the
//    kernel drops a page first and installs the marker afterwards, and a thread that comes between gets a page of
//    zeros. So the range loses its permissions by mprotect, which splits the mapping until they are back;
//  - a record stays while a handler has the slot pinned; only ordinary calls of the stack's thread give it back. So
//    the handler takes no lock and frees nothing, and a handler that was held up cannot bring back what is out of date;
//  - a fault may arrive after another thread has restored the page. `restorations` tells it from a fault that recurs:
//    each thread forgives one fault in usable memory for each restoration in the process;
//  - a stack hibernates with this thread's signals blocked: a signal handler that touched it meanwhile would wait for
//    the very thread that it interrupts.
//
// Where the kernel cannot do this (no userfaultfd, a child of fork), the guard is removed before the words are written,
// which is right only while no other thread looks: the caller must promise that, and a stray access is fatal. The only
// pins there are those of handlers that ran in the parent when it forked. So is a process whose userfaultfd was closed
// by others, as daemons close all descriptors: it is noticed when it is used next.
#include "shim_code.h"

#include "hibernation.h"

#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "capabilities.h"
#include "message.h"
#include "stack.h"
#include "stack_codec.h"
#include "stack_store.h"
#include "statistics.h"
#include "system.h"

enum { PIN = FL_SLOT_KIND + 1, KIND = FL_SLOT_KIND, PATIENCE = 8, PAGE_WORDS = FL_PAGE / sizeof(uintptr_t) };

// In front of the stream in its block.
struct fl_record {
    uint32_t words; // of the stack, up to its base
    uint32_t size;  // of the block
    uint8_t stream[];
};
_Static_assert(sizeof(fl_record) == 8, "the store's classes are narrow");

static _Atomic(uint64_t) restorations;
static __thread uint64_t forgiven __attribute__((tls_model("initial-exec")));

// Signal context: callable.
static bool restores_atomically(fl_slot_handle handle) {
    return handle.arena->registered && fl_capabilities_get()->restores_atomically && fl_userfaultfd() >= 0;
}

// MARK: system calls

static int protect(fl_site site, uintptr_t low, uintptr_t high, int protection) {
    int error = 0;
    for (int attempt = 0; attempt < PATIENCE; attempt++) {
        error = fl_system_protect(site, low, high - low, protection);
        if (error != ENOMEM && error != EAGAIN && error != EINTR) break;
    }
    return error;
}

// Signal context: callable.
static int put_page(uintptr_t page, const void *content) {
    struct uffdio_copy request = {.dst = page, .src = (uintptr_t)content, .len = FL_PAGE};
    int error = 0;
    for (int attempt = 0; attempt < PATIENCE; attempt++) {
        error = fl_system_ioctl(FL_SITE_RESTORE_COPY, fl_userfaultfd(), UFFDIO_COPY, &request);
        if (error != EAGAIN) break;
    }
    return error == EEXIST ? 0 : error; // another thread was faster
}

// MARK: restoring

// Signal context: callable.
static fl_word_stream stream_of(const fl_stack *stack, const fl_record *record) {
    return (fl_word_stream){.at = record->stream, .end = (const uint8_t *)record + record->size, .base = stack->base};
}

// Page by page, lowest first. Runs on a handler's stack or an ordinary one: a page of it is used.
// Signal context: callable.
static __attribute__((noinline)) fl_failure put_pages(const fl_stack *stack, const fl_record *record) {
    uintptr_t content[PAGE_WORDS];
    fl_word_stream stream = stream_of(stack, record);
    uintptr_t first = stack->base - record->words * FL_WORD;
    for (uintptr_t page = fl_page_down(first); page < stack->base; page += FL_PAGE) {
        size_t dead = page < first ? (first - page) / FL_WORD : 0;
        memset(content, 0, dead * FL_WORD);
        fl_words_decode(&stream, content + dead, PAGE_WORDS - dead);
        int error = put_page(page, content);
        if (error) return fl_failure_at(FL_SITE_RESTORE_COPY, error);
    }
    return fl_failure_none();
}

static fl_failure write_words(const fl_stack *stack, const fl_record *record) {
    uintptr_t first = stack->base - record->words * FL_WORD, low = fl_page_down(first);
    int error = fl_slot_advise(FL_SITE_RESTORE_UNGUARD, low, stack->base, MADV_GUARD_REMOVE);
    if (error) return fl_failure_at(FL_SITE_RESTORE_UNGUARD, error);
    fl_word_stream stream = stream_of(stack, record);
    fl_words_decode(&stream, (uintptr_t *)first, record->words);
    return fl_failure_none();
}

// The pages are complete. True for the one that says so first. A late fault looks at the state and then at
// `restorations`, so that goes up before. Signal context: callable.
static bool mark_restored(fl_slot *slot) {
    atomic_fetch_add_explicit(&restorations, 1, memory_order_release);
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    // Each failed exchange is a pin that comes or goes, or the mark of another.
    while ((state & KIND) == FL_SLOT_HIBERNATED) {
        if (atomic_compare_exchange_weak_explicit(&slot->state, &state, (state & ~(uint32_t)KIND) | FL_SLOT_RESTORED,
                                                  memory_order_acq_rel, memory_order_acquire)) {
            return true;
        }
    }
    return false;
}

static void forget_record(fl_stack *stack) {
    fl_record *record = stack->record;
    stack->record = NULL;
    fl_store_give(record, record->size);
}

// Handlers that still read the record are waited for: each is on its way out of a signal.
static void close_record(fl_stack *stack) {
    fl_slot *slot = fl_slot_entry(fl_stack_slot(stack));
    uint32_t unpinned = FL_SLOT_RESTORED;
    if (!restores_atomically(fl_stack_slot(stack))) {
        atomic_store_explicit(&slot->state, unpinned, memory_order_relaxed);
    }
    while (!atomic_compare_exchange_weak_explicit(&slot->state, &unpinned, FL_SLOT_LIVE, memory_order_acq_rel,
                                                  memory_order_acquire)) {
        unpinned = FL_SLOT_RESTORED;
        sched_yield();
    }
    forget_record(stack);
    stack->fiber.state = FL_FIBER_SUSPENDED;
}

fl_failure fl_stack_wake(fl_stack *stack) {
    if (stack->fiber.state == FL_FIBER_IDLE) stack->fiber.state = FL_FIBER_SUSPENDED;
    if (stack->fiber.state != FL_FIBER_HIBERNATED) return fl_failure_none();
    fl_slot_handle handle = fl_stack_slot(stack);
    fl_slot *slot = fl_slot_entry(handle);
    if (fl_slot_kind(slot) == FL_SLOT_HIBERNATED) {
        const fl_record *record = stack->record;
        // A child of fork has no userfaultfd, and no other thread that came with it.
        bool atomically = restores_atomically(handle);
        fl_failure failure = atomically ? put_pages(stack, record) : write_words(stack, record);
        if (atomically && fl_userfaultfd_is_lost(failure.error)) failure = write_words(stack, record);
        if (failure.error) return failure;
        if (mark_restored(slot)) fl_count(&fl_process_counters.wakes_by_resume, 1);
    }
    close_record(stack);
    return fl_failure_none();
}

bool fl_stack_is_hibernated(const fl_stack *stack) {
    return stack->fiber.state == FL_FIBER_HIBERNATED &&
           fl_slot_kind(fl_slot_entry(fl_stack_slot(stack))) == FL_SLOT_HIBERNATED;
}

bool fl_hibernated_copy(const fl_stack *stack, void **words, size_t *bytes) {
    if (!fl_stack_is_hibernated(stack)) return false;
    const fl_record *record = stack->record; // only this thread gives it back
    *bytes = record->words * sizeof(uintptr_t);
    *words = malloc(*bytes);
    fl_word_stream stream = stream_of(stack, record);
    if (*words) fl_words_decode(&stream, *words, record->words);
    return true;
}

// MARK: restoring from a fault

bool fl_late_fault_is_possible(void) { return atomic_load_explicit(&restorations, memory_order_acquire) != forgiven; }

fl_restoring fl_wake_by_fault(uintptr_t address, fl_failure *failure) {
    *failure = fl_failure_none();
    fl_slot_handle handle = fl_slot_of(address);
    fl_slot *slot = fl_slot_entry(handle);
    uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
    do {
        bool guarded = (state & KIND) == FL_SLOT_HIBERNATING || (state & KIND) == FL_SLOT_HIBERNATED;
        if (guarded && !restores_atomically(handle)) return FL_NOT_RESTORABLE;
        // Another thread is between guarding and saying so, a few instructions with its signals blocked: the access is
        // tried again.
        if ((state & KIND) == FL_SLOT_HIBERNATING) {
            sched_yield();
            return FL_RESTORED;
        }
        if ((state & KIND) != FL_SLOT_HIBERNATED) {
            forgiven = atomic_load_explicit(&restorations, memory_order_acquire);
            return FL_RESTORED;
        }
        // Each failed exchange means that another thread got ahead.
    } while (!atomic_compare_exchange_weak_explicit(&slot->state, &state, state + PIN, memory_order_acq_rel,
                                                    memory_order_acquire));
    const fl_stack *stack = fl_slot_owner(slot);
    *failure = put_pages(stack, stack->record);
    if (!failure->error && mark_restored(slot)) fl_count(&fl_process_counters.wakes_by_fault, 1);
    atomic_fetch_sub_explicit(&slot->state, PIN, memory_order_release);
    return failure->error ? FL_RESTORE_FAILED : FL_RESTORED;
}

// MARK: hibernating

static fl_hibernation refusal(const fl_stack *stack, bool unshared) {
    if (stack->fiber.state != FL_FIBER_SUSPENDED && stack->fiber.state != FL_FIBER_IDLE) {
        return FL_HIBERNATION_NOT_SUSPENDED;
    }
    if (stack->strategy == FL_STRATEGY_GROWS_DOWN || stack->strategy == FL_STRATEGY_FIXED) {
        return FL_HIBERNATION_STRATEGY;
    }
    if (stack->strategy == FL_STRATEGY_CHECK_SEGMENT && fl_stack_details_of(stack)->segment_bytes) {
        return FL_HIBERNATION_SEGMENTS;
    }
    if (stack->guard != FL_GUARD_PAGES) return FL_HIBERNATION_GUARD;
    if (stack->flags & (FL_STACK_OVERFLOWING | FL_STACK_PROVOKED)) return FL_HIBERNATION_OVERFLOWING;
    return unshared || restores_atomically(fl_stack_slot(stack)) ? FL_HIBERNATION_DONE : FL_HIBERNATION_SHARED;
}

// Access as before. The mapping was one whole with its neighbours a moment ago: without it the stack is lost.
static void open_again(uintptr_t low, uintptr_t high) {
    if (!protect(FL_SITE_HIBERNATE_OPEN, low, high, PROT_READ | PROT_WRITE)) return;
    const char *parts[] = {"a stack that was to hibernate could not be made accessible again (",
                           fl_site_name(FL_SITE_HIBERNATE_OPEN), ")"};
    fl_message(parts, 3);
    fl_die();
}

// The live words in a block of the store.
static fl_failure take_down(const fl_stack *stack, fl_record **taken) {
    uintptr_t first = fl_stack_first_word(stack);
    size_t words = (stack->base - first) / FL_WORD;
    size_t size = sizeof(fl_record) + fl_words_measure((uintptr_t *)first, words, stack->base);
    if (size > UINT32_MAX) return fl_failure_at(FL_SITE_STORE_MAP, ENOMEM);
    void *block = NULL;
    fl_failure failure = fl_store_take(size, &block);
    if (failure.error) return failure;
    fl_record *record = block;
    *record = (fl_record){.words = (uint32_t)words, .size = (uint32_t)size};
    *taken = record;
    // Another thread stores into a stack that was declared unshared.
    if (!fl_words_encode((uintptr_t *)first, words, stack->base, record->stream, size - sizeof *record)) {
        return fl_failure_at(FL_SITE_HIBERNATE_PROTECT, EBUSY);
    }
    return fl_failure_none();
}

// The guards were refused, perhaps half way: what is gone comes back from the record.
static void put_back(const fl_stack *stack, const fl_record *record, bool shared) {
    fl_failure failure = shared ? put_pages(stack, record) : write_words(stack, record);
    if (!failure.error) return;
    const char *parts[] = {"a stack could not hibernate (hibernate-guard) and its words could not be put back (",
                           fl_site_name((fl_site)failure.site), ")"};
    fl_message(parts, 3);
    fl_die();
}

// With signals blocked, and handlers on other threads waiting. On failure the stack is as before, and accessible.
static fl_failure replace_by_record(fl_stack *stack, bool shared) {
    uintptr_t low = fl_page_down(fl_stack_first_word(stack)), base = stack->base;
    int error = shared ? protect(FL_SITE_HIBERNATE_PROTECT, low, base, PROT_READ) : 0;
    if (error) return fl_failure_at(FL_SITE_HIBERNATE_PROTECT, error);
    fl_record *record = NULL;
    fl_failure failure = take_down(stack, &record);
    if (!failure.error && shared) {
        failure = fl_failure_at(FL_SITE_HIBERNATE_CLOSE, protect(FL_SITE_HIBERNATE_CLOSE, low, base, PROT_NONE));
    }
    bool guards = !failure.error;
    if (guards) {
        error = fl_slot_advise(FL_SITE_HIBERNATE_GUARD, low, base, MADV_GUARD_INSTALL);
        failure = fl_failure_at(FL_SITE_HIBERNATE_GUARD, error);
    }
    if (guards && failure.error) put_back(stack, record, shared);
    if (shared) open_again(low, base);
    if (!failure.error) {
        stack->record = record;
    } else if (record) {
        fl_store_give(record, record->size);
    }
    return failure;
}

static fl_failure hibernate(fl_stack *stack, bool shared) {
    fl_slot *slot = fl_slot_entry(fl_stack_slot(stack));
    // Handlers that come too late for an earlier restoration must not take what is still there for restored.
    atomic_store_explicit(&slot->state, FL_SLOT_HIBERNATING, memory_order_release);
    fl_failure failure = replace_by_record(stack, shared);
    if (failure.error) {
        atomic_fetch_add_explicit(&restorations, 1, memory_order_release);
        atomic_store_explicit(&slot->state, FL_SLOT_LIVE, memory_order_release);
        return failure;
    }
    stack->fiber.state = FL_FIBER_HIBERNATED;
    fl_count(&fl_process_counters.hibernations, 1);
    fl_count(&fl_process_counters.bytes_stored, stack->record->size);
    atomic_store_explicit(&slot->state, FL_SLOT_HIBERNATED, memory_order_release);
    // What was used below is dead. A refusal leaves the memory until the stack ends.
    uintptr_t low = fl_page_down(fl_stack_first_word(stack));
    if (stack->low < low) {
        (void)fl_slot_advise(FL_SITE_HIBERNATE_RELEASE, stack->low, low, MADV_DONTNEED);
    }
    return failure;
}

fl_hibernation fl_stack_hibernate(fl_stack *stack, bool unshared, fl_failure *failure) {
    *failure = fl_failure_none();
    if (stack->fiber.state == FL_FIBER_HIBERNATED) {
        if (fl_stack_is_hibernated(stack)) return FL_HIBERNATION_DONE;
        close_record(stack); // a fault brought it back
    }
    fl_hibernation refused = refusal(stack, unshared);
    if (refused != FL_HIBERNATION_DONE) return refused;

    sigset_t before;
    int error = fl_system_block_signals(FL_SITE_HIBERNATE_MASK, &before);
    if (error) {
        *failure = fl_failure_at(FL_SITE_HIBERNATE_MASK, error);
    } else {
        *failure = hibernate(stack, !unshared);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return failure->error ? FL_HIBERNATION_FAILED : FL_HIBERNATION_DONE;
}

#pragma clang attribute pop
