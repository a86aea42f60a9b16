"""What moving a stack costs against its live bytes: by each mover, and in Go."""

from .results import values
from .style import INK, count_text, curve, described, figure, is_narrow, key, label, listed, size_axis, size_text, ticks, words

FILLINGS = {"few": ("-", "few pointers"), "many": (":", "many pointers")}
FEW, _ = values("move-cost", *FILLINGS)


def rises(records, subjects):
    """How much longer a move takes of the largest stack than of the smallest, with few pointers."""
    sizes = [record["size"] for record in records]
    times = {
        (record["mover"] or record["peer"], record["size"]): record.median
        for record in records
        if record["filling"] == FEW
    }
    low, high = min(sizes), max(sizes)
    said = [
        f"{words(name)} {count_text(times[name, high] / times[name, low])} times as long"
        for name in subjects
        if (name, low) in times and (name, high) in times
    ]
    return f"A move of {size_text(high)} against one of {size_text(low)}: {listed(said)}." if said else ""


def drawn(results, claim, title, said):
    """Moves by size; `said` ends the caption."""
    values(claim, *FILLINGS)
    records = results.needed(claim, metric="time")
    if not records:
        return None
    figure_, axes = figure(5.6 if is_narrow() else 5.0)
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
    for filling, (style, text) in FILLINGS.items():
        if any(record["filling"] == filling for record in records):
            axes.plot([], [], color=INK, linestyle=style, label=text)
    size_axis(axes, [record["size"] for record in records])
    axes.set_yscale("log")
    ticks(axes.yaxis, "ns")
    label(axes, "live bytes of the stack", "time of one move, with 95 % intervals")
    key(figure_, columns=3)
    axes.set_title(title)
    return described(
        figure_,
        f"{title} against its live bytes",
        f"{rises(records, subjects)}{said}",
    )


def draw(results):
    return drawn(results, "move-cost", "What moving a stack costs", "")
