"""What checks cost per program, over random layouts, beside no-ops of their length, other layouts and instructions."""

from matplotlib.ticker import MultipleLocator

from .results import cases, figures, values
from .style import FAINT, GREEN, INK, LINE, colour, errors, figure

PADDED, OTHER_LAYOUT, INSTRUCTIONS = cases("check-cost", "-padded", "-other-layout", "-instructions")
(PLAIN,) = values("check-cost", "plain")
# The suffix of a case, and how it is drawn: marker, colour, filled, name.
SERIES = (
    ("", "s", GREEN, True, "with checks"),
    (PADDED, "^", colour("padded"), True, "with no-ops of their length"),
    (OTHER_LAYOUT, "o", FAINT, False, "null control: the same code in another layout"),
)
PROGRAMS, KERNELS = cases("check-cost", "programs", "kernels")
MEANS = {PROGRAMS: "mean of real programs", KERNELS: "mean of kernels"}
GROUPS = {"foreign": "C by others", "own": "Swift", "kernel": "kernel"}
_, _, KERNEL = values("check-cost", *GROUPS)
(GAIN,) = figures("check-cost", "gain on real programs")


def draw(results):
    records = {
        record.case: record
        for record in results.needed("check-cost", metric="ratio")
        if record["baseline"] == PLAIN
    }
    programs = [case for case in records if records[case]["kind"] and f"{case}{PADDED}" in records]
    if not programs:
        return None
    programs.sort(key=lambda case: list(GROUPS).index(records[case]["kind"]))
    real = [case for case in programs if records[case]["kind"] != KERNEL]
    kernels = [case for case in programs if records[case]["kind"] == KERNEL]
    rows = (
        real
        + [case for case in (PROGRAMS,) if case in records]
        + kernels
        + [case for case in (KERNELS,) if case in records]
    )
    figure_, axes = figure(9.4, 2.0 + 0.44 * len(rows))
    claim(axes, results)
    axes.axvline(0, color=INK, linewidth=1)
    for place, case in enumerate(rows):
        if case in MEANS:
            axes.axhspan(place - 0.5, place + 0.5, color="#F1F3F5", zorder=0)
        for offset, (suffix, marker, shade, is_filled, _) in zip((-0.22, 0, 0.22), SERIES):
            record = records.get(case + suffix)
            if record:
                axes.errorbar(
                    100 * (record.median - 1),
                    place + offset,
                    xerr=errors([record], 100),
                    color=shade,
                    marker=marker,
                    markerfacecolor=shade if is_filled else "white",
                    markersize=6.5 if case in MEANS else 5,
                )
        counted = records.get(f"{case}{INSTRUCTIONS}")
        if counted:
            axes.plot(100 * (counted.median - 1), place - 0.22, color=INK, marker="x", markersize=6, linestyle="")
    for _, marker, shade, is_filled, name in SERIES:
        axes.plot(
            [],
            [],
            color=shade,
            marker=marker,
            markerfacecolor=shade if is_filled else "white",
            linestyle="",
            label=name,
        )
    axes.plot([], [], color=INK, marker="x", linestyle="", label="executed instructions, counted")
    figure_.legend(loc="outside lower center", ncols=2, fontsize=9)
    axes.set_yticks(
        range(len(rows)), [MEANS.get(case) or f"{case} ({GROUPS[records[case]['kind']]})" for case in rows]
    )
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MultipleLocator(2))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    layouts = records[programs[0]]["layouts"]
    axes.set_xlabel(f"change of time against code without checks, over {layouts} random layouts, 95 % intervals")
    axes.set_title("What prologue checks cost", pad=20)
    return figure_


def claim(axes, results):
    """The claimed gain g of removing checks, as what checks cost: g / (1 - g)."""
    verdict = results.verdict("check-cost")
    for claimed in verdict["claimed"] if verdict else []:
        if claimed["name"] != GAIN:
            continue
        low, high = (100 * claimed[end] / (1 - claimed[end]) for end in ("low", "high"))
        axes.axvspan(low, high, color=LINE, alpha=0.7, zorder=0)
        axes.annotate(
            "claimed",
            ((low + high) / 2, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
            color=FAINT,
        )
