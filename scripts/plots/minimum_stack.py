"""What one suspended coroutine, goroutine, task or thread takes: memory, page tables, a thread's part of the kernel."""

from .results import cases, metrics
from .style import FAINT, INK, colour, count_text, errors, figure, linear_ticks, size_text

*NAMED_BY_PEER, THREAD = cases("minimum-stack", "goroutine", "task", "thread")
PARTS = (("resident", "", "resident"), ("page-tables", "////", "page tables"), ("kernel", "xx", "in the kernel"))
*_, KERNEL = metrics("minimum-stack", *(metric for metric, *_ in PARTS))


def draw(results):
    wholes = results.needed("minimum-stack", metric="memory")
    if not wholes:
        return None
    figure_, axes = figure(9.6, 1.9 + 0.36 * len(wholes))
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
    for size in (2048, 4096):
        axes.axvline(size, color=FAINT, linestyle=":", linewidth=1.2, zorder=0.5)
        axes.annotate(
            size_text(size),
            (size, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=FAINT,
        )
    for _, hatch, name in PARTS:
        axes.barh(0, 0, color="white" if hatch else FAINT, edgecolor=FAINT, hatch=hatch, label=name)
    axes.legend(loc="lower right", fontsize=9)
    axes.set_yticks(range(len(wholes)), [label(record) for record in wholes])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    linear_ticks(axes.xaxis, "bytes")
    axes.set_xlabel("bytes of each, suspended (dotted: the two stacks that the claim compares)")
    axes.set_title("The least that a stack takes", pad=20)
    return figure_


def subject(record):
    """Whose look it has: that of the peer, else of the guard."""
    return record["guard"] or record["peer"] or record.case


def label(record):
    words = [record["peer"] if record.case in NAMED_BY_PEER else None, record.case]
    details = [size_text(record["slot"]) + " slot" if record["slot"] else None, record["guard"]]
    name = " ".join(word for word in words if word)
    return ", ".join([name] + [detail for detail in details if detail] + [f"{count_text(record['count'])} of them"])
