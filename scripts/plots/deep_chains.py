"""What checks cost calls in deep chains beyond those in flat ones, in time for each call."""

from .indirect_calls import drawn


def draw(results):
    return drawn(
        results, "deep-chains", "long chains beyond short ones", "What checks cost calls in deep chains"
    )
