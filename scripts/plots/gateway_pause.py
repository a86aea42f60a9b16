"""How long a collection pauses beside 2.3 million goroutines."""

from .gateway_memory import KINDS, drawn


def draw(results):
    return drawn(
        results, "gateway-pause", KINDS[0],
        "pause of a collection beside 2.3 million goroutines",
        "The pause of a collection beside 2.3 million goroutines", "pause",
    )
