"""What one suspended coroutine, goroutine, task or thread takes: memory, page tables, a thread's part of the kernel."""

from .results import cases, metrics
from .style import (
    FAINT, INK, colour, count_text, described, errors, figure, is_narrow, key, label, linear_ticks, names, size_text, words,
)

*NAMED_BY_PEER, THREAD = cases("minimum-stack", "goroutine", "task", "thread")
PARTS = (("resident", "", "resident"), ("page-tables", "////", "page tables"), ("kernel", "xx", "in the kernel"))
*_, KERNEL = metrics("minimum-stack", *(metric for metric, *_ in PARTS))


def draw(results):
    wholes = results.needed("minimum-stack", metric="memory")
    if not wholes:
        return None
    figure_, axes = figure(1.9 + 0.36 * len(wholes), rows=len(wholes))
    wholes.sort(key=lambda record: (record["count"] or 0, record.median))
    for place, whole in enumerate(wholes):
        shade = colour(subject(whole))
        left = 0
        for metric, hatch, _ in PARTS:
            if metric == KERNEL and whole.case != THREAD:
                continue
            part = results.beside(whole, metric)
            axes.barh(
                place,
                part.median,
                left=left,
                height=0.68,
                color="white" if hatch else shade,
                edgecolor=shade if hatch else INK,
                hatch=hatch,
                linewidth=0.6,
            )
            left += part.median
        axes.errorbar(whole.median, place, xerr=errors([whole]), color=INK, linewidth=1)
        axes.annotate(
            size_text(whole.median),
            (max(left, whole.high), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    for size, side, shift in ((2048, "right", 2), (4096, "left", -2)):
        axes.axvline(size, color=FAINT, linestyle=":", linewidth=1.2, zorder=0.5)
        axes.annotate(
            size_text(size),
            (size, 1),
            xycoords=("data", "axes fraction"),
            xytext=(shift, 2),
            textcoords="offset points",
            ha=side,
            fontsize=8.5,
            color=FAINT,
        )
    for _, hatch, text in PARTS:
        axes.barh(0, 0, color="white" if hatch else FAINT, edgecolor=FAINT, hatch=hatch, label=text)
    key(figure_, columns=3)
    names(axes, [name(record) for record in wholes])
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    linear_ticks(axes.xaxis, "bytes")
    label(axes, "memory of each that waits (dotted: the two that are compared)")
    axes.set_title("The least that a stack takes", pad=20)
    return described(
        figure_,
        "What one suspended coroutine, goroutine, task or thread takes",
        f"Memory of one of many that wait. {extremes(wholes)}.",
    )


def extremes(records):
    """Which takes least and which most, of those of which there were most."""
    count = max(record["count"] or 0 for record in records)
    records = [record for record in records if (record["count"] or 0) == count]
    least, most = min(records, key=lambda record: record.median), max(records, key=lambda record: record.median)
    return (
        f"Of {count:,} the least is {size_text(least.median)} ({', '.join(parts(least))}), the most {size_text(most.median)} "
        f"({', '.join(parts(most))})"
    )


def subject(record):
    """Whose look it has: that of the peer, else of the guard."""
    return record["guard"] or record["peer"] or record.case


def name(record):
    return ", ".join(parts(record) + [f"{count_text(record['count'])}{'' if is_narrow() else ' of them'}"])


def parts(record):
    """What it is called, without how many there were."""
    # A kind of goroutine or task is named after the peer whose it is, with the version.
    is_peers = record["peer"] and record.case.startswith(tuple(NAMED_BY_PEER))
    kind = f"{words(record['peer'])}: {record.case}" if is_peers else words(record.case)
    details = [size_text(record["slot"]) + " slot" if record["slot"] else None, record["guard"] and words(record["guard"])]
    return [kind] + [detail for detail in details if detail]
