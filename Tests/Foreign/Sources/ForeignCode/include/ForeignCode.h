/// Work for SQLite, zlib and the C++ standard library. Each job is done in steps, so that several can take turns, and
/// leaves a text that depends on all it has computed.
#ifndef FAULTLINE_FOREIGN_CODE_H
#define FAULTLINE_FOREIGN_CODE_H

#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

#ifdef __cplusplus
extern "C" {
#endif

enum { FC_TEXT = 512 };

/// A job with what it keeps between its steps; `seed` tells jobs of a kind apart.
typedef struct fc_job {
    unsigned seed;
    unsigned step;
    void *_Nullable state;
    char text[FC_TEXT]; ///< the result so far
} fc_job;

/// Does the next step. False when it was the last.
bool fc_sqlite(fc_job *job);
bool fc_zlib(fc_job *job);
bool fc_regex(fc_job *job);
bool fc_nested(fc_job *job);
bool fc_exceptions(fc_job *job);
/// Does little, for valgrind.
bool fc_turns(fc_job *job);

/// Adds a formatted line to the text. A text that is full ends the process.
void fc_note(fc_job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Stores to address 0, below two frames of its own.
void fc_crash(void);

#ifdef __cplusplus
}
#endif

#pragma clang assume_nonnull end
#endif
