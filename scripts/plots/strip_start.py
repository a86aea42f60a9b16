"""How long programs take to start by how they were linked, against the usual way."""

from .results import cases, figures
from .style import BLUE, described, figure, key, label, ratios, told, words

STRIPPED, INDEPENDENT = cases("strip-start", "-s -w", "position-independent")
NAMES = {STRIPPED: "stripped", INDEPENDENT: "position-independent"}
(CLAIMED,) = figures("strip-start", "start of a stripped program, against one that is not")
SERIES = {"start": (BLUE, "o", True, "")}


def draw(results):
    records = results.needed("strip-start", metric="ratio")
    if not records:
        return None
    texts = [
        f"{NAMES[record.case]}, file {'dropped from memory' if record['cold'] else 'in memory'}" for record in records
    ]
    ends = results.claimed("strip-start", CLAIMED)
    # The claim is about a program that has been started before.
    claimed = {
        place: [ends] for place, record in enumerate(records) if ends and record.case == STRIPPED and not record["cold"]
    }
    figure_, axes = figure(1.9 + 0.42 * len(records), rows=len(records))
    ratios(axes, texts, [{"start": record} for record in records], SERIES, claimed)
    key(figure_)
    label(axes, "time from start to end against a program that is linked as usual, with 95 % intervals")
    return described(
        figure_,
        "Starting a program by how it was linked",
        f"{words(records[0]['peer'])}, against the usual way. {told(dict(zip(texts, records)), 'longer:', 'shorter:')}",
    )
