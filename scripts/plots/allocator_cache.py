"""The time of a stack from the free ones of a processor, in Go's allocator."""

from .results import cases, figures
from .style import BLUE, described, figure, intervals, key, label, listed, time_text, words


def drawn(results, claim, tier, title):
    """The tier with the other sizes and states that were measured of it."""
    cases(claim, tier)
    (claimed_figure,) = figures(claim, f"a stack from {tier}")
    records = results.needed(claim, metric="time")
    if not records:
        return None
    ends = results.claimed(claim, claimed_figure)
    claimed = {place: [ends] for place, record in enumerate(records) if ends and record.case == tier}
    figure_, axes = figure(1.9 + 0.5 * len(records), rows=len(records))
    rows = [{"time": record} for record in records]
    intervals(axes, [record.case for record in records], rows, {"time": (BLUE, "o", True, "")}, "ns", claimed, log=True)
    key(figure_)
    label(axes, "time to allocate one stack, with 95 % intervals")
    times = listed([f"{time_text(record.median)} from {record.case}" for record in records])
    return described(figure_, title, f"{words(records[0]['peer'])} allocates a stack in {times}.")


def draw(results):
    return drawn(results, "allocator-cache", "the processor's cache", "A stack from the free ones of a processor")
