"""What checks cost calls that are not inlined, in time for each call, by the kind of call and the length of the chain."""

from .results import cases, metrics
from .style import FAINT, GREEN, INK, described, figure, intervals, key, label

DIRECT, CLOSURE, INTERFACE, NAME, POINTER = cases(
    "indirect-calls", "direct", "closure", "interface", "name", "pointer")
KINDS = {
    DIRECT: "by name", CLOSURE: "by a closure", INTERFACE: "by an interface", NAME: "by name in C",
    POINTER: "by a pointer in C",
}
(DEEP_CHAINS,) = cases("indirect-calls", "deep chains")
PER_CALL, FURTHER = metrics("indirect-calls", "checks-per-call", "further-per-call")
# By whether it is a null control.
SERIES = {
    False: (GREEN, "s", True, "with checks"),
    True: (FAINT, "o", False, "the same program against itself"),
}


def draw(results):
    records = results.needed("indirect-calls", metric=PER_CALL)
    if not records:
        return None
    rows, differences = {}, set()
    for record in records:
        text = f"{KINDS[record.case]} in chains of {record['depth']:,}"
        rows.setdefault(text, {})[record.is_null_control] = record
    for record in results.select("indirect-calls", metric=FURTHER):
        if record.case == DEEP_CHAINS:
            text = f"{KINDS[record['kind']]}, long chains beyond short ones"
        else:
            text = f"{KINDS[record.case]} beyond by name, chains of {record['depth']:,}"
        differences.add(text)
        rows.setdefault(text, {})[record.is_null_control] = record
    figure_, axes = figure(1.9 + 0.44 * len(rows), rows=len(rows))
    for place, text in enumerate(rows):
        if text in differences:
            axes.axhspan(place - 0.5, place + 0.5, color="#F1F3F5", zorder=0)
    intervals(axes, list(rows), list(rows.values()), SERIES, "ns")
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    key(figure_)
    label(axes, "time that checks cost one call, with 95 % intervals")
    return described(
        figure_,
        "What checks cost calls that cannot be inlined",
        "The time that checks add to one call, and in grey rows by how much that differs between kinds of calls, and "
        "between long chains and short ones. Open points are "
        "the same program against itself.",
    )
