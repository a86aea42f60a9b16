"""What part of the memory that Go holds for stacks is no goroutine's, by version."""

from .results import cases, figures, values
from .style import BLUE, described, figure, intervals, key, label, listed, share_text, words

(WASTE,) = cases("stack-allocator", "waste")
(HELD,) = values("stack-allocator", "memory held for stacks")
CLAIMED = dict(
    zip(
        ("go1.22.", "go1.23."),
        figures("stack-allocator", *(f"share of stack memory that is no goroutine's, Go 1.{minor}" for minor in (22, 23))),
    )
)
SERIES = {"share": (BLUE, "o", True, "")}


def draw(results):
    records = results.needed("stack-allocator", WASTE, metric="ratio", baseline=HELD)
    if not records:
        return None
    claimed = {
        place: [ends]
        for place, record in enumerate(records)
        for minor, name in CLAIMED.items()
        if record["peer"].startswith(minor) and (ends := results.claimed("stack-allocator", name))
    }
    texts = [words(record["peer"]) for record in records]
    figure_, axes = figure(1.8 + 0.5 * len(records), rows=len(records))
    intervals(axes, texts, [{"share": record} for record in records], SERIES, "share", claimed)
    axes.set_xlim(left=0)
    key(figure_)
    label(axes, "share of the memory held for stacks that is no goroutine's, with 95 % intervals")
    shares = listed([f"{share_text(record.median)} in {text}" for record, text in zip(records, texts)])
    return described(figure_, "Stack memory that is no goroutine's", f"After three of four goroutines have ended: {shares}.")
