/// Source files of this package as text inside the program, so that the variants can be built at run time anywhere.
#ifndef FAULTLINE_EMBEDDED_H
#define FAULTLINE_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// One source file: `name` is unique and without folders, `bytes` are the file's `length` bytes (not terminated).
typedef struct fl_embedded_file {
    const char *name;
    const uint8_t *bytes;
    size_t length;
} fl_embedded_file;

/// The number of embedded files.
size_t fl_embedded_count(void);

/// The file at `index`, which must be below `fl_embedded_count()`. Valid for the life of the process.
fl_embedded_file fl_embedded_at(size_t index);

#pragma clang assume_nonnull end

#endif
