"""What checks do to the code of each program in Go: its size, the lines that a run touches, and what it misses."""

from .results import cases
from .style import BLUE, FAINT, GREEN, SKY, described, figure, key, label, ratio_text, ratios, words

PROGRAMS, SIZE, LINES, MISSES, OTHER = cases(
    "code-size", "programs", "-code-size", "-lines", "-misses", "-misses-other-layout"
)
# By what a case ends with.
SERIES = {
    MISSES: (GREEN, "s", True, "instruction cache misses, with checks to without"),
    OTHER: (FAINT, "o", False, "the same misses in another order of functions"),
    LINES: (SKY, "^", True, "lines of code that a run touches"),
    SIZE: (BLUE, "D", True, "size of the code"),
}


def draw(results):
    rows = {}
    for record in results.needed("code-size", metric="ratio"):
        for suffix in sorted(SERIES, key=len, reverse=True):
            if record.case.endswith(suffix):
                rows.setdefault(record.case.removesuffix(suffix), {})[suffix] = record
                break
    rows = {program: row for program, row in rows.items() if MISSES in row}
    if not rows:
        return None
    figure_, axes = figure(2.2 + 0.6 * len(rows), rows=len(rows))
    ratios(axes, [name(program) for program in rows], list(rows.values()), SERIES)
    key(figure_)
    label(axes, "with checks, to compiled without, with 95 % intervals")
    whole = rows.get(PROGRAMS, {})
    text = "" if SIZE not in whole else (
        f"All together: {ratio_text(whole[SIZE].median)} the code and {ratio_text(whole[MISSES].median)} the misses. ")
    return described(
        figure_,
        "Checks as code: how much there is, and what a simulated cache misses",
        f"{text}Open points are programs with checks in another order of their functions: what layout alone does.",
    )


def name(program):
    return "all of them" if program == PROGRAMS else words(program.removeprefix("go1-"))
