"""The time of a stack from the heap, in Go's allocator."""

from .allocator_cache import drawn


def draw(results):
    return drawn(results, "allocator-heap", "the heap", "A stack from the heap")
