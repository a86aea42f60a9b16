/// Runs a JavaScript program, which is the input, in a QuickJS of its own. The program finds `parameter` as the global
/// variable `size`; the checksum is FNV-1a over the text of its last value.
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "quickjs.h"

static uint64_t hash_text(const char *text) {
    uint64_t hash = FL_HASH_BASIS;
    for (; *text != 0; text++) hash = (hash ^ (uint8_t)*text) * FL_HASH_PRIME;
    return hash;
}

static uint64_t evaluate(JSContext *context, const char *program, size_t length, fl_workload_outcome *outcome) {
    uint64_t hash = 0;
    JSValue result = JS_Eval(context, program, length, "program.js", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(result)) {
        JSValue exception = JS_GetException(context);
        const char *text = JS_ToCString(context, exception);
        fl_outcome_fail(outcome, text ? text : "an exception without a text");
        if (text) JS_FreeCString(context, text);
        JS_FreeValue(context, exception);
        return 0;
    }
    const char *text = JS_ToCString(context, result);
    if (text) {
        hash = hash_text(text);
        JS_FreeCString(context, text);
    } else {
        fl_outcome_fail(outcome, "the result has no text");
    }
    JS_FreeValue(context, result);
    return hash;
}

uint64_t fl_quickjs_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    uint64_t hash = 0;
    // JS_Eval wants a zero behind the text.
    char *program = malloc(length + 1);
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = runtime ? JS_NewContext(runtime) : NULL;
    if (program && context) {
        memcpy(program, input, length);
        program[length] = 0;
        JSValue global = JS_GetGlobalObject(context);
        JS_SetPropertyStr(context, global, "size", JS_NewInt64(context, (int64_t)parameter));
        JS_FreeValue(context, global);
        hash = evaluate(context, program, length, outcome);
    } else {
        fl_outcome_fail(outcome, "no memory");
    }
    if (context) JS_FreeContext(context);
    if (runtime) JS_FreeRuntime(runtime);
    free(program);
    return hash;
}
