"""How many call trees have a bound of the stack that they need, and what is in the way of one."""

from .results import cases, values
from .style import BLUE, FAINT, GREEN, bars, described, figure, label, share_text, words

(PROGRAMS,) = cases("frame-prediction", "programs")
(WHOLE,) = values("frame-prediction", "all functions")


def draw(results):
    records = results.needed("frame-prediction", metric="ratio", baseline=WHOLE)
    if not records:
        return None
    newest = max((record["peer"] for record in records if record["peer"]), key=version, default=None)
    bounds = [record for record in records if "," not in record.case and record["peer"] in (newest, None)]
    ways = [record for record in records if record.case.startswith(f"{PROGRAMS}, ") and record.median > 0]
    whole = [record for record in bounds if record.case == PROGRAMS]
    rows = whole + ways + [record for record in bounds if record.case != PROGRAMS]
    figure_, axes = figure(1.6 + 0.36 * len(rows), rows=len(rows))
    colours = [GREEN if record in whole else FAINT if record in ways else BLUE for record in rows]
    bars(axes, [name(record) for record in rows], rows, "share", colours)
    axes.set_xlim(0, 1)
    label(axes, "share of call trees; those in grey have no bound for that reason, and may have several")
    share = share_text(whole[0].median) if whole else "Some"
    return described(
        figure_,
        "Call trees whose need of stack is known before they run",
        f"{share} of all, in every version of Go together, have a bound. Below are what is in the way of the others, and "
        "single programs of the newest.",
    )


def name(record):
    if record.case == PROGRAMS:
        return "with a bound, every version"
    return words(record.case.removeprefix(f"{PROGRAMS}, "))


def version(name):
    return [int(part) for part in name.removeprefix("go").split(".")]
