"""Waits for locks of Go's allocator while goroutines are started: how many, and how long one takes."""

from .results import figures, values
from .style import BLUE, VERMILION, described, figure, intervals, is_narrow, key, label, listed

LOCKS = values("spawn-locks", "mcentral", "mheap", "stackpool")
CLAIMED = dict(zip(LOCKS, figures("spawn-locks", *(f"wait for the lock of {lock}" for lock in LOCKS[:2]))))
WAITS, WAIT = {"waits": (BLUE, "o", True, "")}, {"wait": (VERMILION, "D", True, "")}


def draw(results):
    waits = results.needed("spawn-locks", metric="waits-for-lock")
    if not waits:
        return None
    waits = [record for lock in LOCKS for record in waits if record["lock"] == lock]
    times = {(record.case, record["lock"]): record for record in results.select("spawn-locks", metric="wait-for-lock")}
    texts = [f"{record['lock']}, stacks of {record.case}" for record in waits]
    whole, (left, right) = figure(1.9 + 0.36 * len(waits), ncols=2, rows=len(waits), width_ratios=(1, 1))
    intervals(left, texts, [{"waits": record} for record in waits], WAITS, "count")
    left.set_title("How many wait")
    label(left, "waits of 1,000 goroutines")
    # What never waited has no time.
    own = [times.get((record.case, record["lock"])) for record in waits]
    claimed = {
        place: [ends]
        for place, record in enumerate(waits)
        if record["lock"] in CLAIMED and (ends := results.claimed("spawn-locks", CLAIMED[record["lock"]]))
    }
    intervals(
        right, texts if is_narrow() else [""] * len(texts), [{"wait": record} if record else {} for record in own], WAIT, "ns",
        claimed, log=True,
    )
    right.set_title("How long one waits")
    label(right, "time of a wait, with 95 % intervals")
    key(whole, axes=right)
    never = [lock for lock in LOCKS if not any(record.median for record in waits if record["lock"] == lock)]
    most = max(waits, key=lambda record: record.median)
    said = f"Most waits are for {most['lock']}, with stacks of {most.case}" if most.median else "No goroutine waited"
    return described(
        whole,
        "Waits for the locks of Go's allocator while goroutines are started",
        f"{said}{f'; none is for {listed(never)}' if never and most.median else ''}. Where nothing waited there is no time of a wait.",
    )
