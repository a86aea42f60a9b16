"""Descents of stacks that went down and came up before: against a stack that had the room, and the first one."""

from .results import cases, figures
from .style import INK, described, figure, is_narrow, key, label, ratios, told, words

FIRST, LATER = cases("shrink-free", "first", "later")
(AGAIN,) = figures("shrink-free", "a later descent of a goroutine against one that had room")
SERIES = {"descent": (INK, "o", True, "")}


def draw(results):
    again = results.needed("shrink-free", LATER, "ratio")
    if not again:
        return None
    subjects = [record["strategy"] or record["peer"] for record in again]
    firsts = [results.beside(record, "ratio", "strategy", "peer", case=FIRST) for record in again]
    whole, (left, right) = figure(1.9 + 0.42 * len(again), ncols=2, rows=len(again), width_ratios=(1, 1))
    texts = [words(subject) for subject in subjects]
    # The claim is about goroutines.
    ends = results.claimed("shrink-free", AGAIN)
    claimed = {place: [ends] for place, record in enumerate(again) if ends and not record["strategy"]}
    ratios(left, texts, [{"descent": record} for record in again], SERIES, claimed)
    left.set_title("A later descent")
    label(left, "time against one that had the room")
    ratios(right, texts if is_narrow() else [""] * len(texts), [{"descent": record} for record in firsts], SERIES)
    right.set_title("The first descent")
    label(right, "time against a later one")
    key(whole, axes=left)
    return described(
        whole,
        "What a descent takes that was made before",
        f"A later descent against a stack that had the room. {told(dict(zip(texts, again)), 'longer:', 'shorter:')} The first "
        f"against a later one. {told(dict(zip(texts, firsts)), 'longer:', 'shorter:')}",
    )
