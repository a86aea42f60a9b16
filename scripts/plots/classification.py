"""The confusion matrix: what a fault was against what it was taken for."""

from matplotlib.patches import Rectangle

from .results import values
from .style import BLUE, INK, LINE, ORANGE, VERMILION, described, figure, is_narrow, label

# What it was, in which order; what it was taken for that is no error: an honest "ambiguous".
HONEST = values("classification", "ambiguous")


def draw(results):
    records = results.needed("classification", metric="faults")
    if not records:
        return None
    counts = {}
    for record in records:
        pair = (record["due"], record["verdict"])
        counts[pair] = counts.get(pair, 0) + record.median
    due = sorted({pair[0] for pair in counts})
    taken = due + sorted({pair[1] for pair in counts} - set(due))
    figure_, axes = figure(7.4 if is_narrow() else 1.6 + 0.42 * len(due))
    for row, true in enumerate(due):
        total = sum(count for pair, count in counts.items() if pair[0] == true)
        for column, verdict in enumerate(taken):
            count = counts.get((true, verdict), 0)
            if not count:
                continue
            shade = BLUE if true == verdict else ORANGE if verdict in HONEST else VERMILION
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=shade,
                    alpha=0.25 + 0.75 * count / total,
                    edgecolor="white",
                    zorder=1,
                )
            )
            axes.annotate(
                _number(count),
                (column, row),
                ha="center",
                va="center",
                fontsize=8.5,
                rotation=90 if is_narrow() else 0,
                color="white" if count / total > 0.55 else INK,
            )
    axes.set_xlim(-0.5, len(taken) - 0.5)
    axes.set_ylim(len(due) - 0.5, -0.5)
    axes.set_xticks(range(len(taken)), [kind.replace("-", " ") for kind in taken], rotation=90 if is_narrow() else 40, ha="center" if is_narrow() else "right")
    axes.set_yticks(range(len(due)), [kind.replace("-", " ") for kind in due])
    label(axes, "taken for (blue: right; orange: said to be ambiguous; red: something else)")
    axes.set_ylabel("what it was")
    axes.tick_params(length=0)
    axes.grid(color=LINE)
    total = _number(sum(counts.values()))
    axes.set_title(f"What {total} faults were taken for")
    return described(
        figure_,
        f"What each of {total} faults was, against what it was taken for",
        "Each row is a kind of fault, each column what it was taken for. The diagonal is right, orange is an honest "
        "ambiguous, and red a mistake: look for it in the row and in the column of growth.",
    )


def _number(count):
    return f"{count / 1e6:.2g} M" if count >= 1e6 else f"{count / 1e3:.0f} k" if count >= 1e4 else f"{count:,.0f}"
