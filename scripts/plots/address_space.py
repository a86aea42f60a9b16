"""How many stacks of 8 MiB each kind of guard allows, and what each costs in page tables."""

from .style import (
    FAINT, INK, bars, colour, count_text, described, figure, is_narrow, label, linear_ticks, names, sentence, size_text,
    words,
)


def draw(results):
    stacks = [record for record in results.needed("address-space", metric="stacks") if record["guard"]]
    if not stacks:
        return None
    whole, (left, right) = figure(1.5 + 0.62 * len(stacks), ncols=2, rows=len(stacks), width_ratios=(3, 2))
    texts = [f"{words(record.case)},\n{count_text(record['asked'])} asked for" for record in stacks]
    colours = [colour(record.case) for record in stacks]
    bars(left, texts, stacks, "count", colours)
    limit = stacks[0]["max-map-count"]
    if limit:
        left.axvline(limit / 2, color=INK, linestyle="--", linewidth=1)
        left.annotate(
            f"half of the mappings that the kernel allows: {limit // 2:,}",
            (limit / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=8.5,
            color=FAINT,
        )
    label(left, "stacks of 8 MiB")
    left.set_title("Stacks until the kernel refuses", pad=18)
    costs = [
        (
            record,
            results.beside(record, "page-tables", "asked"),
            results.beside(record, "resident", "asked"),
        )
        for record in stacks
    ]
    for place, (record, tables, resident) in enumerate(costs):
        if not record.median:
            continue
        data, table = resident.median / record.median, tables.median / record.median
        right.barh(place, data, height=0.68, color=colours[place], edgecolor=INK, linewidth=0.4)
        right.barh(
            place, table, left=data, height=0.68, color="white", edgecolor=colours[place], hatch="////", linewidth=0.8
        )
        right.annotate(
            size_text(data + table),
            (data + table, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    names(right, texts if is_narrow() else [""] * len(stacks))
    right.margins(x=0.3)
    linear_ticks(right.xaxis, "bytes")
    label(right, "resident (solid) and page tables (hatched)")
    right.set_title("What a touched one takes", pad=18)
    return described(
        whole,
        "Stacks of 8 MiB: how many each kind of guard allows, and what each takes",
        f"{sentence('; '.join(made(record) for record in stacks))} What each takes is memory that it touched and the page tables for it.",
    )


def made(record):
    """How many of those that were asked for were made."""
    asked = f"the {record['asked']:,} that were asked for"
    number = f"all of {asked}" if record.median >= record["asked"] else f"{record.median:,.0f} of {asked}"
    return f"with {words(record.case)} {number} were made"
