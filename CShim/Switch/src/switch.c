// The words that the switch shares with the rest of the shim.
#include "CSwitch.h"

__thread fl_fiber *_Nullable fl_current_fiber __attribute__((tls_model("initial-exec")));
__thread void *_Nullable fl_no_access_set __attribute__((tls_model("initial-exec")));
intptr_t fl_access_set_offset;
