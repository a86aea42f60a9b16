/// The text of the workloads' sources, by `#embed` (C23; clang knows it in C17 as an extension).
///
/// A new file in this folder that is a kernel, or in Sources/Workloads/Code, needs a line here and one in
/// Sources/Workloads/CodeCatalog.swift.
#include "Kernels.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t text_Kernels_h[] = {
#embed "include/Kernels.h"
};
static const uint8_t text_fl_embedded_h[] = {
#embed "include/fl_embedded.h"
};
static const uint8_t text_fl_workload_h[] = {
#embed "include/fl_workload.h"
};
static const uint8_t text_kernel_h[] = {
#embed "kernel.h"
};
static const uint8_t text_ackermann_c[] = {
#embed "ackermann.c"
};
static const uint8_t text_closures_c[] = {
#embed "closures.c"
};
static const uint8_t text_fib_c[] = {
#embed "fib.c"
};
static const uint8_t text_nqueens_c[] = {
#embed "nqueens.c"
};
static const uint8_t text_sort_c[] = {
#embed "sort.c"
};
static const uint8_t text_tak_c[] = {
#embed "tak.c"
};
static const uint8_t text_trees_c[] = {
#embed "trees.c"
};
static const uint8_t text_Closures_swift[] = {
#embed "../Workloads/Code/Closures.swift"
};
static const uint8_t text_JSONCode_swift[] = {
#embed "../Workloads/Code/JSONCode.swift"
};
static const uint8_t text_JSONParser_swift[] = {
#embed "../Workloads/Code/JSONParser.swift"
};
static const uint8_t text_JSONValue_swift[] = {
#embed "../Workloads/Code/JSONValue.swift"
};
static const uint8_t text_Outcome_swift[] = {
#embed "../Workloads/Code/Outcome.swift"
};
static const uint8_t text_Recursions_swift[] = {
#embed "../Workloads/Code/Recursions.swift"
};
static const uint8_t text_RegexCode_swift[] = {
#embed "../Workloads/Code/RegexCode.swift"
};
static const uint8_t text_RegexMatcher_swift[] = {
#embed "../Workloads/Code/RegexMatcher.swift"
};
static const uint8_t text_RegexSyntax_swift[] = {
#embed "../Workloads/Code/RegexSyntax.swift"
};
static const uint8_t text_SchemeAnalyzer_swift[] = {
#embed "../Workloads/Code/SchemeAnalyzer.swift"
};
static const uint8_t text_SchemeArguments_swift[] = {
#embed "../Workloads/Code/SchemeArguments.swift"
};
static const uint8_t text_SchemeBuiltins_swift[] = {
#embed "../Workloads/Code/SchemeBuiltins.swift"
};
static const uint8_t text_SchemeCode_swift[] = {
#embed "../Workloads/Code/SchemeCode.swift"
};
static const uint8_t text_SchemeForms_swift[] = {
#embed "../Workloads/Code/SchemeForms.swift"
};
static const uint8_t text_SchemeInterpreter_swift[] = {
#embed "../Workloads/Code/SchemeInterpreter.swift"
};
static const uint8_t text_SchemeReader_swift[] = {
#embed "../Workloads/Code/SchemeReader.swift"
};
static const uint8_t text_SchemeValue_swift[] = {
#embed "../Workloads/Code/SchemeValue.swift"
};
static const uint8_t text_Trees_swift[] = {
#embed "../Workloads/Code/Trees.swift"
};

// What cmark renders (Sources/Workloads/Foreign).
static const uint8_t text_README_md[] = {
#embed "../../README.md"
};
static const uint8_t text_HACKING_md[] = {
#embed "../../HACKING.md"
};
static const uint8_t text_HAZARDS_md[] = {
#embed "../../docs/HAZARDS.md"
};
static const uint8_t text_CShim_md[] = {
#embed "../../CShim/README.md"
};
static const uint8_t text_Workloads_md[] = {
#embed "../Workloads/README.md"
};

#define FILE_ENTRY(name, text) {name, text, sizeof(text)}

static const fl_embedded_file files[] = {
    FILE_ENTRY("Kernels.h", text_Kernels_h),
    FILE_ENTRY("fl_embedded.h", text_fl_embedded_h),
    FILE_ENTRY("fl_workload.h", text_fl_workload_h),
    FILE_ENTRY("kernel.h", text_kernel_h),
    FILE_ENTRY("ackermann.c", text_ackermann_c),
    FILE_ENTRY("closures.c", text_closures_c),
    FILE_ENTRY("fib.c", text_fib_c),
    FILE_ENTRY("nqueens.c", text_nqueens_c),
    FILE_ENTRY("sort.c", text_sort_c),
    FILE_ENTRY("tak.c", text_tak_c),
    FILE_ENTRY("trees.c", text_trees_c),
    FILE_ENTRY("Closures.swift", text_Closures_swift),
    FILE_ENTRY("JSONCode.swift", text_JSONCode_swift),
    FILE_ENTRY("JSONParser.swift", text_JSONParser_swift),
    FILE_ENTRY("JSONValue.swift", text_JSONValue_swift),
    FILE_ENTRY("Outcome.swift", text_Outcome_swift),
    FILE_ENTRY("Recursions.swift", text_Recursions_swift),
    FILE_ENTRY("RegexCode.swift", text_RegexCode_swift),
    FILE_ENTRY("RegexMatcher.swift", text_RegexMatcher_swift),
    FILE_ENTRY("RegexSyntax.swift", text_RegexSyntax_swift),
    FILE_ENTRY("SchemeAnalyzer.swift", text_SchemeAnalyzer_swift),
    FILE_ENTRY("SchemeArguments.swift", text_SchemeArguments_swift),
    FILE_ENTRY("SchemeBuiltins.swift", text_SchemeBuiltins_swift),
    FILE_ENTRY("SchemeCode.swift", text_SchemeCode_swift),
    FILE_ENTRY("SchemeForms.swift", text_SchemeForms_swift),
    FILE_ENTRY("SchemeInterpreter.swift", text_SchemeInterpreter_swift),
    FILE_ENTRY("SchemeReader.swift", text_SchemeReader_swift),
    FILE_ENTRY("SchemeValue.swift", text_SchemeValue_swift),
    FILE_ENTRY("Trees.swift", text_Trees_swift),
    FILE_ENTRY("README.md", text_README_md),
    FILE_ENTRY("HACKING.md", text_HACKING_md),
    FILE_ENTRY("HAZARDS.md", text_HAZARDS_md),
    FILE_ENTRY("CShim.md", text_CShim_md),
    FILE_ENTRY("Workloads.md", text_Workloads_md),
};

size_t fl_embedded_count(void) { return sizeof files / sizeof files[0]; }

fl_embedded_file fl_embedded_at(size_t index) { return files[index]; }
