// Finds the words of a thread that belong to the code that runs on it (fl_thread_word).
//
// The runtimes keep them in static TLS, at an offset that is the same on every thread, and publish neither names nor
// offsets. So each is found by what its runtime does: it is asked while one word after the other holds a value that it
// can only have from there. A thread of its own is used, which runs no task and no coroutine and has no signals. What
// is not found, for instance because a library was loaded later and its TLS is elsewhere, stays with the thread: the
// capabilities say so.
#include "shim_code.h"

#include "thread_words.h"

#include <link.h>
#include <pthread.h>
#include <signal.h>

#include "../Switch/src/swift_task_local.h"
#include "alternate_stack.h"
#include "capabilities.h"
#include "system.h"

// All weak: a program need not have Swift, its concurrency library, or C++.
extern void swift_beginAccess(void *pointer, void *buffer, uintptr_t flags, void *_Nullable pc) __attribute__((weak));
extern void swift_endAccess(void *buffer) __attribute__((weak));
extern void *__cxa_get_globals(void) __attribute__((weak));
extern __attribute__((swiftcall)) void *_Nullable swift_task_getCurrent(void) __attribute__((weak));

typedef struct range {
    uintptr_t low, high;
} range;

static int32_t offset_of(uintptr_t word) { return (int32_t)(intptr_t)(word - (uintptr_t)fl_thread_pointer()); }

// An access that is opened is the head of the set: one word of this thread's TLS then leads to it.
static bool find_accesses(range tls, int32_t *offset) {
    if (!swift_beginAccess || !swift_endAccess) return false;
    // ValueBuffer is three words (swift/ABI/MetadataValues.h); flags: Modify = 1, Tracking = 0x20.
    static uintptr_t buffer[4], location;
    swift_beginAccess(&location, buffer, 0x21, NULL);
    uintptr_t found = 0, hits = 0;
    for (uintptr_t word = tls.low; word < tls.high; word += FL_WORD) {
        if (*(uintptr_t *)word == (uintptr_t)buffer) {
            found = word;
            hits++;
        }
    }
    swift_endAccess(buffer);
    if (hits != 1 || *(uintptr_t *)found == (uintptr_t)buffer) return false;
    *offset = offset_of(found);
    return true;
}

// The C++ ABI has a function for it (Itanium C++ ABI, exception handling, 2.2.2).
static bool find_exceptions(range tls, int32_t *offset) {
    if (!__cxa_get_globals) return false;
    uintptr_t globals = (uintptr_t)__cxa_get_globals();
    if (globals < tls.low || globals > tls.high - 2 * FL_WORD || globals % FL_WORD) return false;
    *offset = offset_of(globals);
    return true;
}

typedef struct block_search {
    uintptr_t code;
    range block;
} block_search;

static int block_of_code(struct dl_phdr_info *info, size_t size, void *argument) {
    block_search *search = argument;
    uintptr_t length = 0;
    bool holds = false;
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof(void *)) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_TLS) length = header->p_memsz;
        if (header->p_type == PT_LOAD && search->code - info->dlpi_addr - header->p_vaddr < header->p_memsz)
            holds = true;
    }
    if (!holds) return 0;
    uintptr_t low = (uintptr_t)info->dlpi_tls_data;
    if (low) search->block = (range){.low = (low + FL_WORD - 1) & ~(FL_WORD - 1), .high = low + length};
    return 1;
}

// The word of `block` that makes `is_answer` true while it holds `value`, and no other.
static bool find_word(range block, uintptr_t value, bool (*is_answer)(uintptr_t), int32_t *offset) {
    int hits = 0;
    for (uintptr_t word = block.low; word + FL_WORD <= block.high; word += FL_WORD) {
        uintptr_t before = *(volatile uintptr_t *)word;
        if (before) continue; // nothing of what is sought is in use on this thread
        *(volatile uintptr_t *)word = value;
        bool answers = is_answer(value);
        *(volatile uintptr_t *)word = before;
        if (!answers) continue;
        *offset = offset_of(word);
        hits++;
    }
    return hits == 1;
}

static bool is_current_task(uintptr_t value) { return (uintptr_t)swift_task_getCurrent() == value; }

