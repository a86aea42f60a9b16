/// Waiting for children, and for the children of children.
#ifndef FAULTLINE_CPROCESSES_H
#define FAULTLINE_CPROCESSES_H

#include <stdbool.h>

/// Whether this process becomes the parent of what its children leave behind from now on (PR_SET_CHILD_SUBREAPER), so
/// that it can wait for them, and has to. Returns 0 or an errno value.
int fl_adopt_orphans(bool adopts);

/// A descriptor that can be read from once the process has ended (pidfd_open, Linux 5.3); -1 where the system refuses.
int fl_watch_process(int process);

#endif
