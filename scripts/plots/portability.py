"""The hazards of growing by traps, by kind, and what became of the tests that show them to be mastered."""

from .results import values
from .style import GREEN, INK, VERMILION, described, figure, key, label, names

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
    figure_, axes = figure(1.8 + 0.42 * len(sections), rows=len(sections))
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
    key(figure_, columns=len(OUTCOMES))
    names(axes, sections)
    axes.xaxis.get_major_locator().set_params(integer=True)
    label(axes, f"hazards, by what became of their tests on {records[0]['processor'].replace('_', '-')}")
    axes.set_title("What growing by faults must get right")
    return described(
        figure_,
        "The hazards of growing by faults, and what became of their tests",
        "Each hazard that depends on processor or system, by kind. White are those that no test can show.",
    )
