"""How long a collection pauses beside 2.3 million connections without goroutines."""

from .gateway_memory import KINDS, drawn


def draw(results):
    return drawn(
        results, "gateway-pause-stackless", KINDS[1],
        "pause of a collection beside 2.3 million connections without goroutines",
        "The pause of a collection beside 2.3 million records", "pause",
    )
