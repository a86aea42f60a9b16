"""One growth and a number of calls: time by a trap and with checks, and which is faster over layouts, per initial size."""

from .results import values
from .style import INK, colour, curve, described, figure, is_narrow, key, label, look, size_text, ticks

SUBJECTS = CHECKED, *TRAPS = values("break-even", "check-move", "fault-move", "fault")
(NO_DIFFERENCE,) = values("break-even", "no difference")


def draw(results):
    times = [record for record in results.needed("break-even", metric="time") if record["calls"]]
    sizes = sorted({record["initial"] for record in times})
    if not sizes:
        return None
    whole, grid = figure(
        7.0, nrows=2, ncols=len(sizes), sharex=True, sharey="row", squeeze=False
    )
    for size, above, below in zip(sizes, grid[0], grid[1]):
        own = {
            name: sorted(
                results.needed("break-even", metric="time", strategy=name, initial=size),
                key=lambda record: record["calls"],
            )
            for name in SUBJECTS
        }
        above.set_xscale("log")
        above.set_yscale("log")
        for name in SUBJECTS:
            curve(above, own[name], lambda record: record["calls"], name, markersize=4.5)
        above.set_title(f"{size_text(size)} at first", fontsize=11)
        below.axhline(0, color=colour(CHECKED), linewidth=1.8)
        for name in TRAPS:
            against(below, name, own[CHECKED], results, size)
    for place in range(len(sizes) if is_narrow() else 1):
        label(grid[0][place], y="time for one growth and its calls")
        label(grid[1][place], y="against checked code (below 0: the page fault wins)")
    for below in grid[1]:
        below.set_xscale("log")
        below.set_ylim(-30, 60)
        below.yaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
        ticks(below.xaxis, "count")
        label(below, "calls per growth")
    for above in grid[0]:
        ticks(above.yaxis, "ns")
        ticks(above.xaxis, "count")
    for face, text in ((INK, "layouts agree on which is faster"), ("white", "no difference: layouts disagree")):
        grid[1][0].plot([], [], color=INK, marker="o", markerfacecolor=face, linestyle="", label=text)
    handles = grid[0][0].get_legend_handles_labels()[0] + grid[1][0].get_legend_handles_labels()[0][-2:]
    key(whole, handles, [handle.get_label() for handle in handles])
    return described(
        whole,
        "One growth and the calls until the next, by a page fault and with checks",
        "Above, the time of one growth and of the calls until the next; below, the same against checked code. Where a line is "
        "below zero the page fault has paid; where a mark is hollow, layouts of the code disagree on that.",
    )


def against(axes, name, baseline, results, size):
    """By how much a trap is slower than checked code, in its time; hollow where layouts disagree on the sign."""
    shade, marker = look(name)
    times = {record["calls"]: record.median for record in baseline}
    points = results.needed("break-even", metric="advantage", strategy=name, initial=size)
    points = sorted((record for record in points if record["calls"] in times), key=lambda record: record["calls"])

    def share(record, nanoseconds):
        return -100 * nanoseconds / times[record["calls"]]

    axes.plot(
        [record["calls"] for record in points], [share(record, record.median) for record in points], color=shade
    )
    for record in points:
        value = share(record, record.median)
        axes.errorbar(
            record["calls"],
            value,
            yerr=[[value - share(record, record.high)], [share(record, record.low) - value]],
            color=shade,
            marker=marker,
            # Runs that disagree have "fault or check-move" there.
            markerfacecolor="white" if NO_DIFFERENCE in record["faster"] or " or " in record["faster"] else shade,
            markersize=4.5,
        )
