#include "ForeignCode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fc_note(fc_job *job, const char *format, ...) {
    size_t length = strlen(job->text);
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(job->text + length, FC_TEXT - length, format, arguments);
    va_end(arguments);
    if (added < 0 || (size_t)added >= FC_TEXT - length) {
        fprintf(stderr, "the text of a job is full\n");
        abort();
    }
}

bool fc_turns(fc_job *job) {
    if (job->step++ < 100) return true;
    fc_note(job, "%u turns of %u", job->step, job->seed);
    return false;
}

static __attribute__((noinline)) void fc_crash_innermost(volatile int *address) {
    *address = 1;
    __asm__ volatile("");
}

__attribute__((noinline)) void fc_crash(void) {
    fc_crash_innermost(NULL);
    __asm__ volatile("");
}
