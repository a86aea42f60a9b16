/// What every file of the shim includes first, by way of its own header: system headers show what GNU adds only then.
#ifndef FAULTLINE_INTERNAL_COMMON_H
#define FAULTLINE_INTERNAL_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma clang assume_nonnull begin

enum { FL_PAGE = 4096 };
#define FL_WORD sizeof(uintptr_t)

/// Signal context: callable.
static inline uintptr_t fl_page_down(uintptr_t address) { return address & ~(uintptr_t)(FL_PAGE - 1); }
/// Signal context: callable.
static inline uintptr_t fl_page_up(uintptr_t address) { return fl_page_down(address + FL_PAGE - 1); }
/// Signal context: callable.
static inline uintptr_t fl_minimum(uintptr_t a, uintptr_t b) { return a < b ? a : b; }
/// Signal context: callable.
static inline uintptr_t fl_maximum(uintptr_t a, uintptr_t b) { return a > b ? a : b; }

#pragma clang assume_nonnull end
#endif
