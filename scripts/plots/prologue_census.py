"""The census of checks: how many functions have one, what share of code and of execution they are, what they miss."""

from matplotlib.ticker import MaxNLocator

from .results import cases, values
from .style import FAINT, INK, colour, described, errors, figure, folded, is_narrow, names, words

PANELS = (
    ("-functions", "functions with a check", 100, "%"),
    ("-text", "share of the code", 100, "%"),
    ("-executed", "share of executed instructions", 100, "%"),
    ("-misses", "instruction cache misses", 1, "×"),
)
FUNCTIONS, *_ = cases("prologue-census", *(suffix for suffix, *_ in PANELS))
(PROGRAMS,) = cases("prologue-census", "programs")
(KERNEL,) = values("prologue-census", "kernel")


def draw(results):
    ratios = {record.case: record for record in results.needed("prologue-census", metric="ratio")}
    programs = [
        case.removesuffix(FUNCTIONS)
        for case, record in ratios.items()
        if case.endswith(FUNCTIONS) and record["kind"] != KERNEL
    ]
    if not programs:
        return None
    # On a phone each panel names its rows, and has none that are empty.
    lists = [
        [program for program in programs if not is_narrow() or program + suffix in ratios] for suffix, *_ in PANELS
    ]
    counts = [len(rows) for rows in lists]
    heights = {"height_ratios": [count + 2 for count in counts]} if is_narrow() else {"sharey": True}
    whole, grid = figure(
        1.9 + 0.32 * len(programs), ncols=len(PANELS), rows=sum(counts) / len(counts), **heights
    )
    for axes, rows, (suffix, title, scale, unit) in zip(grid, lists, PANELS):
        for place, program in enumerate(rows):
            record = ratios.get(program + suffix)
            if not record:
                continue
            # A quotient has one as its zero.
            origin = 1 if unit == "×" else 0
            axes.barh(
                place,
                scale * record.median - origin,
                left=origin,
                height=0.66,
                xerr=errors([record], scale),
                error_kw={"ecolor": INK, "lw": 1},
                color=colour("checked"),
                edgecolor=INK,
                linewidth=0.4,
            )
            text = f"{scale * record.median:.3g} {unit}"
            end = max(scale * record.high, origin)
            axes.annotate(text, (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
        axes.set_title(title if is_narrow() else folded(title, 18), fontsize=10)
        axes.margins(x=0.42)
        if is_narrow() or axes is grid[0]:
            names(axes, [name(program) for program in rows])
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter(lambda value, _, unit=unit: f"{value:g} {unit}")
    for axes in grid[1:]:
        axes.grid(axis="y", visible=False)
    grid[-1].set_xlabel("with checks, to without", fontsize=9, color=FAINT)
    return described(
        whole,
        "Prologue checks: how many, and how much of code and execution",
        "From left to right: how many functions have a check, how much of the code that is, how much of what runs, and how many "
        "misses of an instruction cache come with it.",
    )


def name(program):
    kind = program.removeprefix(f"{PROGRAMS}-")
    if program == PROGRAMS:
        return "all of them"
    return words(program) if kind == program else {"llvm": "all in C and Swift", "go": "all in Go"}.get(kind, kind)
