/// Runs a workload's code once: `PROGRAM PARAMETER [INPUT-FILE]`. Whoever looks at its stack looks at the call of
/// FL_WORKLOAD, which is in a file of its own.
#include <stdio.h>
#include <stdlib.h>

#include "fl_workload.h"

fl_workload_run FL_WORKLOAD;

static uint8_t input[1 << 20];

int main(int count, char **arguments) {
    if (count < 2) return 64;
    size_t length = 0;
    FILE *file = count > 2 ? fopen(arguments[2], "rb") : NULL;
    if (count > 2 && !file) return 1;
    if (file) length = fread(input, 1, sizeof input, file);
    fl_workload_outcome outcome = {.status = 0};
    FL_WORKLOAD(input, length, strtoull(arguments[1], NULL, 10), &outcome);
    return outcome.status != 0;
}
