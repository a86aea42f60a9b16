"""Draws every plot whose claim was run. Each module of the folder plots draws one; `scripts/plot` runs this."""

import pathlib
import sys

import plots
from plots.results import PlotError, Results
from plots.style import save


def main(folder):
    try:
        results = Results.read(folder / "records.json")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"scripts/plot: cannot read the records of '{folder}': {error}")
    output = folder / "plots"
    drawn = failed = 0
    try:
        output.mkdir(exist_ok=True)
        for module in plots.names():
            name = module.replace("_", "-")
            figure = None
            try:
                figure = plots.draw(module, results)
            except PlotError as error:
                print(f"scripts/plot: plots/{module}.py: {error}", file=sys.stderr)
                failed += 1
            # A plot of former records must not stand beside new ones.
            if figure is None:
                for ending in ("svg", "png"):
                    (output / f"{name}.{ending}").unlink(missing_ok=True)
            else:
                save(figure, output / name)
                drawn += 1
    except OSError as error:
        sys.exit(f"scripts/plot: cannot write to '{output}': {error.strerror}")
    print(f"{drawn} plots are in {output}/")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
