"""The plots, one module each: its name is that of the plot (with - for _), and its function `draw` returns a figure, or
None where the records are missing."""

import importlib
import pkgutil

# What the modules share.
SHARED = {"results", "style"}


def drawings():
    """The function `draw` of each plot, by the plot's name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED]
    return {name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").draw for name in sorted(names)}
