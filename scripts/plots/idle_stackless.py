"""What 100,000 idle connections take without stacks."""

from .gateway_memory import KINDS, drawn


def draw(results):
    return drawn(
        results, "idle-stackless", KINDS[2],
        "memory of 100,000 stackless coroutines that wait",
        "Memory of one of 100,000 idle connections without stacks", "memory",
    )
