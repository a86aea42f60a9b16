"""How many of a server's goroutines need no more stack than some bytes."""

from .results import figures
from .style import BLUE, described, figure, intervals, key, label, listed, share_text, words

BOUNDS = (128, 512, 2048)
SHARES = dict(
    zip(BOUNDS, figures("short-goroutines", *(f"share of goroutines that used at most {bound} bytes of their stacks" for bound in BOUNDS)))
)
SERIES = {"share": (BLUE, "o", True, "")}


def draw(results):
    records = results.needed("short-goroutines", metric="ratio")
    if not records:
        return None
    claimed = {
        place: [ends]
        for place, record in enumerate(records)
        if (ends := results.claimed("short-goroutines", SHARES[record["bytes"]]))
    }
    texts = [f"at most {record['bytes']:,} bytes" for record in records]
    figure_, axes = figure(1.8 + 0.5 * len(records), rows=len(records))
    intervals(axes, texts, [{"share": record} for record in records], SERIES, "share", claimed)
    axes.set_xlim(left=0)
    key(figure_)
    label(axes, "share of the goroutines that ended, with 95 % intervals")
    shares = listed([f"{share_text(record.median)} used {text}" for record, text in zip(records, texts)])
    return described(
        figure_, "How deep the goroutines of a server and its clients go", f"{words(records[0]['peer'])}: {shares}."
    )
