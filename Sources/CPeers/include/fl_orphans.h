/// Waiting for the children of children.
#ifndef FAULTLINE_ORPHANS_H
#define FAULTLINE_ORPHANS_H

/// Makes this process the parent of what its children leave behind (PR_SET_CHILD_SUBREAPER), so that it can wait for them.
/// Returns 0 or an errno value.
int fl_adopt_orphans(void);

#endif
