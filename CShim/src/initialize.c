// What a process does once: probe the kernel, find the words that a switch exchanges, install the handlers.
#include "shim_code.h"

#include "capabilities.h"

#include <pthread.h>

#include "code_owner.h"
#include "core_dump.h"
#include "fl_stack.h"
#include "runtime_code.h"
#include "sanitizers.h"
#include "system.h"
#include "thread_words.h"

static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
static bool initialized;

static int initialize(void) {
    fl_code_owners_find();
    fl_runtime_code_find();
    fl_capabilities_set_unwinds(fl_code_owner_is_known());
    int error = fl_capabilities_probe();
    if (!error) error = fl_thread_prepare().error;
    if (error) return error;
    error = fl_thread_words_find();
    if (error) return error;
    fl_sanitizers_find();
    error = fl_handler_install();
    if (!error) fl_core_install();
    return error;
}

bool fl_is_initialized(void) { return __atomic_load_n(&initialized, __ATOMIC_ACQUIRE); }

int fl_initialize(void) {
    if (fl_is_initialized()) return 0;
    pthread_mutex_lock(&once);
    int error = initialized ? 0 : initialize();
    if (!error) __atomic_store_n(&initialized, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&once);
    return error;
}

static void *run(void *body) { return (void *)(intptr_t)((int (*)(void))body)(); }

int fl_run_apart(int (*body)(void)) {
    pthread_t thread;
    int error = fl_injected(FL_SITE_INITIALIZE_THREAD);
    if (!error) error = pthread_create(&thread, NULL, run, (void *)body);
    if (error) return error;
    void *result = NULL;
    error = pthread_join(thread, &result);
    return error ? error : (int)(intptr_t)result;
}

#pragma clang attribute pop
