/// What of the Swift runtime may be abandoned.
#ifndef FAULTLINE_INTERNAL_RUNTIME_CODE_H
#define FAULTLINE_INTERNAL_RUNTIME_CODE_H

#include "common.h"

/// Tells code_owner.c. Before the first stack is made. Signal context: forbidden.
void fl_runtime_code_find(void) __attribute__((visibility("hidden")));

#endif
