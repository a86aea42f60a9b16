"""The plots, one module each: its name is that of the plot (with - for _), and its function `draw` returns a figure, or
None where its claim was not run. A name that its claim does not declare, or a record that is missing, is a PlotError."""

import importlib
import pkgutil

# What the modules share.
SHARED = {"results", "style"}


def names():
    """The names of the modules that draw."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)


def load(name):
    """The module of that name."""
    return importlib.import_module(f"{__name__}.{name}")


def draw(name, results):
    """The figure of a module, or None."""
    return load(name).draw(results)
