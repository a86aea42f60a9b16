"""What 100,000 idle connections take, as goroutines."""

from .gateway_memory import KINDS, drawn


def draw(results):
    return drawn(
        results, "idle-goroutines", KINDS[0],
        "memory of 100,000 goroutines that wait",
        "Memory of one of 100,000 idle connections", "memory",
    )
