"""How long stripped programs take to start whose files were dropped from memory, against the usual way."""

from .strip_start import drawn


def draw(results):
    return drawn(
        results, "strip-start-cold", "-s -w", "Starting stripped programs that are not in memory",
        "start of stripped programs, against usual ones, files dropped from memory",
    )
