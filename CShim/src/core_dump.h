/// What of the stacks a core file holds.
#ifndef FAULTLINE_INTERNAL_CORE_DUMP_H
#define FAULTLINE_INTERNAL_CORE_DUMP_H

#include "common.h"

#pragma clang assume_nonnull begin

/// Puts the stacks that run now into the core file that is about to be written. Signal context: callable.
void fl_core_show_running(void);

/// Has that done before a signal that has its default action ends the process. Signal context: forbidden.
void fl_core_install(void);

#pragma clang assume_nonnull end
#endif
