"""Requests per initial size: how often a stack grows, how long that takes, and how long the slowest requests take."""

from .results import figures, metrics, values
from .style import FAINT, INK, curve, figure, size_axis, ticks

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
    whole, grid = figure(13, 4.8, ncols=len(PANELS))
    names = list(dict.fromkeys(subject(record) for record in records))
    goes = [name for name in names if name.startswith("go")]
    for axes, (metric, label, unit) in zip(grid, PANELS):
        own = [record for record in results.needed("initial-size", metric=metric) if record["initial"]]
        for name in names:
            same = [record for record in own if subject(record) == name]
            options = {"color": "#A5A5A5"} if name in goes[:-1] else {}
            curve(axes, same, lambda record: record["initial"], name, markersize=5, **options)
        size_axis(axes, [record["initial"] for record in records])
        axes.set_xlabel("initial size")
        axes.set_ylabel(label)
        if unit:
            ticks(axes.yaxis, unit)
    article(grid[0], results)
    grid[0].set_ylim(bottom=0)
    grid[1].axhline(0, color=INK, linewidth=0.8)
    handles, labels = grid[0].get_legend_handles_labels()
    whole.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=9)
    whole.caption = "Requests per initial size of their stacks"
    whole.suptitle(whole.caption, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return whole


def article(axes, results):
    """The article's growths of a request."""
    verdict = results.verdict("initial-size")
    for claimed in verdict["claimed"] if verdict else []:
        size = GROWTHS.get(claimed["name"])
        if size:
            axes.plot(
                size * 1024,
                claimed["high"],
                marker="x",
                markersize=9,
                markeredgewidth=2,
                color=FAINT,
                linestyle="",
                label="claimed" if size == 2 else None,
            )


def subject(record):
    return record["strategy"] if record["peer"] == OWN else record["peer"]
