"""The time of a stack from each tier of Go's allocator."""

from .results import cases, figures
from .style import BLUE, described, figure, intervals, key, label, listed, time_text, words

TIERS = cases("allocator-tiers", "the processor's cache", "the shared pool", "the heap")
CLAIMED = dict(zip(TIERS, figures("allocator-tiers", *(f"a stack from {tier}" for tier in TIERS))))
SERIES = {"time": (BLUE, "o", True, "")}


def draw(results):
    # Other sizes and states are in the records alone.
    records = [record for record in results.needed("allocator-tiers", metric="time") if record.case in TIERS]
    if not records:
        return None
    claimed = {
        place: [ends]
        for place, record in enumerate(records)
        if (ends := results.claimed("allocator-tiers", CLAIMED[record.case]))
    }
    figure_, axes = figure(1.9 + 0.5 * len(records), rows=len(records))
    intervals(axes, [record.case for record in records], [{"time": record} for record in records], SERIES, "ns", claimed, log=True)
    key(figure_)
    label(axes, "time to allocate one stack, with 95 % intervals")
    times = listed([f"{time_text(record.median)} from {record.case}" for record in records])
    return described(
        figure_, "A stack from each tier of Go's allocator", f"{words(records[0]['peer'])} allocates a stack in {times}."
    )
