#ifndef FAULTLINE_INTERNAL_VECTOR_WIDTH_H
#define FAULTLINE_INTERNAL_VECTOR_WIDTH_H

#include <stdint.h>

/// Width of the vector registers that this processor has: 0 SSE, 1 AVX, 2 AVX-512.
extern uint32_t fl_vector_width __attribute__((visibility("hidden")));

#endif
