"""The frame of one function by the flags that Go's compiler is given."""

from .results import cases, figures
from .style import BLUE, described, figure, intervals, label, listed, size_text, words

(FUNCTION,) = cases("compile-flags", "main.work")
(SMALLEST,) = figures("compile-flags", "smallest frame of those, to the one without flags")
SERIES = {"frame": (BLUE, "o", True, "")}


def draw(results):
    records = results.needed("compile-flags", FUNCTION, metric="frame")
    if not records:
        return None
    # Older versions are in the records alone.
    records = [record for record in records if record["peer"] == records[-1]["peer"]]
    figure_, axes = figure(1.6 + 0.5 * len(records), rows=len(records))
    texts = [record["flags"] for record in records]
    intervals(axes, texts, [{"frame": record} for record in records], SERIES, "bytes")
    axes.set_xlim(left=0)
    label(axes, "bytes of the frame")
    frames = listed([f"{size_text(record.median)} with {text}" for record, text in zip(records, texts)])
    most = (results.claimed("compile-flags", SMALLEST) or (None, None))[1]
    due = f" Claimed is at most {most:g} times that without flags." if most else ""
    return described(figure_, "A frame by the compiler's flags", f"{words(records[0]['peer'])}: {frames}.{due}")
