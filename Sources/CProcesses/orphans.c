#include "CProcesses.h"

#include <errno.h>
#include <sys/prctl.h>

int fl_adopt_orphans(bool adopts) { return prctl(PR_SET_CHILD_SUBREAPER, adopts, 0, 0, 0) ? errno : 0; }
