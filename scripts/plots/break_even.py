"""Calls per growth at which a trap pays for the checks it saves: time, and time against checks, per initial size."""

from .results import values
from .style import FAINT, INK, colour, curve, figure, look, size_text, ticks

SUBJECTS = CHECKED, *TRAPS = values("break-even", "check-move", "fault-move", "fault")


def draw(results):
    times = [record for record in results.needed("break-even", metric="time") if record["calls"]]
    sizes = sorted({record["initial"] for record in times})
    if not sizes:
        return None
    whole, grid = figure(
        4.1 * len(sizes) + 0.6, 7.4, nrows=2, ncols=len(sizes), sharex=True, sharey="row", squeeze=False
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
            against(below, name, own[name], own[CHECKED])
            crossing(below, results, name, size)
    programs(grid[1][-1] if len(sizes) == 1 else grid[1][len(sizes) // 2], results)
    ticks(grid[0][0].yaxis, "ns")
    grid[0][0].set_ylabel("time for one growth and its calls")
    grid[1][0].set_ylabel("against check-move (below 0: the trap wins)")
    grid[1][0].set_ylim(-30, 60)
    grid[1][0].yaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    ticks(grid[1][0].xaxis, "count")
    grid[1][len(sizes) // 2].set_xlabel("calls per growth")
    grid[0][0].legend(loc="upper left", fontsize=9)
    for style, text in (("-", "crossing measured (shaded: 95 % interval)"), ("--", "crossing predicted")):
        grid[1][0].plot([], [], color=INK, linestyle=style, linewidth=1, label=text)
    whole.legend(
        handles=grid[1][0].get_legend_handles_labels()[0][-2:], loc="outside lower center", ncols=2, fontsize=9
    )
    whole.caption = "Calls per growth at which a trap pays for the checks it saves"
    whole.suptitle(whole.caption, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return whole


def against(axes, name, records, baseline):
    """The curve of a strategy against checked code, with the widest quotients that the two intervals allow."""
    pairs = [(record, other) for record in records for other in baseline if other["calls"] == record["calls"]]
    shade, marker = look(name)
    values = [100 * (record.median / other.median - 1) for record, other in pairs]
    lows = [100 * (record.low / other.high - 1) for record, other in pairs]
    highs = [100 * (record.high / other.low - 1) for record, other in pairs]
    axes.errorbar(
        [record["calls"] for record, _ in pairs],
        values,
        yerr=[
            [value - low for value, low in zip(values, lows)],
            [high - value for value, high in zip(values, highs)],
        ],
        color=shade,
        marker=marker,
        markersize=4.5,
    )


def crossing(axes, results, name, size):
    shade = colour(name)
    (measured,) = results.needed("break-even", metric="crossing", strategy=name, initial=size)
    predicted = results.beside(measured, "predicted-crossing")
    end = measured["sweep-end"]
    axes.axvspan(max(measured.low, 1), min(measured.high, end), color=shade, alpha=0.12, linewidth=0)
    if measured.median <= end:
        axes.axvline(measured.median, color=shade, linewidth=1.2)
    if predicted.median <= end:
        axes.axvline(predicted.median, color=shade, linewidth=1.2, linestyle="--")


def programs(axes, results):
    """How many calls per growth real programs make, at the foot of a panel."""
    counted = results.needed("break-even", metric="calls-per-growth")
    for place, record in enumerate(sorted(counted, key=lambda record: record.median)):
        axes.annotate(
            record.case,
            (record.median, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 6 + 11 * (place % 4)),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=FAINT,
        )
        axes.plot(
            record.median,
            0,
            marker="v",
            color=FAINT,
            markersize=4,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
