"""Every claimed number beside the measured one: how many times the claimed value was measured."""

import math

from matplotlib.ticker import LogLocator, NullFormatter

from .style import GREEN, INK, PURPLE, VERMILION, claimed_range, described, figure, is_narrow, key, label, names, words

# How far off a number may be that is called near, and one that counts as what a source rounds to.
NEAR, EQUAL = 1.5, 1.05
# What a number is called, and how it is drawn.
LOOKS = {
    "as claimed": (GREEN, "o"),
    "within half of what was claimed": (PURPLE, "D"),
    "further off": (VERMILION, "X"),
}


def draw(results):
    rows = [
        (claimed, measured)
        for verdict in results.verdicts
        for claimed in verdict["claimed"]
        # A number that is our reading of a claim without one is not the source's.
        if not claimed.get("isOurReading") and (measured := number(verdict, claimed))
    ]
    if not rows:
        return None
    figure_, axes = figure(1.7 + 0.34 * len(rows), rows=len(rows))
    axes.set_xscale("log")
    edges = [edge for row in rows for edge in relative(*row)[1:]] + [0.5, 2]
    left, right = max(min(edges) / 1.6, 1e-3), min(max(edges) * 1.6, 1e3)
    names(axes, [words(claimed["name"]) for claimed, _ in rows])
    for place, (claimed, measured) in enumerate(rows):
        low, high = band(claimed)
        claimed_range(axes, place, max(low, left), min(high, right))
        shade, marker = LOOKS[distance(claimed, measured)]
        median, low, high = (min(max(value, left), right) for value in relative(claimed, measured))
        axes.plot([low, high], [place, place], color=shade, linewidth=2.2, solid_capstyle="butt")
        beyond = "<" if median <= left else ">" if median >= right else None
        axes.plot(
            median, place, marker=beyond or marker, color=shade, markersize=8, markeredgecolor=INK, markeredgewidth=0.5,
            linestyle="", clip_on=False,
        )
    for name, (shade, marker) in LOOKS.items():
        axes.plot(
            [], [], color=shade, marker=marker, markersize=8, markeredgecolor=INK, markeredgewidth=0.5, linestyle="",
            label=name,
        )
    key(figure_, columns=len(LOOKS))
    axes.set_xlim(left, right)
    decades = math.log10(right / left)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=6 if is_narrow() else 12))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.xaxis.set_minor_formatter(NullFormatter())
    label(axes, "measured, as a multiple of what was claimed (grey: what was claimed; line: 95 % interval)")
    axes.set_title("Each claimed number, and what was measured")
    return described(
        figure_,
        "Each claimed number, and how many times the claimed value was measured",
        "Each row is a number that a claim names. Grey is what was claimed, a mark what was measured: green where the two agree, "
        "red where they are more than half apart.",
    )


def number(verdict, claimed):
    """The measured number beside a claimed one; None where there is none, or nothing to divide by."""
    if not reference(claimed):
        return None
    return next((measured for measured in verdict["measured"] if measured["name"] == claimed["name"]), None)


def distance(claimed, measured):
    """What the number is called: by its interval where that meets what was claimed, else by its median."""
    median, low, high = relative(claimed, measured)
    claimed_low, claimed_high = band(claimed)
    if low <= claimed_high and high >= claimed_low:
        # An interval so wide that it meets anything agrees with nothing.
        return "as claimed" if claimed_low / NEAR <= median <= claimed_high * NEAR else "further off"
    off = max(median / claimed_high, claimed_low / median)
    return "as claimed" if off <= EQUAL else "within half of what was claimed" if off <= NEAR else "further off"


def reference(claimed):
    """The value that counts as one: the middle of a range, else its only end; 0 where something is claimed to exist."""
    low, high = claimed.get("low"), claimed.get("high")
    if low is None or high is None:
        return low if high is None else high
    return math.sqrt(low * high) if low > 0 else (low + high) / 2


def band(claimed):
    """The claimed range, give or take its tolerance; an open end reaches beyond any axis."""
    one, tolerance = reference(claimed), claimed.get("tolerance") or 0
    low, high = claimed.get("low"), claimed.get("high")
    return (
        low / one * (1 - tolerance) if low is not None else 1e-9,
        high / one * (1 + tolerance) if high is not None else 1e9,
    )


def relative(claimed, measured):
    """Median, low and high of what was measured, in claimed values; what is not positive lies beyond the axis."""
    return [max(measured[name] / reference(claimed), 1e-9) for name in ("median", "low", "high")]
