"""How long programs take to start when they are stripped, against the usual way."""

from .results import cases, figures
from .style import BLUE, described, figure, key, label, ratios, told, words


def drawn(results, claim, case, title, claimed_figure):
    """One way to link: a row for each program, for their mean and for the usual programs against themselves."""
    linked, again = cases(claim, case, "usual-again")
    (bound,) = figures(claim, claimed_figure)
    records = [record for record in results.needed(claim, metric="ratio") if record.case == linked]
    means = [record for record in results.needed(claim, metric="ratio") if record.case == again and record["programs"]]
    if not records:
        return None
    rows = sorted(records, key=lambda record: bool(record["programs"])) + means
    texts = [
        "usual programs, against themselves" if record.case == again
        else f"mean of {record['programs']} programs" if record["programs"] else record["work"].split("/")[-1]
        for record in rows
    ]
    ends = results.claimed(claim, bound)
    claimed = {
        place: [ends] for place, record in enumerate(rows) if ends and record["programs"] and record.case == linked
    }
    figure_, axes = figure(1.9 + 0.42 * len(rows), rows=len(rows))
    ratios(axes, texts, [{"start": record} for record in rows], {"start": (BLUE, "o", True, "")}, claimed)
    key(figure_)
    label(axes, "time to start against a program that is linked as usual, with 95 % intervals")
    return described(
        figure_, title, f"{words(rows[0]['peer'])}. {told(dict(zip(texts, rows)), 'longer:', 'shorter:')}"
    )


def draw(results):
    return drawn(
        results, "strip-start", "-s -w", "Starting stripped programs", "start of stripped programs, against usual ones"
    )
