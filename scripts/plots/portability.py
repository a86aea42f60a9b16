"""The hazards of growing by traps, by kind, and what became of the tests that show them to be mastered."""

from .results import values
from .style import FAINT, GREEN, INK, VERMILION, figure

OUTCOMES = {
    "passed": (GREEN, None),
    "failed": (VERMILION, None),
    "not run": ("#C9D0D6", "////"),
    "no test": ("white", None),
}
values("portability", *OUTCOMES)


def draw(results):
    records = results.needed("portability", metric="tested")
    sections = list(dict.fromkeys(record["section"] for record in records))
    if not sections:
        return None
    figure_, axes = figure(8.8, 1.8 + 0.42 * len(sections))
    for place, section in enumerate(sections):
        left = 0
        for outcome, (shade, hatch) in OUTCOMES.items():
            count = sum(record["section"] == section and record["outcome"] == outcome for record in records)
            if count:
                axes.barh(
                    place, count, left=left, height=0.66, color=shade, hatch=hatch, edgecolor=INK, linewidth=0.5
                )
                axes.annotate(
                    str(count),
                    (left + count / 2, place),
                    ha="center",
                    va="center",
                    fontsize=9,
                    bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
                )
            left += count
    for outcome, (shade, hatch) in OUTCOMES.items():
        axes.barh(0, 0, color=shade, hatch=hatch, edgecolor=INK, linewidth=0.5, label=outcome)
    figure_.legend(loc="outside lower center", ncols=len(OUTCOMES), fontsize=9)
    axes.set_yticks(range(len(sections)), sections)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(f"hazards, and the outcome of their tests on {records[0]['processor']}", color=FAINT)
    axes.set_title("What growing by traps must get right")
    return figure_
