"""Draws every plot whose records are there. Each module of the folder plots draws one; `scripts/plot` runs this."""

import pathlib
import sys

from plots import drawings
from plots.results import Results
from plots.style import save


def main(folder):
    try:
        results = Results.read(folder / "records.json")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"scripts/plot: cannot read the records of '{folder}': {error}")
    plots = folder / "plots"
    drawn = 0
    try:
        plots.mkdir(exist_ok=True)
        for name, draw in drawings().items():
            figure = draw(results)
            # A plot of former records must not stand beside new ones.
            if figure is None:
                for ending in ("svg", "png"):
                    (plots / f"{name}.{ending}").unlink(missing_ok=True)
            else:
                save(figure, plots / name)
                drawn += 1
    except OSError as error:
        sys.exit(f"scripts/plot: cannot write to '{plots}': {error.strerror}")
    print(f"{drawn} plots are in {plots}/")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
