"""Heap that a closure takes, by Go's version, of a goroutine and of a call."""

from .results import cases, figures
from .style import BLUE, VERMILION, described, figure, intervals, key, label, size_text, words

STARTED, CALLED = cases("escape", "started", "called")
(OF_GOROUTINE,) = figures("escape", "heap for the closure of a goroutine")
SERIES = {
    STARTED: (VERMILION, "s", True, "a goroutine is started with it"),
    CALLED: (BLUE, "o", True, "it is called"),
}


def draw(results):
    rows = {}
    for record in results.needed("escape", metric="heap-bytes"):
        rows.setdefault(record["peer"], {})[record.case] = record
    if not rows:
        return None
    ends = results.claimed("escape", OF_GOROUTINE)
    claimed = {place: [ends] for place in range(len(rows))} if ends else {}
    figure_, axes = figure(1.9 + 0.42 * len(rows), rows=len(rows))
    intervals(axes, [words(version) for version in rows], list(rows.values()), SERIES, "bytes", claimed)
    key(figure_)
    label(axes, "bytes of heap for one closure")
    newest = list(rows.values())[-1]
    return described(
        figure_,
        "Where a closure is kept",
        f"In {words(list(rows)[-1])} a closure takes {size_text(newest[STARTED].median)} of heap where a goroutine is started with it, "
        f"and {size_text(newest[CALLED].median)} where it is called.",
    )
