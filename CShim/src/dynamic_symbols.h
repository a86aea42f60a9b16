/// What an object's own table of dynamic symbols says of a name.
#ifndef FAULTLINE_INTERNAL_DYNAMIC_SYMBOLS_H
#define FAULTLINE_INTERNAL_DYNAMIC_SYMBOLS_H

#include "loaded_object.h"
#include "unwind_rules.h"

#pragma clang assume_nonnull begin

/// The code of the function that `object` exports as `name`: empty where it exports none. Takes about 50 ns, where
/// `dladdr` of the same function goes through all symbols. `*has_table`: whether the object can be asked.
/// Signal context: forbidden.
fl_code_range fl_dynamic_symbol(const fl_loaded_object *object, const char *name, bool *has_table)
    __attribute__((visibility("hidden")));

#pragma clang assume_nonnull end
#endif
