"""Memory of one connection that waits, by what it waits in."""

from .results import cases, figures
from .style import (
    MARK, bars, claimed_range, colour, count_text, described, figure, key, label, listed, size_text, words,
)

GOROUTINE, RECORD, STACKLESS, TASK, HIBERNATED = cases(
    "gateway", "goroutine", "connection without a goroutine", "coroutine of C++20", "task", "hibernated coroutine"
)
NAMES = {
    GOROUTINE: "goroutine", RECORD: "record on Go's heap", STACKLESS: "coroutine of C++20", TASK: "Swift task",
    HIBERNATED: "hibernated coroutine",
}
LOOKS = {GOROUTINE: "go", RECORD: "go", STACKLESS: "ucontext", TASK: "swift", HIBERNATED: "fault-move"}
# What is claimed is memory of that many.
MANY, FEW, SHARE = figures(
    "gateway", "memory that 2.3 million goroutines would take", "memory of 100,000 goroutines that wait",
    "share of goroutines' memory that coroutines without stacks take",
)
CLAIMED_OF = {2_300_000: MANY, 100_000: FEW}


def draw(results):
    records = results.needed("gateway", metric="memory")
    if not records:
        return None
    counts = list(dict.fromkeys(record["count"] for record in records))
    marks = {place: end for place, record in enumerate(records) if (end := claimed(results, record))}
    figure_, axes = figure(1.7 + 0.4 * len(records), rows=len(records))
    bars(axes, [name(record) for record in records], records, "bytes", [colour(LOOKS[record.case]) for record in records])
    for place, end in marks.items():
        claimed_range(axes, place, end, end)
    if marks:
        axes.plot([], [], color=MARK, linewidth=3, label="claimed")
        key(figure_)
    label(axes, "memory of each that waits, with 95 % intervals")
    last = [record for record in records if record["count"] == counts[-1]]
    last.sort(key=lambda record: record.median)
    order = listed([f"{NAMES[record.case]} {size_text(record.median)}" for record in last])
    return described(
        figure_,
        "Memory of one connection that waits",
        f"Of {counts[-1]:,} that wait, from the least memory of one to the most: {order}.",
    )


def name(record):
    kind = f"{NAMES[record.case]}, {words(record['peer'])}" if record.case == GOROUTINE else NAMES[record.case]
    return f"{kind}, {count_text(record['count'])} of them"


def claimed(results, record):
    """Bytes that are claimed of one where as many wait; None of others."""
    whole = results.claimed("gateway", CLAIMED_OF[record["count"]]) if record["count"] in CLAIMED_OF else None
    share = results.claimed("gateway", SHARE) if CLAIMED_OF.get(record["count"]) == MANY else None
    if whole and record.case == GOROUTINE:
        return whole[0] / record["count"]
    return whole[0] * share[0] / record["count"] if whole and share and record.case == STACKLESS else None
