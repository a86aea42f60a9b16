// Names of loaded objects, for symbolizing outside the handler.
#include "shim_code.h"

#include "common.h"
#include "fl_unwind.h"

#include <dlfcn.h>
#include <sys/auxv.h>

fl_image fl_image_of(uintptr_t address) {
    Dl_info info;
    if (dladdr((const void *)address, &info) == 0) return (fl_image){.path = NULL, .base = 0};
    uintptr_t base = (uintptr_t)info.dli_fbase;
    // The program headers are in the first page of the executable.
    return (fl_image){.path = info.dli_fname, .base = base, .is_executable = fl_page_down(getauxval(AT_PHDR)) == base};
}

#pragma clang attribute pop
