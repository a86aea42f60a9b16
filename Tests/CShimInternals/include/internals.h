/// The shim's internal headers, for tests of its parts. No product contains this.
#ifndef FAULTLINE_CSHIM_INTERNALS_H
#define FAULTLINE_CSHIM_INTERNALS_H

#include "../../../CShim/src/quarantine.h"
#include "../../../CShim/src/relocation.h"
#include "../../../CShim/src/slot.h"
#include "../../../CShim/src/stack_codec.h"
#include "../../../CShim/src/stack_store.h"
#include "../../../CShim/src/stack_table.h"
#include "../../../CShim/src/unwind_expressions.h"
#include "../../../CShim/src/unwind_rules.h"
#include "../../../CShim/src/word_dictionary.h"

#include "CShim.h"

/// Whether a byte can be read. Asks the kernel, so that a guard gives an answer and no fault.
bool fl_is_readable(uintptr_t address);

#endif
