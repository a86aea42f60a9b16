"""What checks cost indirect calls beyond calls by name, in time for each call."""

from .results import cases, metrics
from .style import FAINT, GREEN, INK, described, figure, intervals, key, label

KINDS = {
    "direct": "by name", "closure": "by a closure", "interface": "by an interface", "name": "by name in C",
    "pointer": "by a pointer in C",
}
# By whether it is a null control.
SERIES = {
    False: (GREEN, "s", True, "with checks"),
    True: (FAINT, "o", False, "the same program against itself"),
}


def drawn(results, claim, compared, title):
    """What checks cost each chain, and by how much more; `compared` names a comparison. The mean decides."""
    cases(claim, *KINDS)
    deep_chains, mean = cases(claim, "deep chains", "mean of Go's kinds")
    per_call, further = metrics(claim, "checks-per-call", "further-per-call")
    records = results.needed(claim, metric=per_call)
    if not records:
        return None
    rows, differences = {}, set()
    for record in records:
        text = f"{KINDS[record.case]} in chains of {record['depth']:,}"
        rows.setdefault(text, {})[record.is_null_control] = record
    further = results.select(claim, metric=further)
    for record in [one for one in further if one.case != mean] + [one for one in further if one.case == mean]:
        if record.case == mean:
            text = "mean of these in Go, which decides"
        elif record.case == deep_chains:
            text = f"{KINDS[record['kind']]}, {compared}"
        else:
            text = f"{KINDS[record.case]} {compared}, chains of {record['depth']:,}"
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
        title,
        f"The time that checks add to one call, and in grey rows by how much that is more: {compared}. Open points are the "
        "same program against itself.",
    )


def draw(results):
    return drawn(results, "indirect-calls", "beyond by name", "What checks cost calls that cannot be inlined")
