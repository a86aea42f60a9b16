"""What checks cost per program, over random layouts, beside no-ops of their length, other layouts and instructions."""

from matplotlib.ticker import MultipleLocator

from .results import cases, figures, values
from .style import FAINT, GREEN, INK, LINE, colour, described, errors, figure, is_narrow, key, label, names

PADDED, INSTRUCTIONS = cases("check-cost", "-padded", "-instructions")
EQUAL, AGAIN = cases("check-cost", "-equal", "-again")
(PLAIN,) = values("check-cost", "plain")
# The suffix of a case, and how it is drawn: marker, colour, filled, name.
SERIES = (
    ("", "s", GREEN, True, "with checks"),
    (PADDED, "^", colour("padded"), True, "with no-ops of their length"),
    (AGAIN, "o", FAINT, False, "the same program against itself"),
)
# A kind of program: what it is called, the case of its mean, and what that is called. Never a mean over several.
GROUPS = {
    "go": ("Go", "go", "mean of the newest Go"),
    "foreign": ("C by others", "c", "mean of C"),
    "own": ("Swift", "swift", "mean of Swift"),
    "go-kernel": ("kernel in Go", "go-kernels", "mean of kernels in Go"),
    "kernel": ("kernel in C", "kernels", "mean of kernels in C"),
}
values("check-cost", *GROUPS)
MEANS = dict(zip(cases("check-cost", *(mean for _, mean, _ in GROUPS.values())), (text for *_, text in GROUPS.values())))
(GAIN,) = figures("check-cost", "gain on real programs")


def draw(results):
    # The null control of programs in Go is of the original.
    records = {
        record.case: record
        for record in results.needed("check-cost", metric="ratio")
        if record["baseline"] == PLAIN or record.case.endswith(AGAIN)
    }
    rows = []
    for kind, (_, mean, _) in GROUPS.items():
        own = [case for case in records if records[case]["kind"] == kind and f"{case}{AGAIN}" in records]
        rows += own + [case for case in (mean,) if own and case in records]
    if not rows:
        return None
    figure_, axes = figure(2.0 + 0.44 * len(rows), rows=len(rows))
    claim(axes, results)
    axes.axvline(0, color=INK, linewidth=1)
    for place, case in enumerate(rows):
        if case in MEANS:
            axes.axhspan(place - 0.5, place + 0.5, color="#F1F3F5", zorder=0)
        for offset, (suffix, marker, shade, is_filled, _) in zip((-0.22, 0, 0.22), SERIES):
            # Of Go the copy with equal checks stands for the program: its stacks are those of the copy without.
            record = records.get(case + EQUAL if suffix == "" and case + EQUAL in records else case + suffix)
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
    key(figure_)
    names(axes, [MEANS.get(case) or f"{case} ({GROUPS[records[case]['kind']][0]})" for case in rows])
    axes.xaxis.set_major_locator(MultipleLocator(4 if is_narrow() else 2))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    label(axes, "change of time against code without checks, over random layouts, 95 % intervals")
    axes.set_title("What prologue checks cost", pad=20)
    return described(
        figure_,
        "What prologue checks cost in each program",
        "Squares are time, crosses executed instructions. A square that lies where circles lie is a difference that the "
        "same program shows against itself. Grey is what was claimed; each mean stands below its programs.",
    )


def claim(axes, results):
    """The claimed gain g of removing checks, as what checks cost: g / (1 - g)."""
    claimed = results.claimed("check-cost", GAIN)
    if not claimed:
        return
    low, high = (100 * end / (1 - end) for end in claimed)
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
