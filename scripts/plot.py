"""Draws every plot whose claim was run. Each module of the folder plots draws one; `scripts/plot` runs this."""

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


def main(folder):
    try:
        results = Results.read(folder / "records.json")
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"scripts/plot: cannot read the records of '{folder}': {error}")
    output = folder / "plots"
    # The same for a phone; report.html holds both.
    narrow = output / "narrow"
    drawn = failed = 0
    try:
        output.mkdir(exist_ok=True)
        narrow.mkdir(exist_ok=True)
        for module in plots.names():
            name = module.replace("_", "-")
            files = [output / f"{name}.svg", output / f"{name}.png", narrow / f"{name}.svg"]
            try:
                is_drawn = draw(module, results, output / name, narrow / name)
            except PlotError as error:
                print(f"scripts/plot: plots/{module}.py: {error}", file=sys.stderr)
                failed += 1
                is_drawn = False
            # A plot of former records must not stand beside new ones.
            if is_drawn:
                drawn += 1
            else:
                for file in files:
                    file.unlink(missing_ok=True)
    except OSError as error:
        sys.exit(f"scripts/plot: cannot write to '{output}': {error.strerror}")
    print(f"{drawn} plots are in {output}/")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
