"""How deep a(4,5) gets on each kind of stack with one limit, and how that ends."""

from .results import cases, values
from .style import INK, colour, figure, linear_ticks, size_text

ENDINGS = {
    "error": "an error, survived",
    "died": "the process died",
    "finished": "finished",
    "running": "still running",
}
values("ackermann", *ENDINGS)
(PREFIX,) = cases("ackermann", "a(4,5) ")


def draw(results):
    records = results.needed("ackermann", metric="depth", beginning=PREFIX)
    if not records:
        return None
    figure_, axes = figure(9, 1.6 + 0.34 * len(records))
    for place, record in enumerate(records):
        name = label(record)
        died = record["ending"] == "died"
        axes.barh(
            place,
            record.median,
            height=0.68,
            color="white" if died else colour(name),
            edgecolor=colour(name) if died else INK,
            hatch="////" if died else None,
            linewidth=0.6,
        )
        axes.annotate(
            f"{record.median:,.0f}: {ENDINGS[record['ending']]}",
            (record.median, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(records)), [label(record) for record in records])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.3)
    linear_ticks(axes.xaxis, "count")
    axes.set_xlabel("depth of calls reached (hatched: the process died)")
    axes.set_title(f"a(4,5) with a limit of {size_text(records[0]['limit'])} of stack")
    return figure_


def label(record):
    return record.case.removeprefix(PREFIX)
