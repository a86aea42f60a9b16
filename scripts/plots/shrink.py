"""What is given back: memory of a stack before and after, and the time that takes."""

from matplotlib.ticker import MaxNLocator

from .results import cases
from .style import INK, bars, colour, described, figure, is_narrow, key, label, linear_ticks, names, size_text, words

ACTIONS = cases("shrink", "release", "end", "drain", "collection")


def draw(results):
    before = [record for record in results.needed("shrink", metric="bytes before") if record.case in ACTIONS]
    rows = [(record, results.beside(record, "bytes after"), results.beside(record, "time")) for record in before]
    if not rows:
        return None
    whole, (left, right) = figure(1.7 + 0.42 * len(rows), ncols=2, rows=len(rows), width_ratios=(3, 2))
    for place, (start, after, _) in enumerate(rows):
        shade = colour(start["guard"] or start["peer"])
        left.plot([start.median, after.median], [place, place], color=shade, linewidth=1.4)
        left.plot(start.median, place, color=shade, marker="o", markerfacecolor="white", markersize=8)
        left.plot(after.median, place, color=shade, marker="o", markersize=8)
        left.annotate(
            f"{size_text(start.median)} to {size_text(max(after.median, 0))}",
            (max(start.median, after.median), place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    texts = [name(start) for start, _, _ in rows]
    names(left, texts)
    largest = max(start.median for start, _, _ in rows)
    left.set_xlim(-0.06 * largest, 1.9 * largest)
    left.plot([], [], color=INK, marker="o", markerfacecolor="white", linestyle="", label="before")
    left.plot([], [], color=INK, marker="o", linestyle="", label="after")
    linear_ticks(left.xaxis, "bytes")
    label(left, "memory and page tables of one stack")
    left.xaxis.set_major_locator(MaxNLocator(4))
    left.set_title("Memory given back")
    times = [time for _, _, time in rows]
    bars(right, texts if is_narrow() else [""] * len(rows), times, "ns", [colour(start["guard"] or start["peer"]) for start, _, _ in rows])
    right.margins(x=0.35)
    right.xaxis.set_major_locator(MaxNLocator(3))
    label(right, "time for one stack")
    right.set_title("Time that it takes")
    key(whole, axes=left)
    return described(
        whole,
        "Memory of a stack given back, and the time that takes",
        "Open points are stacks that were deep once and are idle now, filled ones the same after their memory was given back. Go "
        "does it while it collects garbage.",
    )


def name(record):
    return f"{words(record['guard'] or record['peer'])}: {record.case}"
