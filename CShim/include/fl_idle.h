/// Hibernation by policy: which of a thread's suspended stacks were not resumed for a while, and what becomes of them.
#ifndef FAULTLINE_IDLE_H
#define FAULTLINE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "fl_stack.h"

#pragma clang assume_nonnull begin

/// What a thread's sweeps do. Each thread has its own.
typedef struct fl_idle_policy {
    bool by_time;    ///< what was idle for `idle` hibernates
    bool by_budget;  ///< while the process holds more than `budget`, what is idle longest hibernates
    bool shrinks;    ///< what is found idle again is shrunk, once until its next resume
    bool unshared;   ///< as for fl_stack_hibernate
    uint32_t idle;   ///< milliseconds, below 2^31
    uint64_t budget; ///< resident bytes of the process
} fl_idle_policy;

/// What a sweep found and did, of this thread's stacks.
typedef struct fl_idle_result {
    uint64_t examined; ///< entries of the table of stacks, those of other threads included
    uint64_t hibernated;
    uint64_t refused; ///< cannot hibernate, or the kernel refused: as before
    uint64_t waiting; ///< suspended, and may hibernate or be shrunk later
    uint64_t shrunk;
    uint64_t released;  ///< bytes, by shrinking
    uint64_t resident;  ///< bytes of the process when the sweep ended, 0 where it was not asked for or not known
    fl_failure failure; ///< why the resident bytes are not known: then nothing hibernates for the budget
    bool reached_end;   ///< of the table: the next sweep begins at its start
} fl_idle_result;

enum {
    FL_IDLE_CREATIONS = 1 << 10, ///< stacks that a thread creates between two sweeps
    FL_IDLE_STEP = 1 << 14,      ///< entries that such a sweep examines: 16 for each creation
};

/// Sets this thread's policy, null for none. Signal context: forbidden.
void fl_idle_set(const fl_idle_policy *_Nullable policy);

/// This thread's policy; false where there is none. Signal context: forbidden.
bool fl_idle_get(fl_idle_policy *policy);

/// Examines at most `entries` of the table from where this thread's last sweep ended, at most to the table's end.
/// `now`: nanoseconds of the monotonic clock. Nothing happens without a policy. Signal context: forbidden.
fl_idle_result fl_idle_sweep(uint64_t now, uint32_t entries);

/// Examines the whole table, from its start. Signal context: forbidden.
fl_idle_result fl_idle_sweep_all(uint64_t now);

/// Nanoseconds of the monotonic clock. Signal context: callable.
uint64_t fl_idle_now(void);

/// Creations until this thread's next sweep, 0 without a policy.
extern __thread uint32_t fl_idle_countdown __attribute__((tls_model("initial-exec")));

/// This thread has made a stack. Signal context: forbidden.
static inline void fl_idle_created(void) {
    if (__builtin_expect(fl_idle_countdown == 0, 1) || --fl_idle_countdown != 0) return;
    (void)fl_idle_sweep(fl_idle_now(), FL_IDLE_STEP);
}

#pragma clang assume_nonnull end
#endif
