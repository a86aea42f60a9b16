/// Waiting for the children of children.
#ifndef FAULTLINE_CPROCESSES_H
#define FAULTLINE_CPROCESSES_H

#include <stdbool.h>

/// Whether this process becomes the parent of what its children leave behind from now on (PR_SET_CHILD_SUBREAPER), so
/// that it can wait for them, and has to. Returns 0 or an errno value.
int fl_adopt_orphans(bool adopts);

#endif
