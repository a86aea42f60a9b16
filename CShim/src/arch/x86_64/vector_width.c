// How wide the vector registers are that fl_morestack must keep: found before any checked code can run.
#include "../../shim_code.h"

#if defined(__x86_64__)
#include "vector_width.h"

uint32_t fl_vector_width;

__attribute__((constructor)) static void find_vector_width(void) {
    __builtin_cpu_init();
    fl_vector_width = __builtin_cpu_supports("avx512f") ? 2 : __builtin_cpu_supports("avx") ? 1 : 0;
}
#endif

#pragma clang attribute pop
