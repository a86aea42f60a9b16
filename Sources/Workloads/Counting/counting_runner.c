/// Runs a workload's code a given number of times and does nothing else: the program that is counted under valgrind,
/// because it is small and needs no symbols.
///
///     counting_runner OBJECT SYMBOL TIMES (INPUT-FILE PARAMETER CHECKSUM)…
///
/// Ends with 0 if every result is the expected one.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fl_workload.h"

/// No check fails here: the limit of an ordinary thread is 0.
static void unexpected(void) {
    fputs("counting_runner: a check failed on a stack without a limit\n", stderr);
    abort();
}

static uint8_t *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    uint8_t *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        if (size >= 0 && fseek(file, 0, SEEK_SET) == 0) bytes = malloc((size_t)size + 1);
        if (bytes && fread(bytes, 1, (size_t)size, file) != (size_t)size) {
            free(bytes);
            bytes = NULL;
        }
        *length = (size_t)size;
    }
    fclose(file);
    return bytes;
}

static int set_hook(void *object, const char *name) {
    void (**hook)(void) = (void (**)(void))dlsym(object, name);
    if (hook) *hook = unexpected;
    return hook != NULL;
}

int main(int count, char **arguments) {
    if (count < 7 || (count - 4) % 3 != 0) {
        fputs("counting_runner: wrong arguments\n", stderr);
        return 64;
    }
    void *object = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    fl_workload_run *run = object ? (fl_workload_run *)dlsym(object, arguments[2]) : NULL;
    if (!run || !set_hook(object, "fl_morestack_pointer") || !set_hook(object, "fl_morestack_allocate_pointer")) {
        fprintf(stderr, "counting_runner: %s\n", dlerror());
        return 1;
    }
    long times = strtol(arguments[3], NULL, 10);
    for (int index = 4; index < count; index += 3) {
        size_t length = 0;
        uint8_t *input = read_file(arguments[index], &length);
        if (!input) {
            fprintf(stderr, "counting_runner: cannot read %s\n", arguments[index]);
            return 1;
        }
        uint64_t parameter = strtoull(arguments[index + 1], NULL, 10);
        uint64_t expected = strtoull(arguments[index + 2], NULL, 10);
        for (long time = 0; time < times; time++) {
            fl_workload_outcome outcome;
            memset(&outcome, 0, sizeof outcome);
            uint64_t checksum = run(input, length, parameter, &outcome);
            if (outcome.status != 0 || checksum != expected) {
                fprintf(stderr, "counting_runner: wrong result: %s\n", outcome.message);
                return 2;
            }
        }
        free(input);
    }
    return 0;
}
