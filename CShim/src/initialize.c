// What a process does once: probe the kernel, find Swift's exclusivity access set, install the handlers.
#include "capabilities.h"

#include <pthread.h>

#include "CSwitch.h"
#include "alternate_stack.h"
#include "code_owner.h"
#include "fl_stack.h"
#include "runtime_code.h"

#pragma clang section text = "fl_text"

static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
static bool initialized;

// Swift's runtime keeps the head of the exclusivity access set in static TLS, at a place that it does not publish. It
// is found by opening an access and looking for the one word of this thread's TLS that now points to it. Without a
// Swift runtime, or when the answer is not unique, a word of our own is switched instead.
extern void swift_beginAccess(void *pointer, void *buffer, uintptr_t flags, void *_Nullable pc) __attribute__((weak));
extern void swift_endAccess(void *buffer) __attribute__((weak));

static bool find_access_set(void) {
    fl_access_set_offset = (intptr_t)((uintptr_t)&fl_no_access_set - (uintptr_t)fl_thread_pointer());
    if (!swift_beginAccess || !swift_endAccess) return false;
    // ValueBuffer is three words (swift/ABI/MetadataValues.h); flags: Modify = 1, Tracking = 0x20.
    static uintptr_t buffer[4], location;
    const fl_thread *thread = fl_this_thread;
    if (!thread) return false;
    swift_beginAccess(&location, buffer, 0x21, NULL);
    uintptr_t found = 0, hits = 0;
    for (uintptr_t word = thread->tls_low; word < thread->tls_high; word += FL_WORD) {
        if (*(uintptr_t *)word == (uintptr_t)buffer) {
            found = word;
            hits++;
        }
    }
    swift_endAccess(buffer);
    if (hits != 1 || *(uintptr_t *)found == (uintptr_t)buffer) return false;
    fl_access_set_offset = (intptr_t)(found - (uintptr_t)fl_thread_pointer());
    return true;
}

static int initialize(void) {
    fl_code_owners_find();
    fl_runtime_code_find();
    fl_capabilities_set_unwinds(fl_code_owner_is_known());
    int error = fl_capabilities_probe();
    if (!error) error = fl_thread_prepare();
    if (error) return error;
    fl_capabilities_set_finds_access_set(find_access_set());
    return fl_handler_install();
}

int fl_initialize(void) {
    if (__atomic_load_n(&initialized, __ATOMIC_ACQUIRE)) return 0;
    pthread_mutex_lock(&once);
    int error = initialized ? 0 : initialize();
    if (!error) __atomic_store_n(&initialized, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&once);
    return error;
}
