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
