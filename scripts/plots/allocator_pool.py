"""The time of a stack from those that processors share, in Go's allocator."""

from .allocator_cache import drawn


def draw(results):
    return drawn(results, "allocator-pool", "the shared pool", "A stack from those that processors share")
