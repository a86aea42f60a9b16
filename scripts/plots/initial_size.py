"""Requests per initial size: how often a stack grows, how long that takes, and how long the slowest requests take."""

from .results import figures, metrics, values
from .style import FAINT, INK, curve, described, figure, is_narrow, key, label, size_axis, size_text, ticks, words

PANELS = (
    ("growths", "growths of a request", None),
    ("time in growth", "time in growth of a request", "ns"),
    ("p99", "99th percentile of a request", "ns"),
)
metrics("initial-size", *(metric for metric, *_ in PANELS))
(OWN,) = values("initial-size", "faultline")
# What the article says of a size in KB.
GROWTHS = dict(zip(figures("initial-size", *(f"growths of a request from {size} KB" for size in (2, 8))), (2, 8)))


def draw(results):
    records = [record for record in results.select("initial-size") if record["initial"]]
    if not records:
        return None
    whole, grid = figure(4.4, ncols=len(PANELS))
    names = list(dict.fromkeys(subject(record) for record in records))
    goes = [name for name in names if name.startswith("go")]
    for axes, (metric, text, unit) in zip(grid, PANELS):
        own = [record for record in results.needed("initial-size", metric=metric) if record["initial"]]
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
    is_claimed = article(grid[0], results)
    grid[0].set_ylim(bottom=0)
    grid[1].axhline(0, color=INK, linewidth=0.8)
    key(whole, columns=3)
    return described(
        whole,
        "Requests per initial size of their stacks",
        f"{ends(results, names)}{' Crosses are what the article says of the same experiment.' if is_claimed else ''}",
    )


def article(axes, results):
    """The article's growths of a request; whether there are any."""
    claimed = {size: ends for name, size in GROWTHS.items() if (ends := results.claimed("initial-size", name))}
    if claimed:
        axes.plot(
            [size * 1024 for size in claimed],
            [high for _, high in claimed.values()],
            marker="x",
            markersize=9,
            markeredgewidth=2,
            color=FAINT,
            linestyle="",
            label="claimed",
        )
    return bool(claimed)


def ends(results, names):
    """How often a request grows its stack from the smallest and from the largest size."""
    growths = results.needed("initial-size", metric="growths")
    sizes = [record["initial"] for record in growths if record["initial"]]
    said = []
    for name in names:
        own = {record["initial"]: record.median for record in growths if subject(record) == name}
        if min(sizes) in own and max(sizes) in own:
            said.append(f"{words(name)} {own[min(sizes)]:.3g} and {own[max(sizes)]:.3g}")
    return f"Growths of a request from {size_text(min(sizes))} and from {size_text(max(sizes))}: {'; '.join(said)}."


def subject(record):
    return record["strategy"] if record["peer"] == OWN else record["peer"]
