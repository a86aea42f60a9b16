#include "CProcesses.h"

#include <sys/syscall.h>
#include <unistd.h>

// glibc has a function for it since 2.36. The descriptor is closed on exec.
int fl_watch_process(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }
