"""What 2.3 million connections that wait take, as goroutines."""

from .results import cases, figures, metrics
from .style import MARK, bars, claimed_range, colour, described, figure, key, label, listed, size_text, time_text, words

KINDS = ("goroutine", "connection without a goroutine", "coroutine of C++20", "task", "hibernated coroutine")
NAMES = dict(zip(KINDS, (
    "goroutine", "record on Go's heap", "coroutine of C++20", "Swift task", "hibernated coroutine",
)))
LOOKS = dict(zip(KINDS, ("go", "go", "ucontext", "swift", "fault-move")))


def drawn(results, claim, kind, claimed_figure, title, metric="memory"):
    """Each kind of connection; one of them is what the claim is about."""
    cases(claim, *KINDS)
    metrics(claim, metric)
    (bound,) = figures(claim, claimed_figure)
    records = results.needed(claim, metric=metric)
    if not records:
        return None
    is_memory = metric == "memory"
    figure_, axes = figure(1.7 + 0.4 * len(records), rows=len(records))
    bars(
        axes, [name(record) for record in records], records, "bytes" if is_memory else "ns",
        [colour(LOOKS[record.case]) for record in records],
    )
    ends = results.claimed(claim, bound)
    places = [place for place, record in enumerate(records) if record.case == kind]
    for place in places if ends else []:
        # Memory is drawn of one.
        low, high = ((end or 0) / (records[place]["count"] if is_memory else 1) for end in ends)
        claimed_range(axes, place, low, high)
    if ends and places:
        axes.plot([], [], color=MARK, linewidth=3, label="claimed")
        key(figure_)
    what = "memory of each that waits" if is_memory else "pause of a collection beside them"
    label(axes, f"{what}, with 95 % intervals")
    text = size_text if is_memory else time_text
    order = listed([f"{NAMES[record.case]} {text(record.median)}" for record in sorted(records, key=lambda one: one.median)])
    return described(figure_, title, f"Of {records[0]['count']:,} that wait, from the least to the most: {order}.")


def name(record):
    return f"{NAMES[record.case]}, {words(record['peer'])}" if record.case == KINDS[0] else NAMES[record.case]


def draw(results):
    return drawn(
        results, "gateway-memory", KINDS[0], "memory of 2.3 million goroutines that wait",
        "Memory of one of 2.3 million connections",
    )
