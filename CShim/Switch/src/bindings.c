// Values that Swift's TaskLocal has bound: for the code of one coroutine, as they are for one task.
//
// The runtime keeps them in a list. Its head stands in the task, and outside a task in a block that a word of the
// thread leads to. Code that binds a value inside a task takes memory from the task's own allocator, which must be
// given back in the reverse order: so a coroutine has no task, and a list of its own.
//
// Layout, as in swift/ABI/TaskLocal.h: the block begins with the head; an item is the next one with its own kind in the
// three lowest bits, the key, the type, and the value. A marker is the first of these words alone: from there on the
// items are a parent task's, or not to be looked at. The shim tries the layout of items before it is used
// (thread_words.c).
#pragma clang attribute push(__attribute__((disable_sanitizer_instrumentation)), apply_to = function)
#include "CSwitch.h"

#include <stdlib.h>

#include "swift_task_local.h"

// No overflow abandons these functions half way: the thread has another's words meanwhile.
#pragma clang section text = "fl_text"

typedef struct item {
    uintptr_t next;
    const void *key;
    const void *_Nullable type;
    uintptr_t value;
} item;

enum { ITEM_KIND = 7, MARKER = 4, STOP_MARKER = 6 };
enum { COPY_WITNESS = 2, SIZE_WITNESS = 8, FLAGS_WITNESS = 10, ALIGNMENT_MASK = 0xff };

typedef struct context {
    uintptr_t task, locals;
} context;

static context exchange(context other) {
    struct fl_thread_offsets offsets = fl_thread_offsets;
    context mine = {.task = FL_THREAD_WORD(offsets.task), .locals = FL_THREAD_WORD(offsets.task_locals)};
    FL_THREAD_WORD(offsets.task) = other.task;
    FL_THREAD_WORD(offsets.task_locals) = other.locals;
    return mine;
}

uintptr_t fl_bindings_head(void) {
    struct fl_thread_offsets offsets = fl_thread_offsets;
    if (!FL_THREAD_WORD(offsets.task)) {
        uintptr_t locals = FL_THREAD_WORD(offsets.task_locals);
        return locals ? *(uintptr_t *)locals : 0;
    }
    // Where the head stands in a task is not published; a value that is bound for a moment leads to it.
    static const char key;
    uintptr_t value = 0;
    swift_task_localValuePush(&key, &value, &int_type);
    const item *mark = (const item *)((uintptr_t)swift_task_localValueGet(&key) - offsetof(item, value));
    uintptr_t head = mark->next & ~(uintptr_t)ITEM_KIND;
    swift_task_localValuePop();
    return head;
}

void fl_bindings_restore(uintptr_t head) {
    for (uintptr_t now = fl_bindings_head(); now && now != head; now = fl_bindings_head()) swift_task_localValuePop();
}

static int copy(const item *from) {
    const void *const *witnesses = ((const void *const *const *)from->type)[-1];
    size_t mask = (size_t)witnesses[FLAGS_WITNESS] & ALIGNMENT_MASK, size = (size_t)witnesses[SIZE_WITNESS];
    void *value;
    int error = posix_memalign(&value, mask < 16 ? 16 : mask + 1, size + 1);
    if (error) return error;
    uintptr_t stored = (uintptr_t)from + ((offsetof(item, value) + mask) & ~mask);
    void *(*copy_value)(void *, void *, const void *) =
        (void *(*)(void *, void *, const void *))witnesses[COPY_WITNESS];
    copy_value(value, (void *)stored, from->type);
    swift_task_localValuePush(from->key, value, from->type); // takes the value over
    free(value);
    return 0;
}

int fl_bindings_copy(uintptr_t *copied) {
    *copied = 0;
    struct fl_thread_offsets offsets = fl_thread_offsets;
    if (!(FL_THREAD_WORD(offsets.task) | FL_THREAD_WORD(offsets.task_locals))) return 0;
    uintptr_t head = fl_bindings_head();
    if (!head) return 0;
    context mine = exchange((context){.task = 0, .locals = 0});
    int error = 0;
    for (const item *from = (const item *)head; from && !error;
         from = (const item *)(from->next & ~(uintptr_t)ITEM_KIND)) {
        if ((from->next & ITEM_KIND) == STOP_MARKER) break;
        // The latest binding of a key hides the others.
        if (!(from->next & MARKER) && from->type && !swift_task_localValueGet(from->key)) error = copy(from);
    }
    *copied = exchange(mine).locals;
    if (error) {
        fl_bindings_release(*copied);
        *copied = 0;
    }
    return error;
}

void fl_bindings_give(fl_fiber *fiber, uintptr_t copied) {
    if (!copied) return;
    fiber->frame->words[FL_WORD_TASK_LOCALS] = copied;
    fiber->has_words = true;
}

uintptr_t fl_bindings_exchange(uintptr_t copied) { return exchange((context){.task = 0, .locals = copied}).locals; }

void fl_bindings_release(uintptr_t copied) {
    context mine = exchange((context){.task = 0, .locals = copied});
    // The last one to go frees the list and the thread's word becomes null.
    while (FL_THREAD_WORD(fl_thread_offsets.task_locals)) swift_task_localValuePop();
    (void)exchange(mine);
}

#pragma clang attribute pop
