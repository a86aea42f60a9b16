"""How long a collection pauses beside a goroutine that iterates a map, without Go's checks and with some of them."""

from .results import figures, values
from .style import BLUE, FAINT, described, figure, intervals, key, label, ratio_text, words

PAUSE, MAPS = values("preemption", "pause", "maps")
VARIANTS = values("preemption", "no checks", "checks in the runtime only", "probes")
NAMES = dict(zip(VARIANTS, ("no checks", "the runtime's checks", "the runtime's checks, probes elsewhere")))
(CLAIMED,) = figures("preemption", "pause of a collection without checks")
SERIES = {"newest": (BLUE, "o", True, "newest Go"), "older": (FAINT, "o", False, "older Go")}


def draw(results):
    records = [
        record for record in results.needed("preemption", metric="ratio")
        if record["operation"] == PAUSE and record["work"] == MAPS and record["variant"] in VARIANTS
    ]
    if not records:
        return None
    version = lambda record: tuple(int(part) for part in record["peer"].removeprefix("go").split("."))
    newest = max(map(version, records))
    records.sort(key=lambda record: ([-part for part in version(record)], VARIANTS.index(record["variant"])))
    texts = [
        f"{words(record['peer'])}, {NAMES[record['variant']]}{' (at least)' if record['at-least'] else ''}"
        for record in records
    ]
    rows = [{"newest" if version(record) == newest else "older": record} for record in records]
    ends = results.claimed("preemption", CLAIMED)
    claimed = {0: [ends]} if ends and records[0]["variant"] == VARIANTS[0] else {}
    figure_, axes = figure(1.9 + 0.42 * len(rows), rows=len(rows))
    intervals(axes, texts, rows, SERIES, "ratio", claimed, log=True)
    axes.axvline(1, color=FAINT, linewidth=1)
    key(figure_)
    label(axes, "pause of a collection against the program with all its checks, with 95 % intervals")
    said = ", ".join(
        f"{NAMES[record['variant']]} {'at least ' if record['at-least'] else ''}{ratio_text(record.median)}"
        for record in records if version(record) == newest
    )
    return described(
        figure_, "The pause of a collection beside a goroutine that iterates a map",
        f"{words(records[0]['peer'])}, against all checks: {said}.",
    )
