"""Draws every plot whose claim was run. Each module of the folder plots draws one; `scripts/plot` runs this."""

import concurrent.futures
import functools
import pathlib
import sys

import plots
from plots.results import PlotError, Results
from plots.style import draw_narrow, save


def draw(module, results, wide, narrow):
    """Whether there is something to draw; if so it is drawn for a wide column and for a phone."""
    for path, is_narrow in ((wide, False), (narrow, True)):
        draw_narrow(is_narrow)
        figure = plots.draw(module, results)
        if figure is None:
            return False
        save(figure, path, png=not is_narrow)
    return True


def draw_files(results, output, module):
    """Whether the plot of a module was drawn, and what was wrong with it. One of former records does not stay."""
    name = module.replace("_", "-")
    # The second is the same for a phone; report.html holds both.
    wide, narrow = output / name, output / "narrow" / name
    problem = None
    try:
        if draw(module, results, wide, narrow):
            return True, None
    except PlotError as error:
        problem = f"plots/{module}.py: {error}"
    for path in (wide, narrow):
        for suffix in (".svg", ".png"):
            path.with_name(name + suffix).unlink(missing_ok=True)
    return False, problem


def main(folder):
    try:
        results = Results.read(folder / "records.json")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"scripts/plot: cannot read the records of '{folder}': {error}")
    output = folder / "plots"
    try:
        (output / "narrow").mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ProcessPoolExecutor() as processes:
            done = list(processes.map(functools.partial(draw_files, results, output), plots.names()))
    except OSError as error:
        sys.exit(f"scripts/plot: cannot write to '{output}': {error.strerror}")
    problems = [problem for _, problem in done if problem]
    for problem in problems:
        print(f"scripts/plot: {problem}", file=sys.stderr)
    print(f"{sum(is_drawn for is_drawn, _ in done)} plots are in {output}/")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
