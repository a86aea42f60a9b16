"""How long a goroutine stands still beside collections, by the depth of its stack."""

from .results import figures
from .style import BLUE, FAINT, VERMILION, described, figure, intervals, is_narrow, key, label, listed, time_text, words

DEPTHS = (10, 100, 1_000, 10_000)
CLAIMED = dict(zip(DEPTHS, figures("gc-stack-scan", *(f"scan of {depth} frames" for depth in DEPTHS))))
SERIES = {
    "standstill": (BLUE, "o", True, "beside a collection"),
    "standstill-without": (FAINT, "o", False, "without one"),
}
SCAN = {"scan": (VERMILION, "D", True, "")}


def draw(results):
    records = results.needed("gc-stack-scan", "standstill", metric="standstill")
    if not records:
        return None
    depths = [record["depth"] for record in records]
    rows = [
        {"standstill": record, "standstill-without": results.beside(record, "standstill-without")} for record in records
    ]
    scans = {record["depth"]: record for record in results.needed("gc-stack-scan", metric="scan")}
    whole, (left, right) = figure(2.0 + 0.5 * len(rows), ncols=2, rows=len(rows), width_ratios=(1, 1))
    texts = [f"{depth:,} {'frame' if depth == 1 else 'frames'}" for depth in depths]
    intervals(left, texts, rows, SERIES, "ns", log=True)
    left.set_title("The longest standstill")
    label(left, "with 95 % intervals")
    ranges = {place: [ends] for place, depth in enumerate(depths) if (ends := claimed(results, depth))}
    beyond = [{"scan": scans[depth]} if depth in scans else {} for depth in depths]
    intervals(right, texts if is_narrow() else [""] * len(texts), beyond, SCAN, "ns", ranges)
    right.axvline(0, color=FAINT, linewidth=1)
    right.set_title("Beyond that of a flat stack")
    label(right, "that of the depth, less that of 1 frame")
    handles, labels = (sum(parts, []) for parts in zip(*(axes.get_legend_handles_labels() for axes in (left, right))))
    key(whole, handles, labels, columns=3)
    apart = [f"{depth:,} frames {time_text(record.median)}" for depth, record in scans.items() if record.low > 0]
    others = [f"with {depth} frames" for depth, record in scans.items() if record.low <= 0]
    return described(
        whole,
        "How long a goroutine stands still beside collections, by the depth of its stack",
        f"{words(records[0]['peer'])}. "
        + (f"Beyond a flat stack: {listed(apart)}. " if apart else "")
        + (f"Not told to be longer than with a flat stack: {listed(others)}." if others else ""),
    )


def claimed(results, depth):
    return results.claimed("gc-stack-scan", CLAIMED[depth]) if depth in CLAIMED else None
