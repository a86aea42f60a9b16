"""How many stacks of 8 MiB each kind of guard allows, and what each costs in page tables."""

from .style import FAINT, INK, bars, colour, count_text, figure, linear_ticks, size_text


def draw(results):
    stacks = [record for record in results.needed("address-space", metric="stacks") if record["guard"]]
    if not stacks:
        return None
    whole, (left, right) = figure(10.5, 1.5 + 0.62 * len(stacks), ncols=2, width_ratios=(3, 2))
    names = [f"{record.case}\n{count_text(record['asked'])} asked for" for record in stacks]
    colours = [colour(record.case) for record in stacks]
    bars(left, names, stacks, "count", colours)
    limit = stacks[0]["max-map-count"]
    if limit:
        left.axvline(limit / 2, color=INK, linestyle="--", linewidth=1)
        left.annotate(
            f"vm.max_map_count / 2 = {limit // 2:,}",
            (limit / 2, -0.5),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=8.5,
            color=FAINT,
        )
    left.set_xlabel("stacks of 8 MiB")
    left.set_title("Stacks before the kernel refuses", pad=18)
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
    right.set_yticks(range(len(stacks)), [""] * len(stacks))
    right.invert_yaxis()
    right.grid(axis="y", visible=False)
    right.margins(x=0.2)
    linear_ticks(right.xaxis, "bytes")
    right.set_xlabel("per stack: resident (solid) and page tables (hatched)")
    right.set_title("What a touched one takes", pad=18)
    whole.caption = "Stacks of 8 MiB: how many each kind of guard allows, and what each takes"
    return whole
