/// Compresses the first `parameter` bytes of the input, decompresses the result and compares it with the input. The
/// checksum is FNV-1a over the compressed bytes; the counts are the sizes before and after.
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "zstd.h"

/// zstd's own default.
enum { LEVEL = 3 };

uint64_t fl_zstd_run(const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
    if (parameter < length) length = (size_t)parameter;
    size_t bound = ZSTD_compressBound(length);
    char *compressed = malloc(bound);
    char *restored = malloc(length + 1);
    uint64_t hash = 0;
    if (!compressed || !restored) {
        fl_outcome_fail(outcome, "no memory");
    } else {
        size_t size = ZSTD_compress(compressed, bound, input, length, LEVEL);
        if (ZSTD_isError(size)) {
            fl_outcome_fail(outcome, ZSTD_getErrorName(size));
        } else if (ZSTD_decompress(restored, length + 1, compressed, size) != length ||
                   memcmp(restored, input, length) != 0) {
            fl_outcome_fail(outcome, "decompression does not give the input back");
        } else {
            hash = FL_HASH_BASIS;
            for (size_t index = 0; index < size; index++) hash = (hash ^ (uint8_t)compressed[index]) * FL_HASH_PRIME;
            outcome->counts[0] = length;
            outcome->counts[1] = size;
        }
    }
    free(compressed);
    free(restored);
    return hash;
}
