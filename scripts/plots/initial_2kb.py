"""Requests per initial size: how often a stack grows, how long that takes, and how long the slowest requests take."""

from .results import figures, metrics, values
from .style import FAINT, INK, curve, described, figure, is_narrow, key, label, size_axis, size_text, ticks, words

PANELS = (
    ("growths", "growths of a request", None),
    ("time in growth", "time in growth of a request", "ns"),
    ("p99", "99th percentile of a request", "ns"),
)
metrics("initial-2kb", *(metric for metric, *_ in PANELS))
(OWN,) = values("initial-2kb", "faultline")
# What the article says of 2 KB.
(GROWTHS,) = figures("initial-2kb", "growths of a request from 2 KB")


def draw(results):
    records = [record for record in results.select("initial-2kb") if record["initial"]]
    if not records:
        return None
    whole, grid = figure(4.4, ncols=len(PANELS))
    names = list(dict.fromkeys(subject(record) for record in records))
    goes = [name for name in names if name.startswith("go")]
    for axes, (metric, text, unit) in zip(grid, PANELS):
        own = [record for record in results.needed("initial-2kb", metric=metric) if record["initial"]]
        for name in names:
            same = [record for record in own if subject(record) == name]
            options = {"color": "#A5A5A5"} if name in goes[:-1] else {}
            curve(axes, same, lambda record: record["initial"], name, markersize=5, **options)
        size_axis(axes, [record["initial"] for record in records])
        if not is_narrow():
            axes.set_xticks(axes.get_xticks()[::2])
        label(axes, "initial size", text)
        if unit:
            ticks(axes.yaxis, unit)
    is_claimed = cross(grid[0], 2, results.claimed("initial-2kb", GROWTHS))
    grid[0].set_ylim(bottom=0)
    grid[1].axhline(0, color=INK, linewidth=0.8)
    key(whole, columns=3)
    return described(
        whole,
        "Requests per initial size of their stacks",
        f"{ends(results, names)}{' The cross is what the article says of its own requests.' if is_claimed else ''}",
    )


def cross(axes, size, claimed):
    """The article's growths of a request from a size in KB; whether there are any."""
    if claimed:
        axes.plot(
            size * 1024, claimed[1], marker="x", markersize=9, markeredgewidth=2, color=FAINT, linestyle="",
            label="claimed",
        )
    return bool(claimed)


def ends(results, names):
    """How often a request grows its stack from the smallest and from the largest size."""
    growths = results.needed("initial-2kb", metric="growths")
    sizes = [record["initial"] for record in growths if record["initial"]]
    said = []
    for name in names:
        own = {record["initial"]: record.median for record in growths if subject(record) == name}
        if min(sizes) in own and max(sizes) in own:
            said.append(f"{words(name)} {own[min(sizes)]:.3g} and {own[max(sizes)]:.3g}")
    return f"Growths of a request from {size_text(min(sizes))} and from {size_text(max(sizes))}: {'; '.join(said)}."


def subject(record):
    return record["strategy"] if record["peer"] == OWN else record["peer"]
