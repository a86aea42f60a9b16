"""What 2.3 million connections that wait take without stacks."""

from .gateway_memory import KINDS, drawn


def draw(results):
    return drawn(
        results, "gateway-stackless", KINDS[2],
        "memory of 2.3 million stackless coroutines that wait",
        "Memory of one of 2.3 million connections without stacks", "memory",
    )
