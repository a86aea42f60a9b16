// Whose code an address is.
//
// Four answers, in this order: the shim's own section; functions of the Swift runtime that may be abandoned; what this
// process resolves the allocator, the locks and the runtimes to; the file name of the object. The middle two are tables
// that are filled once, before the first stack is made, and only read from then on.
//
// An allocator that is linked into the executable cannot be told from the user's code around it: there only the entry
// functions are no-abandon code, with whatever they jump to. That is enough, because containment asks for the outermost
// no-abandon frame, and the allocator's inner code is reached through its entries.
#include "shim_code.h"

#include "code_owner.h"

#include <dlfcn.h>

#include "dynamic_symbols.h"
#include "loaded_object.h"

// MARK: Tables

/// Objects and functions of all allocators and runtimes that were tried: below 60.
enum { MAX_RANGES = 512 };

typedef struct table {
    uint32_t count;
    bool is_incomplete; ///< something was found that it cannot hold
    struct {
        fl_code_range range;
        bool keeps_frame_pointer;
    } entries[MAX_RANGES]; ///< in the order of their addresses, apart from each other
} table;

static table no_abandon, abandonable;

/// The first entry that ends above `address`. Signal context: callable.
static uint32_t position(const table *of, uintptr_t address) {
    uint32_t low = 0, high = of->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (of->entries[middle].range.high <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// Signal context: callable.
static bool holds(const table *of, uintptr_t address, bool *keeps_frame_pointer) {
    uint32_t at = position(of, address);
    if (at == of->count || address < of->entries[at].range.low) return false;
    *keeps_frame_pointer = of->entries[at].keeps_frame_pointer;
    return true;
}

/// False where the range, or some of it, is there already.
static bool add(table *to, fl_code_range range, bool keeps_frame_pointer) {
    if (range.low >= range.high) return false;
    uint32_t at = position(to, range.low);
    if (at < to->count && to->entries[at].range.low < range.high) return false;
    if (to->count == MAX_RANGES) {
        to->is_incomplete = true;
        return false;
    }
    memmove(&to->entries[at + 1], &to->entries[at], (to->count - at) * sizeof to->entries[0]);
    to->entries[at].range = range;
    to->entries[at].keeps_frame_pointer = keeps_frame_pointer;
    to->count++;
    return true;
}

// MARK: By file name

/// Beginnings of the file names of libraries that hold locks, caches or half-made metadata while they run: the C and
/// C++ libraries, the dynamic linker, the Swift runtime and what ships with it. A user's library that happens to
/// share a beginning is never abandoned either, which costs a containment and breaks nothing.
static const char names[][20] = {
    "libc.so",   "libc-",  "ld-linux", "ld-",         "libpthread",       "libm.",      "libm-", "libdl", "librt",
    "libstdc++", "libc++", "libgcc_s", "libdispatch", "libBlocksRuntime", "linux-vdso",
};

/// The same, of those that consist of Swift code, which keeps frame pointers where it has no frame description.
static const char swift_names[][20] = {
    "libswift", "lib_Foundation", "libFoundation", "lib_Testing", "libTesting", "libXCTest",
};

/// Longest path of an object that is looked at, as in PATH_MAX.
enum { MAX_PATH_LENGTH = 4096 };

// Signal context: callable.
static bool has_prefix(const char *name, const char *prefix) {
    while (*prefix != '\0' && *name == *prefix) name++, prefix++;
    return *prefix == '\0';
}

// Signal context: callable.
static fl_code code_by_path(const char *path) {
    const char *name = path;
    for (unsigned i = 0; path[i] != '\0'; i++) {
        if (i == MAX_PATH_LENGTH) return (fl_code){FL_CODE_NO_ABANDON, false};
        if (path[i] == '/') name = path + i + 1;
    }
    for (unsigned i = 0; i < sizeof swift_names / sizeof swift_names[0]; i++) {
        if (has_prefix(name, swift_names[i])) return (fl_code){FL_CODE_NO_ABANDON, true};
    }
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (has_prefix(name, names[i])) return (fl_code){FL_CODE_NO_ABANDON, false};
    }
    return (fl_code){FL_CODE_USER, false};
}

// MARK: The answer

/// The section that every file of the shim puts its code into. The linker makes the symbols; weak, because a link that
/// drops all of the code has none.
extern const char __start_fl_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_fl_text[] __attribute__((weak, visibility("hidden")));

fl_code fl_code_at(uintptr_t address) {
    fl_code code = {FL_CODE_NO_ABANDON, false};
    if (address >= (uintptr_t)__start_fl_text && address < (uintptr_t)__stop_fl_text) return code;
    if (holds(&abandonable, address, &code.keeps_frame_pointer)) {
        code.owner = FL_CODE_USER;
        return code;
    }
    if (holds(&no_abandon, address, &code.keeps_frame_pointer)) return code;
    fl_loaded_object object;
    if (!fl_loaded_object_of(address, &object) || object.path == NULL) return (fl_code){FL_CODE_UNKNOWN, false};
    if (object.is_executable) return (fl_code){FL_CODE_USER, false};
    return object.path[0] == '\0' ? code : code_by_path(object.path); // the vDSO has no name
}

fl_code_owner fl_code_owner_of(uintptr_t address) { return fl_code_at(address).owner; }

/// Absent from a process without Swift. Its address only; it is never called.
extern void *swift_retain(void *object) __attribute__((weak));

bool fl_code_owner_is_known(void) {
    uintptr_t finder = fl_object_finder();
    // In a static executable even `_dl_find_object` is the executable's.
    if (finder == 0 || fl_code_owner_of(finder) != FL_CODE_NO_ABANDON || no_abandon.is_incomplete) return false;
    fl_loaded_object object;
    return swift_retain == NULL || (fl_loaded_object_of((uintptr_t)swift_retain, &object) && !object.is_executable &&
                                    fl_code_owner_of((uintptr_t)swift_retain) == FL_CODE_NO_ABANDON);
}

// MARK: What this process resolves symbols to

/// Entries of code that takes locks, or keeps state of the thread or the process while it runs. Whatever else is
/// replaced in a process comes with one of them: an allocator brings all of its entries, a sanitizer its runtime.
static const char *const entries[] = {
    "malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign", "valloc",
    "pvalloc", "malloc_usable_size", "cfree", "strdup", "strndup", "realpath",
    // operator new and delete, each with its forms for arrays, alignment, sizes and nothrow.
    "_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t", "_ZnamRKSt9nothrow_t", "_ZnwmSt11align_val_t", "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t", "_ZnamSt11align_val_tRKSt9nothrow_t", "_ZdlPv", "_ZdaPv", "_ZdlPvm",
    "_ZdaPvm", "_ZdlPvRKSt9nothrow_t", "_ZdaPvRKSt9nothrow_t", "_ZdlPvSt11align_val_t", "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t", "_ZdaPvmSt11align_val_t", "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    // Locks, threads, exceptions, and the runtimes behind Swift.
    "pthread_mutex_lock", "pthread_mutex_unlock", "pthread_mutex_trylock", "pthread_cond_wait", "pthread_once",
    "pthread_create", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_rwlock_unlock", "sem_wait",
    "__cxa_allocate_exception", "__cxa_throw", "__cxa_rethrow", "__cxa_begin_catch", "__cxa_end_catch",
    "__cxa_guard_acquire", "__cxa_guard_release", "_Unwind_RaiseException", "_Unwind_Resume", "_Unwind_ForcedUnwind",
    "__tls_get_addr", "dlopen", "swift_retain", "swift_allocObject"};

/// Where the bytes at `code` may jump to; 0 where they are no jump that could leave a function. A short one leaves it
/// only for the first instruction of another. `end` is the function's.
static uintptr_t jump_target(const fl_loaded_object *object, uintptr_t code, uintptr_t end) {
    enum { JUMP = 0xe9, SHORT_JUMP = 0xeb, TWO_BYTES = 0x0f, CONDITIONAL = 0x80, SHORT_CONDITIONAL = 0x70 };
    const uint8_t *at = (const uint8_t *)code;
    uintptr_t left = end - code;
    if (at[0] == JUMP || (at[0] == TWO_BYTES && left > 1 && (at[1] & 0xf0) == CONDITIONAL)) {
        unsigned opcode = at[0] == JUMP ? 1 : 2;
        int32_t distance;
        if (left < opcode + sizeof distance) return 0;
        memcpy(&distance, at + opcode, sizeof distance);
        return code + opcode + sizeof distance + (uintptr_t)(intptr_t)distance;
    }
    if (left < 2 || (at[0] != SHORT_JUMP && (at[0] & 0xf0) != SHORT_CONDITIONAL)) return 0;
    uintptr_t target = code + 2 + (uintptr_t)(intptr_t)(int8_t)at[1];
    return fl_function_of(&object->unwind, target).low == target ? target : 0;
}

/// Adds a function of the executable, and those that it jumps to: a tail call leaves no frame of the entry behind.
/// Every byte is taken for an instruction's first, so that no jump is missed; one that is none adds a function to the
/// table that need not be there.
static void add_function(const fl_loaded_object *object, fl_code_range entry) {
    fl_code_range pending[MAX_RANGES];
    uint32_t count = 0;
    pending[count++] = entry;
    while (count > 0) {
        fl_code_range range = pending[--count];
        if (range.low >= range.high) no_abandon.is_incomplete = true; // where it ends cannot be told
        if (!add(&no_abandon, range, false)) continue;
        for (uintptr_t code = range.low; code < range.high; code++) {
            uintptr_t target = jump_target(object, code, range.high);
            if (target - range.low < range.high - range.low) continue;
            fl_code_range other = fl_function_of(&object->unwind, target);
            if (other.low >= other.high) continue;
            if (count < MAX_RANGES) {
                pending[count++] = other;
            } else {
                no_abandon.is_incomplete = true;
            }
        }
    }
}

/// Adds what `name` resolves to: an object, or a function of the executable.
static void add_entry(const char *name) {
    fl_loaded_object object;
    uintptr_t address = (uintptr_t)dlsym(RTLD_DEFAULT, name);
    if (address == 0 || !fl_loaded_object_of(address, &object) || object.path == NULL) return;
    if (object.is_executable) {
        bool has_table;
        fl_code_range symbol = fl_dynamic_symbol(&object, name, &has_table);
        if (!has_table) no_abandon.is_incomplete = true;
        if (symbol.low == address) {
            fl_code_range function = fl_function_of(&object.unwind, address);
            add_function(&object, function.low < function.high ? function : symbol);
            return;
        }
        // An executable that is not relocatable has an entry of its own that only jumps to the definition.
        address = (uintptr_t)dlsym(RTLD_NEXT, name);
        if (address == 0 || !fl_loaded_object_of(address, &object) || object.path == NULL) return;
    }
    add(&no_abandon, (fl_code_range){object.unwind.start, object.unwind.end},
        code_by_path(object.path).keeps_frame_pointer);
}

void fl_code_owners_find(void) {
    for (unsigned i = 0; i < sizeof entries / sizeof entries[0]; i++) add_entry(entries[i]);
}

void fl_code_owner_may_abandon(fl_code_range function) { add(&abandonable, function, true); }

#pragma clang attribute pop
