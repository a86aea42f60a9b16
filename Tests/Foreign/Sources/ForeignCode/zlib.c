// zlib: a stream is compressed and another one decompressed behind it, in small pieces.
#include "ForeignCode.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 1000, PIECES = 100 };

typedef struct streams {
    z_stream deflating, inflating;
    uLong before, after; // checksums of what went in and what came out
    unsigned random;
} streams;

static _Noreturn void fail(void) { abort(); }

static void make(fc_job *job) {
    streams *made = calloc(1, sizeof *made);
    if (!made || deflateInit(&made->deflating, 1 + (int)job->seed % 9) != Z_OK ||
        inflateInit(&made->inflating) != Z_OK) {
        fail();
    }
    made->before = made->after = adler32(0, NULL, 0);
    made->random = job->seed + 1;
    job->state = made;
}

static void pass(streams *streams, int flush) {
    Bytef input[PIECE], packed[2 * PIECE], output[PIECE];
    for (int i = 0; i < PIECE; i++) {
        streams->random = streams->random * 1664525 + 1013904223;
        input[i] = (Bytef) "the quick brown fox jumps"[(streams->random >> 24) % 25];
    }
    streams->before = adler32(streams->before, input, PIECE);
    streams->deflating.next_in = input;
    streams->deflating.avail_in = PIECE;
    do {
        streams->deflating.next_out = packed;
        streams->deflating.avail_out = sizeof packed;
        if (deflate(&streams->deflating, flush) == Z_STREAM_ERROR) fail();
        streams->inflating.next_in = packed;
        streams->inflating.avail_in = (uInt)(sizeof packed - streams->deflating.avail_out);
        int result;
        do {
            streams->inflating.next_out = output;
            streams->inflating.avail_out = sizeof output;
            result = inflate(&streams->inflating, Z_NO_FLUSH);
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) fail();
            streams->after = adler32(streams->after, output, (uInt)(sizeof output - streams->inflating.avail_out));
        } while (streams->inflating.avail_out == 0);
    } while (streams->deflating.avail_out == 0);
}

bool fc_zlib(fc_job *job) {
    if (job->step++ == 0) {
        make(job);
        return true;
    }
    streams *streams = job->state;
    bool is_last = job->step == PIECES;
    pass(streams, is_last ? Z_FINISH : Z_NO_FLUSH);
    if (!is_last) return true;
    if (streams->before != streams->after) fail();
    fc_note(job, "%lu bytes in, %lu packed, %lx\n", streams->deflating.total_in, streams->deflating.total_out,
            streams->after);
    deflateEnd(&streams->deflating);
    inflateEnd(&streams->inflating);
    free(streams);
    return false;
}
