"""What is given back: memory of a stack before and after, and the time that takes."""

from .results import cases
from .style import INK, bars, colour, figure, linear_ticks, size_text

ACTIONS = cases("shrink", "release", "end", "drain", "collection")


def draw(results):
    before = [record for record in results.needed("shrink", metric="bytes before") if record.case in ACTIONS]
    rows = [(record, results.beside(record, "bytes after"), results.beside(record, "time")) for record in before]
    if not rows:
        return None
    whole, (left, right) = figure(11.5, 1.7 + 0.42 * len(rows), ncols=2)
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
    names = [label(start) for start, _, _ in rows]
    left.set_yticks(range(len(rows)), names)
    left.set_ylim(len(rows) - 0.5, -0.5)
    left.grid(axis="y", visible=False)
    largest = max(start.median for start, _, _ in rows)
    left.set_xlim(-0.06 * largest, 1.55 * largest)
    left.plot([], [], color=INK, marker="o", markerfacecolor="white", linestyle="", label="before")
    left.plot([], [], color=INK, marker="o", linestyle="", label="after")
    left.legend(loc="lower right", fontsize=9)
    linear_ticks(left.xaxis, "bytes")
    left.set_xlabel("memory and page tables of one stack")
    left.set_title("Memory given back")
    times = [time for _, _, time in rows]
    bars(right, [""] * len(rows), times, "ns", [colour(start["guard"] or start["peer"]) for start, _, _ in rows])
    right.set_ylim(len(rows) - 0.5, -0.5)
    right.set_xlabel("time for one stack")
    right.set_title("and what that takes")
    whole.caption = "Memory of a stack given back, and the time that takes"
    return whole


def label(record):
    return f"{record['guard'] or record['peer']}: {record.case}"
