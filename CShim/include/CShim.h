/// The mechanism of Faultline: stacks in reserved address space, the fault handler that makes room on them, and moving
/// them while they run. It has no policy: which strategy a stack uses is data that the library hands down.
#ifndef FAULTLINE_CSHIM_H
#define FAULTLINE_CSHIM_H

#include "CSwitch.h"
#include "fl_capabilities.h"
#include "fl_code_owner.h"
#include "fl_debug.h"
#include "fl_fault.h"
#include "fl_hibernation.h"
#include "fl_idle.h"
#include "fl_pool.h"
#include "fl_shrink.h"
#include "fl_space.h"
#include "fl_stack.h"
#include "fl_statistics.h"
#include "fl_unwind.h"

#endif
