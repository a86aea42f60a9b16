"""What all copying of stacks takes, by the initial size of a goroutine's stack."""

from .initial_8kb import drawn


def draw(results):
    return drawn(
        results, "initial-copying", "time of copying", "all copying in the same requests",
        "What all copying takes by the size at first", "ns",
    )
