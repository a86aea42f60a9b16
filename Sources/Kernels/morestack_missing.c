/// Where a failed prologue check leads when no handler was named.
#include "Kernels.h"

#include <stdlib.h>
#include <unistd.h>

void fl_morestack_missing(void) {
    static const char line[] =
        "faultline: a stack check failed in code that was loaded without a __morestack; give the loader one\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    abort();
}
