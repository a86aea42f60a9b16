"""The time of a change of a list's head by two threads, by how far their heads are apart."""

from .results import cases
from .style import BLUE, described, figure, intervals, label, listed, time_text

TOGETHER, LINES, APART, ALONE = cases("false-sharing", "together", "a line each", "apart", "alone")
NAMES = {
    TOGETHER: "two threads, heads 8 bytes apart", LINES: "two threads, heads 64 bytes apart",
    APART: "two threads, heads 128 bytes apart", ALONE: "one thread",
}
SERIES = {"time": (BLUE, "o", True, "")}


def draw(results):
    records = results.needed("false-sharing", metric="time")
    if not records:
        return None
    figure_, axes = figure(1.6 + 0.5 * len(records), rows=len(records))
    intervals(axes, [NAMES[record.case] for record in records], [{"time": record} for record in records], SERIES, "ns")
    axes.set_xlim(left=0)
    label(axes, "time of one change of a head, with 95 % intervals")
    times = listed([f"{NAMES[record.case]} {time_text(record.median)}" for record in records])
    return described(figure_, "A cache line for the head of a pool", f"One change of a head takes: {times}.")
