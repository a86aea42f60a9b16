"""A call in a loop whose frame lies above, at and below the boundary of a stack's memory, per strategy and peer."""

from .results import values
from .style import INK, described, figure, key, label, look, names, ticks, time_text, words

POSITIONS = _, AT, _ = values("hot-split", "above", "at", "below")


def draw(results):
    records = results.needed("hot-split", metric="time")
    subjects = list(dict.fromkeys(subject(record) for record in records))
    if not subjects:
        return None
    figure_, axes = figure(1.9 + 0.36 * len(subjects), rows=len(subjects))
    for place, name in enumerate(subjects):
        shade, _ = look(name)
        own = {record["position"]: record for record in records if subject(record) == name}
        worst = max(own.values(), key=lambda record: record.median)
        axes.plot(
            [min(record.median for record in own.values()), worst.median], [place, place], color=shade, linewidth=1
        )
        for marker, position in zip("v|^", POSITIONS):
            record = own.get(position)
            if record:
                is_boundary = position == AT
                axes.errorbar(
                    record.median,
                    place,
                    xerr=[[record.median - record.low], [record.high - record.median]],
                    color=shade,
                    marker="o" if is_boundary else marker,
                    markersize=8 if is_boundary else 6,
                    markerfacecolor=shade if is_boundary else "white",
                    zorder=3 if is_boundary else 2,
                )
        axes.annotate(
            time_text(own[AT].median) if AT in own else "",
            (worst.high, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    names(axes, [words(name) for name in subjects])
    axes.set_xscale("log")
    axes.margins(x=0.18)
    ticks(axes.xaxis, "ns")
    label(axes, "time of a call, with 95 % intervals; the number is that at the end")
    for marker, name in (("o", "at the end of the stack"), ("v", "above it"), ("^", "below it")):
        axes.plot(
            [],
            [],
            color=INK,
            marker=marker,
            markerfacecolor=INK if marker == "o" else "white",
            linestyle="",
            label=name,
        )
    key(figure_, columns=3)
    axes.set_title("A call in a loop at the end of a stack")
    return described(
        figure_,
        "A call in a loop whose frame lies above, at and below the end of a stack",
        "Where a filled point lies far to the right of the open ones, each call at the end of the stack pays again; where they "
        "lie together, making room was paid once.",
    )


def subject(record):
    return record["strategy"] or record["peer"]
