"""Allocating and freeing a stack with and without a pool, per library and size, beside what the article says."""

from .results import cases, figures, values
from .style import FAINT, INK, colour, errors, figure, size_text, ticks

POOLED, UNPOOLED = cases("stack-pool", "pooled", "unpooled")
(OWN,) = values("stack-pool", "faultline")
# What the article says, by size: with a pool and without.
CLAIMS = {
    size: figures("stack-pool", f"{size} with a pool", f"{size} without a pool") for size in ("2 KB", "8 KB")
}


def draw(results):
    pooled = results.needed("stack-pool", POOLED, "time")
    if not pooled:
        return None
    rows = [
        (
            f"{record['peer']}, {size_text(record['bytes'])}" if record["bytes"] else record["peer"],
            record,
            results.beside(record, "time", "peer", "bytes", case=UNPOOLED),
        )
        for record in pooled
    ]
    claims = article(results)
    figure_, axes = figure(8.8, 1.8 + 0.34 * (len(rows) + len(claims)))
    for place, (name, fast, slow) in enumerate(rows):
        shade = colour("fault" if name.startswith(OWN) else name)
        axes.plot([fast.median, slow.median], [place, place], color=shade, linewidth=1.2)
        axes.errorbar(
            slow.median, place, xerr=errors([slow]), color=shade, marker="o", markerfacecolor="white", markersize=8
        )
        axes.errorbar(fast.median, place, xerr=errors([fast]), color=shade, marker="o", markersize=8)
    for place, (name, fast, slow) in enumerate(claims, start=len(rows)):
        axes.plot([fast, slow], [place, place], color=FAINT, linewidth=1.2, linestyle=":")
        axes.plot(slow, place, color=FAINT, marker="o", markerfacecolor="white", markersize=8)
        axes.plot(fast, place, color=FAINT, marker="o", markersize=8)
    names = [name for name, _, _ in rows] + [name for name, _, _ in claims]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xscale("log")
    ticks(axes.xaxis, "ns")
    axes.set_xlabel("time to allocate and free one stack")
    axes.plot([], [], color=INK, marker="o", linestyle="", label="with a pool")
    axes.plot([], [], color=INK, marker="o", markerfacecolor="white", linestyle="", label="without")
    axes.legend(loc="lower right", fontsize=9)
    axes.set_title("What a pool of stacks saves")
    return figure_


def article(results):
    """The article's figures, by size: with a pool and without."""
    verdict = results.verdict("stack-pool")
    claimed = {number["name"]: number["high"] for number in verdict["claimed"]} if verdict else {}
    return [(f"claimed, {size}", claimed[fast], claimed[slow]) for size, (fast, slow) in CLAIMS.items() if claimed]
