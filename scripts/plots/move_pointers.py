"""What moving a stack costs with few and with many pointers on it: by each mover, and in Go."""

from .move_cost import drawn


def draw(results):
    return drawn(
        results, "move-pointers", "What moving a stack with pointers costs",
        " Solid lines have few pointers on the stack, dotted ones many.",
    )
