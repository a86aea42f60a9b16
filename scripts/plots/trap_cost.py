"""One growth taken apart, beside Go's and the kernel's demand fault."""

from matplotlib.ticker import MaxNLocator

from .results import cases, metrics
from .style import (
    BLUE, INK, ORANGE, PURPLE, SKY, YELLOW, colour, described, errors, figure, is_narrow, key, label, linear_ticks, names,
    time_text, words,
)

# The parts in the order in which they happen. Their colours mean parts here, not strategies, which the labels name.
PARTS = {
    "exception-and-delivery": ("exception and signal delivery", BLUE),
    "handler": ("handler", YELLOW),
    "system-calls": ("system calls in the handler", ORANGE),
    "signal-return": ("return from the signal", PURPLE),
    "demand-fault": ("the kernel's page", SKY),
    "remainder": ("not attributed", "#FFFFFF"),
}
metrics("trap-cost", *PARTS)
# Those of a failed check.
PARTS_OF_CHECK = ("handler", "system-calls")
DEMAND, NEWSTACK, COLD_NEWSTACK = cases("trap-cost", "demand", "newstack", "newstack-fresh-memory")


def draw(results):
    totals = [
        record for record in results.needed("trap-cost", metric="time") if record["live-bytes"] or record["peer"]
    ]
    if not totals:
        return None
    totals.sort(key=lambda record: record.median)
    # None were counted where tracing is refused.
    is_traced = results.select("trap-cost", metric="crossings")
    figure_, axes = figure(1.8 + 0.4 * len(totals), rows=len(totals))
    labels, named = [], set()
    for place, total in enumerate(totals):
        left = 0
        parts = [(part, results.beside(total, part, "live-bytes")) for part in parts_of(total)]
        parts = [(part, record) for part, record in parts if record.median > 0]
        if len(parts) < 2:
            axes.barh(place, total.median, height=0.68, color=colour(total["peer"] or total.case), edgecolor=INK, linewidth=0.4)
        for part, record in parts if len(parts) > 1 else []:
            part_name, shade = PARTS[part]
            axes.barh(
                place,
                record.median,
                left=left,
                height=0.68,
                color=shade,
                edgecolor=INK,
                linewidth=0.4,
                label=None if part in named else part_name,
            )
            named.add(part)
            left += record.median
        axes.errorbar(total.median, place, xerr=errors([total]), color=INK, linewidth=1, marker="|")
        count = results.beside(total, "crossings", "live-bytes").median if is_traced and total["live-bytes"] else 0
        text = time_text(total.median) + (f", {count:.0f} crossings" if count else "")
        axes.annotate(
            text, (max(left, total.high), place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
        )
        labels.append(name(total))
    names(axes, labels)
    axes.margins(x=0.5 if is_narrow() else 0.28)
    axes.set_xlim(left=0)
    linear_ticks(axes.xaxis, "ns")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    label(axes, "time of one growth with one live page (line: the whole, with its 95 % interval)")
    axes.set_title("One growth, taken apart")
    if named:
        handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
        order = [part for part, _ in PARTS.values() if part in handles]
        key(figure_, [handles[part] for part in order], order, columns=3)
    return described(
        figure_,
        "The time of one growth, taken apart, for each mechanism and for Go",
        "Compare the way into the kernel and back, which are the exception and the return from the signal, with the whole of a "
        "growth in Go.",
    )


def parts_of(record):
    """The parts that its growth is taken apart into."""
    if record["trap"]:
        return PARTS
    return PARTS_OF_CHECK if record["live-bytes"] and record.case != DEMAND else ()


def name(record):
    kind, _, version = record.case.partition(" ")
    known = {NEWSTACK: "a growth in {}", COLD_NEWSTACK: "a growth in {}, fresh memory"}
    return known[kind].format(words(version)) if kind in known else words(record.case)
