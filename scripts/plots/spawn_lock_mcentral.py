"""Waits for the lock of mcentral while goroutines are started: how many, and how long one takes."""

from .results import cases, figures, values
from .style import BLUE, VERMILION, described, figure, intervals, is_narrow, key, label

WAITS, WAIT = {"waits": (BLUE, "o", True, "")}, {"wait": (VERMILION, "D", True, "")}


def drawn(results, claim, lock, storm):
    """The lock and that of the pool of stacks, in each storm; one storm decides."""
    locks = values(claim, lock, "stackpool")
    cases(claim, storm)
    (claimed_figure,) = figures(claim, f"wait for the lock of {lock}")
    found = results.needed(claim, metric="waits-for-lock")
    if not found:
        return None
    waits = [record for lock in locks for record in found if record["lock"] == lock]
    times = {(record.case, record["lock"]): record for record in results.select(claim, metric="wait-for-lock")}
    texts = [f"{record['lock']}, stacks of {record.case}" for record in waits]
    whole, (left, right) = figure(1.9 + 0.36 * len(waits), ncols=2, rows=len(waits), width_ratios=(1, 1))
    intervals(left, texts, [{"waits": record} for record in waits], WAITS, "count")
    left.set_title("How many wait")
    label(left, "waits of 1,000 goroutines")
    # What never waited has no time.
    own = [times.get((record.case, record["lock"])) for record in waits]
    ends = results.claimed(claim, claimed_figure)
    claimed = {
        place: [ends] for place, record in enumerate(waits) if ends and record["lock"] == lock and record.case == storm
    }
    intervals(
        right, texts if is_narrow() else [""] * len(texts), [{"wait": record} if record else {} for record in own], WAIT, "ns",
        claimed, log=True,
    )
    right.set_title("How long one waits")
    label(right, "time of a wait, with 95 % intervals")
    key(whole, axes=right)
    return described(
        whole,
        f"Waits for the lock of {lock} while goroutines are started",
        f"What is claimed is compared with stacks of {storm}. Where nothing waited there is no time of a wait.",
    )


def draw(results):
    return drawn(results, "spawn-lock-mcentral", "mcentral", "2 KB")
