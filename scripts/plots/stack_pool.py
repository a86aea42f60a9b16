"""Allocating and freeing a stack with and without a pool, per library and size."""

from .results import cases, values
from .style import INK, colour, described, errors, figure, key, label, names, size_text, ticks, words

POOLED, UNPOOLED = cases("stack-pool", "pooled", "unpooled")
(OWN,) = values("stack-pool", "faultline")


def draw(results):
    pooled = results.needed("stack-pool", POOLED, "time")
    if not pooled:
        return None
    rows = [
        (
            (record["peer"], record["bytes"]),
            record,
            results.beside(record, "time", "peer", "bytes", case=UNPOOLED),
        )
        for record in pooled
    ]
    figure_, axes = figure(1.8 + 0.34 * len(rows), rows=len(rows))
    for place, ((peer, _), fast, slow) in enumerate(rows):
        shade = colour("fault" if peer == OWN else peer)
        axes.plot([fast.median, slow.median], [place, place], color=shade, linewidth=1.2)
        axes.errorbar(
            slow.median, place, xerr=errors([slow]), color=shade, marker="o", markerfacecolor="white", markersize=8
        )
        axes.errorbar(fast.median, place, xerr=errors([fast]), color=shade, marker="o", markersize=8)
    texts = [words(peer) + (f", {size_text(size)}" if size else "") for (peer, size), _, _ in rows]
    names(axes, texts)
    axes.set_xscale("log")
    ticks(axes.xaxis, "ns")
    label(axes, "time to allocate and free one stack")
    axes.plot([], [], color=INK, marker="o", linestyle="", label="with a pool")
    axes.plot([], [], color=INK, marker="o", markerfacecolor="white", linestyle="", label="without")
    key(figure_)
    axes.set_title("What a pool of stacks saves")
    return described(
        figure_,
        "Allocating and freeing a stack with a pool and without",
        "Open points are without a pool, filled ones with it; the line between them is what a pool changes.",
    )
