"""Growths of a request by the initial size of a goroutine's stack, and what is claimed of 8 KB."""

from .initial_2kb import cross
from .results import figures, metrics
from .style import curve, described, figure, key, label, size_axis, size_text, ticks, words


def drawn(results, claim, metric, text, title, unit=None, claimed_figure=None):
    """What was counted of goroutines, by the initial size of their stacks."""
    metrics(claim, metric)
    records = [record for record in results.needed(claim, metric=metric) if record["initial"]]
    if not records:
        return None
    whole, axes = figure(4.4)
    versions = list(dict.fromkeys(record["peer"] for record in records))
    for version in versions:
        own = [record for record in records if record["peer"] == version]
        options = {"color": "#A5A5A5"} if version != versions[-1] else {}
        curve(axes, own, lambda record: record["initial"], version, markersize=5, **options)
    size_axis(axes, [record["initial"] for record in records])
    if claimed_figure:
        cross(axes, 8, results.claimed(claim, *figures(claim, claimed_figure)))
    label(axes, "initial size", f"{text}, with 95 % intervals")
    axes.set_ylim(bottom=0)
    if unit:
        ticks(axes.yaxis, unit)
    key(whole, columns=3)
    newest = {record["initial"]: record.median for record in records if record["peer"] == versions[-1]}
    ends = ", ".join(f"from {size_text(size)} {newest[size]:.3g}{f' {unit}' if unit else ''}" for size in sorted(newest))
    return described(whole, title, f"{words(versions[-1])}, {text}: {ends}.")


def draw(results):
    return drawn(
        results, "initial-8kb", "growths", "growths of a request", "Growths of a request by the size at first",
        claimed_figure="growths of a request from 8 KB",
    )
