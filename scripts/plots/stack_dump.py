"""A call of runtime.Stack in 512 goroutines, by the processors that Go may use and by version."""

import math

from .results import figures
from .style import BLUE, GREEN, VERMILION, described, figure, intervals, key, label, listed, time_text, words

LOOKS = {1: (GREEN, "s"), 8: (BLUE, "o"), 64: (VERMILION, "D")}
CLAIMED = dict(zip(LOOKS, figures("stack-dump", *(f"a call with GOMAXPROCS {count}" for count in LOOKS))))
SERIES = {
    (count, is_whole): (shade, marker, is_whole, f"GOMAXPROCS {count}{'' if is_whole else ', processor time'}")
    for count, (shade, marker) in LOOKS.items()
    for is_whole in (True, False)
}


def draw(results):
    times = results.needed("stack-dump", metric="time")
    if not times:
        return None
    versions = list(dict.fromkeys(record["peer"] for record in times))
    rows = [{} for _ in versions]
    for metric, is_whole in (("time", True), ("processor-time-of-call", False)):
        for record in results.needed("stack-dump", metric=metric):
            rows[versions.index(record["peer"])][record["gomaxprocs"], is_whole] = record
    # A range that is half to twice a number would cover the points of another one: that number is drawn.
    ends = [results.claimed("stack-dump", name) for name in CLAIMED.values()]
    claimed = [math.sqrt(low * high) for low, high in filter(None, ends)]
    ranges = [(time, time) for time in claimed]
    figure_, axes = figure(2.4 + 0.8 * len(rows), rows=2 + 1.5 * len(rows))
    intervals(
        axes, [words(version) for version in versions], rows, SERIES, "ns", {place: ranges for place in range(len(rows))},
        log=True, is_numbered=False,
    )
    key(figure_, columns=3)
    label(axes, "time of a call, with 95 % intervals")
    newest = rows[-1]
    said = "; ".join(
        f"with GOMAXPROCS {count} {time_text(newest[count, True].median)} and "
        f"{time_text(newest[count, False].median)} of processor time"
        for count in LOOKS
        if (count, True) in newest and (count, False) in newest
    )
    claims = f" Claimed: {listed([time_text(time) for time in claimed])}." if claimed else ""
    return described(
        figure_,
        "A call of runtime.Stack in 512 goroutines, by GOMAXPROCS",
        f"{words(versions[-1])}: {said}. Only the filled points hold what a goroutine waits for a processor.{claims}",
    )
