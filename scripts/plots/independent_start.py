"""How long position-independent programs take to start, against the usual way."""

from .strip_start import drawn


def draw(results):
    return drawn(
        results, "independent-start", "position-independent", "Starting position-independent programs",
        "start of position-independent programs, against usual ones",
    )
