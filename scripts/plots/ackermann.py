"""How deep a(4,5) gets on each kind of stack with one limit, and how that ends."""

from .results import cases, values
from .style import INK, colour, described, figure, label, linear_ticks, names, size_text, words

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
    largest = max(record["limit"] for record in records)
    records = [record for record in records if record["limit"] == largest]
    figure_, axes = figure(1.6 + 0.34 * len(records), rows=len(records))
    for place, record in enumerate(records):
        name = subject(record)
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
    names(axes, [words(subject(record)) for record in records])
    axes.margins(x=0.45)
    linear_ticks(axes.xaxis, "count")
    label(axes, "calls deep (hatched: the process died)")
    limit = size_text(records[0]["limit"])
    axes.set_title(f"a(4,5) with a limit of {limit}")
    return described(
        figure_,
        f"How deep a(4,5) gets with {limit} of stack",
        f"The recursion a(4,5) on each kind of stack, all limited to {limit}. No bar reaches the end of the recursion where it "
        "says error or died; what matters is which of the two it says.",
    )


def subject(record):
    return record.case.removeprefix(PREFIX)