// A list of one binding, as bindings.c describes it.
typedef struct list {
    uintptr_t next;
    const void *key, *type;
    uintptr_t value;
} list;

static list bound;
static uintptr_t head;

static bool is_bound(uintptr_t value) {
    (void)value;
    return swift_task_localValueGet(&bound) == &bound.value;
}

static bool find_task_locals(range tls, int32_t *task, int32_t *locals) {
    if (!swift_task_getCurrent || !swift_task_localValueGet || !swift_task_localValuePush ||
        !swift_task_localValuePop || !&int_type) {
        return false;
    }
    if (swift_task_getCurrent()) return false; // also makes this thread's block known to the dynamic linker
    block_search search = {.code = (uintptr_t)swift_task_getCurrent, .block = {.low = 0, .high = 0}};
    dl_iterate_phdr(block_of_code, &search);
    if (search.block.low < tls.low || search.block.high > tls.high) return false;
    static uintptr_t no_task;
    bound = (list){.next = 0, .key = &bound, .type = &int_type, .value = 1};
    head = (uintptr_t)&bound;
    // While the wrong word is tried, the one that holds the task is null.
    if (!find_word(search.block, (uintptr_t)&no_task, is_current_task, task)) return false;
    uintptr_t task_word = (uintptr_t)fl_thread_pointer() + (uintptr_t)(intptr_t)*task;
    range below = {.low = search.block.low, .high = task_word};
    range above = {.low = task_word + FL_WORD, .high = search.block.high};
    bool found_below = find_word(below, (uintptr_t)&head, is_bound, locals);
    int32_t other;
    bool found_above = find_word(above, (uintptr_t)&head, is_bound, &other);
    if (found_above) *locals = other;
    return found_below != found_above;
}

static struct fl_thread_offsets offsets_of_none(void) {
    int32_t none = offset_of((uintptr_t)fl_no_words);
    return (struct fl_thread_offsets){
        .accesses = none + FL_ACCESSES_AFTER_TASK,
        .exceptions = none,
        .task = none,
        .task_locals = none + FL_TASK_LOCALS_AFTER_TASK,
    };
}

static bool are_plain;

bool fl_thread_words_are_plain(void) { return are_plain; }

static void *find(void *argument) {
    (void)argument;
    sigset_t before;
    range tls = {.high = (uintptr_t)fl_thread_pointer()};
    tls.low = (tls.high - fl_static_tls_size()) & ~(FL_WORD - 1);
    int32_t task, locals;
    struct fl_thread_offsets offsets = offsets_of_none();
    bool accesses = false, exceptions = false, task_locals = false;
    // Else a signal handler might run meanwhile.
    int error = fl_system_block_signals(FL_SITE_WORDS_MASK, &before);
    if (!error) {
        accesses = find_accesses(tls, &offsets.accesses);
        exceptions = find_exceptions(tls, &offsets.exceptions);
        task_locals = find_task_locals(tls, &task, &locals);
    }
    if (task_locals) {
        offsets.task = task;
        offsets.task_locals = locals;
    }
    are_plain = offsets.task_locals - offsets.task == FL_TASK_LOCALS_AFTER_TASK &&
                offsets.accesses - offsets.task == FL_ACCESSES_AFTER_TASK;
    fl_thread_offsets = offsets;
    fl_capabilities_set_thread_words(accesses, exceptions, task_locals);
    return (void *)(intptr_t)error;
}

int fl_thread_words_find(void) {
    fl_thread_offsets = offsets_of_none();
    pthread_t thread;
    // Small: under mlockall all of it is locked.
    enum { STACK = 128 << 10 };
    pthread_attr_t attributes;
    int error = fl_injected(FL_SITE_WORDS_THREAD);
    if (!error) error = pthread_attr_init(&attributes);
    if (error) return error;
    (void)pthread_attr_setstacksize(&attributes, STACK); // refused, it has the usual size
    error = pthread_create(&thread, &attributes, find, NULL);
    (void)pthread_attr_destroy(&attributes);
    void *result = NULL;
    if (!error) error = pthread_join(thread, &result);
    return error ? error : (int)(intptr_t)result;
}

#pragma clang attribute pop
