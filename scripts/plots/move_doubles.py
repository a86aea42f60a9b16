"""How many times as large a goroutine's stack becomes when it grows, by version of Go."""

from .results import metrics
from .style import bars, colour, described, figure, label, words


def draw(results):
    (factor,) = metrics("move-doubles", "growth-factor")
    records = results.needed("move-doubles", metric=factor)
    if not records:
        return None
    figure_, axes = figure(1.7 + 0.42 * len(records), rows=len(records))
    texts = [words(record["peer"]) for record in records]
    bars(axes, texts, records, "count", [colour(record["peer"]) for record in records])
    label(axes, "live bytes of a stack that grows, to those at the growth before")
    said = "; ".join(f"{text} {record.median:.2f} times" for text, record in zip(texts, records))
    return described(figure_, "How large a moved stack becomes", f"Each growth makes a goroutine's stack larger: {said}.")
