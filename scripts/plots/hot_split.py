"""A call in a loop whose frame lies above, at and below the boundary of a stack's memory, per strategy and peer."""

from .results import values
from .style import INK, figure, look, ticks, time_text

POSITIONS = _, AT, _ = values("hot-split", "above", "at", "below")


def draw(results):
    records = results.needed("hot-split", metric="time")
    subjects = list(dict.fromkeys(subject(record) for record in records))
    if not subjects:
        return None
    figure_, axes = figure(8.8, 1.9 + 0.36 * len(subjects))
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
    axes.set_yticks(range(len(subjects)), subjects)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xscale("log")
    axes.margins(x=0.13)
    ticks(axes.xaxis, "ns")
    axes.set_xlabel("time per call, with 95 % intervals; the number is that at the boundary")
    for marker, name in (("o", "at the boundary"), ("v", "above it"), ("^", "below it")):
        axes.plot(
            [],
            [],
            color=INK,
            marker=marker,
            markerfacecolor=INK if marker == "o" else "white",
            linestyle="",
            label=name,
        )
    axes.legend(loc="upper right", fontsize=9)
    axes.set_title("A call in a loop at the boundary of a stack")
    return figure_


def subject(record):
    return record["strategy"] or record["peer"]
