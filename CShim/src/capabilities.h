/// What this kernel offers.
#ifndef FAULTLINE_INTERNAL_CAPABILITIES_H
#define FAULTLINE_INTERNAL_CAPABILITIES_H

#include "common.h"
#include "fl_capabilities.h"

#pragma clang assume_nonnull begin

/// The userfaultfd, or -1: never opened, or this is a child of fork, where it would act on the parent's memory.
/// Signal context: callable.
int fl_userfaultfd(void);

/// Whether a call that failed with `error` shows that others closed it, or that its number is another file's; then
/// there is none from now on. Signal context: callable.
bool fl_userfaultfd_is_lost(int error);

/// Asks the kernel. Returns 0 or an errno value. Signal context: forbidden.
int fl_capabilities_probe(void);

/// What the kernel does not know. Signal context: forbidden.
void fl_capabilities_set_unwinds(bool unwinds);
/// Signal context: forbidden.
void fl_capabilities_set_thread_words(bool accesses, bool exceptions, bool task_locals);

#pragma clang assume_nonnull end
#endif
