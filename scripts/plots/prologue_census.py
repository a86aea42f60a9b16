"""The census of checks: how many functions have one, what share of code and of execution they are, what they miss."""

from .results import cases, values
from .style import FAINT, INK, colour, errors, figure

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
    whole, grid = figure(11.5, 1.9 + 0.32 * len(programs), ncols=len(PANELS), sharey=True)
    for axes, (suffix, title, scale, unit) in zip(grid, PANELS):
        for place, program in enumerate(programs):
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
        axes.set_title(title, fontsize=10)
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.25)
        axes.xaxis.set_major_formatter(lambda value, _, unit=unit: f"{value:g} {unit}")
    names = ["all of them" if program == PROGRAMS else program for program in programs]
    grid[0].set_yticks(range(len(programs)), names)
    grid[0].invert_yaxis()
    grid[-1].set_xlabel("with checks, to without", fontsize=9, color=FAINT)
    whole.caption = "Prologue checks: how many, and how much of code and execution"
    whole.suptitle(whole.caption, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return whole
