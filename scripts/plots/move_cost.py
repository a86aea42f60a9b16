"""What moving a stack costs against its live bytes: by each mover, and in Go; with few and with many pointers."""

from .results import values
from .style import INK, curve, figure, size_axis, ticks

FILLINGS = {"few": ("-", "few pointers"), "many": (":", "many pointers")}
FEW, _ = values("move-cost", *FILLINGS)


def draw(results):
    records = results.needed("move-cost", metric="time")
    if not records:
        return None
    figure_, axes = figure(8.8, 5.4)
    subjects = list(dict.fromkeys(record["mover"] or record["peer"] for record in records))
    versions = [name for name in subjects if name.startswith("go")]
    for name in subjects:
        for filling, (style, _) in FILLINGS.items():
            own = [
                record
                for record in records
                if name in (record["mover"], record["peer"]) and record["filling"] == filling
            ]
            options = {"linestyle": style, "label": name if filling == FEW else "_nolegend_"}
            # Versions of one peer have its colour; the newest is the darkest.
            if name in versions[:-1]:
                options["color"] = "#A5A5A5"
            if own:
                curve(axes, own, lambda record: record["size"], name, **options)
    for style, label in FILLINGS.values():
        axes.plot([], [], color=INK, linestyle=style, label=label)
    size_axis(axes, [record["size"] for record in records])
    axes.set_yscale("log")
    ticks(axes.yaxis, "ns")
    axes.set_xlabel("live bytes of the stack")
    axes.set_ylabel("time of one move, with 95 % intervals")
    axes.legend(loc="upper left", fontsize=9)
    axes.set_title("What moving a stack costs")
    return figure_
