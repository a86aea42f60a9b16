"""What Go's growth by faults of probes takes, against its own checks: times and memory, per version."""

from .results import cases
from .style import GREEN, VERMILION, described, figure, key, label, ratios, told, words

WORK = {
    "start": "starting a goroutine after another",
    "start of a crowd": "starting many that live at once",
    "start of a crowd again": "starting as many again",
    "start of a crowd, collected": "the same after collections",
    "first descent": "a first descent of 32 KiB",
    "waiting": "memory of one that waits",
    "waiting, once deep": "memory of one that was deep once",
}
cases("fault-growth", *WORK)
PROBES, EQUAL = cases("fault-growth", ", probes", ", equal checks")
# In programs with equal checks the stacks are those of programs with probes, and the checks are Go's own.
SERIES = {
    PROBES: (VERMILION, "D", True, "with probes that fault"),
    EQUAL: (GREEN, "s", False, "with checks, on the same stacks"),
}


def draw(results):
    records = results.needed("fault-growth", metric="ratio")
    if not records:
        return None
    versions = list(dict.fromkeys(record["peer"] for record in records))
    rows = {}
    for case, work in WORK.items():
        for version in versions:
            own = {record.case: record for record in records if record["peer"] == version}
            rows[f"{work}, {words(version)}"] = {kind: own[case + kind] for kind in SERIES if case + kind in own}
    figure_, axes = figure(1.9 + 0.44 * len(rows), rows=len(rows))
    ratios(axes, list(rows), list(rows.values()), SERIES)
    key(figure_)
    label(axes, "time or memory against the program as it is, with 95 % intervals")
    newest = words(versions[-1])
    own = {record.case: record for record in records if record["peer"] == versions[-1]}
    probes = {work: own[case + PROBES] for case, work in WORK.items() if case + PROBES in own}
    return described(
        figure_,
        "Go's own growth started by a fault, against growth by its checks",
        f"{newest} with probes against itself as it is. {told(probes, 'more for', 'less for')} What both points share is what "
        "the stacks of those programs take, not the fault.",
    )
