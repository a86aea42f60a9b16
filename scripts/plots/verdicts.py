"""Every claimed number beside the measured one: how many times the claimed value was measured."""

import math

from matplotlib.ticker import LogLocator, NullFormatter

from .style import INK, LINE, VERDICTS, figure


def draw(results):
    rows = [
        (verdict, claimed, measured(verdict, claimed))
        for verdict in results.verdicts
        for claimed in verdict["claimed"] or [None]
    ]
    if not rows:
        return None
    figure_, axes = figure(9.4, 1.5 + 0.34 * len(rows))
    axes.set_xscale("log")
    shown = [relative(claimed, number) for _, claimed, number in rows if number]
    edges = [edge for _, low, high in shown for edge in (low, high)] + [0.5, 2]
    left, right = min(edges) / 1.6, max(edges) * 1.6
    left, right = max(left, 1e-3), min(right, 1e3)
    last = None
    for place, (verdict, claimed, number) in enumerate(rows):
        shade, marker = VERDICTS[verdict["verdict"]]
        if verdict["claim"] != last:
            axes.axhline(place - 0.5, color=LINE, linewidth=0.8)
            axes.annotate(
                verdict["verdict"],
                (1.01, place),
                xycoords=("axes fraction", "data"),
                va="center",
                color=shade,
                fontsize=9,
                fontweight="bold",
            )
        last = verdict["claim"]
        if claimed and reference(claimed):
            low, high = band(claimed)
            axes.barh(
                place, min(high, right) - max(low, left), left=max(low, left), height=0.62, color=LINE, zorder=1
            )
            if math.isclose(low, high):
                axes.plot([low, low], [place - 0.31, place + 0.31], color="#9AA5AF", linewidth=3, zorder=1)
        if number:
            median, low, high = relative(claimed, number)
            middle, low, high = (min(max(value, left), right) for value in (median, low, high))
            axes.plot([low, high], [place, place], color=shade, linewidth=2.2, solid_capstyle="butt")
            at_edge = median <= left or median >= right
            axes.plot(
                middle,
                place,
                marker=("<" if median <= left else ">") if at_edge else marker,
                color=shade,
                markersize=8,
                markeredgecolor=INK,
                markeredgewidth=0.5,
            )
    axes.set_yticks(range(len(rows)), [label(verdict, claimed) for verdict, claimed, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left, right)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if right / left < 500 else (1,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("measured ÷ claimed\n(grey: what was claimed; line: 95 % interval; triangle: beyond the axis)")
    axes.set_title("What became of each claimed number")
    return figure_


def measured(verdict, claimed):
    """The measured number beside a claimed one; None where there is none, or nothing to divide by."""
    if not claimed or not reference(claimed):
        return None
    return next((number for number in verdict["measured"] if number["name"] == claimed["name"]), None)


def label(verdict, claimed):
    return f"{verdict['claim']}: {claimed['name']}" if claimed else verdict["claim"]


def reference(claimed):
    """The value that counts as one: the middle of a range, else its only end; 0 where something is claimed to exist."""
    low, high = claimed.get("low"), claimed.get("high")
    if low is None or high is None:
        return low if high is None else high
    return math.sqrt(low * high) if low > 0 else (low + high) / 2


def band(claimed):
    """The claimed range; an open end reaches beyond any axis."""
    one = reference(claimed)
    low, high = claimed.get("low"), claimed.get("high")
    return (low / one if low is not None else 1e-9, high / one if high is not None else 1e9)


def relative(claimed, number):
    """Median, low and high of what was measured, in claimed values; what is not positive lies beyond the axis."""
    return [max(number[name] / reference(claimed), 1e-9) for name in ("median", "low", "high")]
