"""Collections beside the same requests, by the initial size of a goroutine's stack."""

from .initial_8kb import drawn


def draw(results):
    return drawn(
        results, "initial-collections", "collections", "collections in the same requests",
        "Collections by the size at first",
    )
