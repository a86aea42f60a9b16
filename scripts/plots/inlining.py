"""Check cost against the size of functions, and against how much the compiler inlines."""

from .results import cases, values
from .style import FAINT, INK, colour, curve, described, errors, figure, is_narrow, label

SETTINGS = {"off": "not at all", "standard": "as usual", "aggressive": "four times\nthe threshold"}
values("inlining", *SETTINGS)
(PLAIN,) = values("inlining", "plain")
PROGRAMS, PADDED, OTHER_LAYOUT, INSTRUCTIONS = cases("inlining", "programs", "-padded", "-other-layout", "-instructions")


def draw(results):
    ratios = results.needed("inlining", metric="ratio")
    sizes = [record for record in ratios if record["instructions"] and not record.is_null_control]
    checked = [record for record in sizes if "-" not in record.case]
    if not checked:
        return None
    whole, (left, right) = figure(5.2, ncols=2, width_ratios=(3, 2))
    for records, name, text in (
        ([record for record in checked if record["baseline"] == PLAIN], "checked", "with checks"),
        ([record for record in sizes if record.case.endswith(PADDED)], "padded", "with no-ops of their length"),
    ):
        curve(left, records, lambda record: record["instructions"], name, label=text)
    controls = [record for record in ratios if record["instructions"] and record.case.endswith(OTHER_LAYOUT)]
    # Beside the others, so that the intervals do not cover each other.
    curve(
        left,
        controls,
        lambda record: 1.07 * record["instructions"],
        "null",
        label="the same code in another layout",
        color=FAINT,
        marker="o",
        markerfacecolor="white",
        linestyle=":",
    )
    left.axhline(1, color=INK, linewidth=1)
    left.set_xscale("log")
    left.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    label(left, "instructions of work in a call", "time against code without checks")
    left.yaxis.set_major_formatter(lambda value, _: f"{100 * (value - 1):+.0f} %" if round(value, 6) != 1 else "0")
    left.legend(fontsize=9)
    left.set_title("Size of the function")
    inlined(right, [record for record in ratios if record["inlining"] and record["baseline"] == PLAIN])
    return described(
        whole,
        "Check cost against the size of functions and against inlining",
        "On the left, what a check adds to functions of growing size, beside what another layout of the same code adds. On the "
        "right the square is the time of all programs, and each cross one program's executed instructions.",
    )


def inlined(axes, records):
    """Times of all programs and the instructions that each executes, by setting."""
    names = sorted({record.case for record in records if record.case.endswith(INSTRUCTIONS)})
    for place, setting in enumerate(SETTINGS):
        here = {record.case: record for record in records if record["inlining"] == setting}
        if PROGRAMS in here:
            axes.errorbar(
                place,
                100 * (here[PROGRAMS].median - 1),
                yerr=errors([here[PROGRAMS]], 100),
                color=colour("checked"),
                marker="s",
                markersize=7,
            )
    labels = []
    for name in names:
        points = [
            (place, 100 * (record.median - 1))
            for place, setting in enumerate(SETTINGS)
            for record in records
            if record.case == name and record["inlining"] == setting
        ]
        axes.plot(*zip(*points), color=INK if name.startswith(PROGRAMS) else FAINT, marker="x", linewidth=0.8)
        text = "mean" if name.startswith(PROGRAMS) else name.removesuffix(INSTRUCTIONS)
        labels.append((points[-1], text))
    # Names of neighbours one below the other, a line apart.
    places = []
    for (x, y), text in sorted(labels, key=lambda entry: entry[0][1]):
        places.append(max(y, places[-1] + 0.045 * (axes.get_ylim()[1] - axes.get_ylim()[0])) if places else y)
        axes.annotate(text, (x, places[-1]), xytext=(6, -3), textcoords="offset points", fontsize=8.5)
    axes.plot([], [], color=colour("checked"), marker="s", linestyle="", label="time, mean of programs")
    axes.plot([], [], color=INK, marker="x", linewidth=0.8, label="executed instructions")
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_xticks(range(len(SETTINGS)), list(SETTINGS.values()))
    axes.set_xlim(-0.4, len(SETTINGS) - (0.2 if is_narrow() else 0.1))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+.0f} %" if value else "0")
    label(axes, "what the compiler inlines", "more than without checks")
    axes.legend(fontsize=9, loc="upper right")
    axes.set_title("Inlining")
