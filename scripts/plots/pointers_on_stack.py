"""Where addresses of goroutines' stacks are found, by what holds them."""

from .results import metrics, values
from .style import BLUE, FAINT, GREEN, ORANGE, VERMILION, bars, described, figure, label, words

(WORDS,) = metrics("pointers-on-stack", "words")
OWN, RECORD, BOOKKEEPING, STALE, UNDECIDED = values(
    "pointers-on-stack", "own", "record", "bookkeeping", "stale", "undecided"
)
COLOURS = {OWN: GREEN, RECORD: VERMILION, BOOKKEEPING: BLUE, STALE: FAINT, UNDECIDED: ORANGE}


def draw(results):
    records = results.needed("pointers-on-stack", metric=WORDS)
    if not records:
        return None
    # Older versions are in the records alone.
    records = [record for record in records if record["peer"] == records[-1]["peer"]]
    # Of each place the first is the sum, and the others what it consists of.
    sums = list({record["place"]: record for record in reversed(records)}.values())[::-1]
    figure_, axes = figure(1.5 + 0.45 * len(sums), rows=len(sums))
    bars(axes, [record.case for record in sums], sums, "count", [COLOURS[record["place"]] for record in sums])
    label(axes, "words that hold an address of a goroutine's stack, with 95\u00a0% intervals")
    parts = [f"{record.case} {record.median:,.0f}" for record in records if record["place"] == RECORD and record not in sums]
    return described(
        figure_,
        "Where the addresses of stacks are",
        f"{words(records[0]['peer'])}, {records[0]['goroutines']} goroutines that wait. Records of the runtime are the exceptions that "
        f"copying a stack must know: {', '.join(parts)}.",
    )
