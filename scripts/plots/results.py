"""The records of a run, as plots ask for them: by the names that the claims declare for their plots (names.json)."""

import json
import pathlib
from dataclasses import dataclass

NAMES = pathlib.Path(__file__).with_name("names.json")
DECLARED = json.loads(NAMES.read_text(encoding="utf-8"))


class PlotError(Exception):
    """Why a plot cannot be drawn, in one line."""


def declared(claim, kind, *names):
    """The names, each of which the claim must declare; `kind` is a key of names.json."""
    for name in names:
        if name not in DECLARED.get(claim, {}).get(kind, ()):
            raise PlotError(f"the claim '{claim}' declares no '{name}' among the {kind} of its plot ({NAMES.name})")
    return names


def cases(claim, *names):
    """Names of cases, or what begins or ends them."""
    return declared(claim, "cases", *names)


def metrics(claim, *names):
    """Names of metrics."""
    return declared(claim, "metrics", *names)


def values(claim, *names):
    """Values of parameters."""
    return declared(claim, "values", *names)


def figures(claim, *names):
    """Names of claimed or measured figures."""
    return declared(claim, "figures", *names)


@dataclass(frozen=True)
class Record:
    """One measured number with its 95 % interval."""

    suite: str
    case: str
    metric: str
    unit: str
    median: float
    low: float
    high: float
    parameters: dict

    def __getitem__(self, name):
        """The parameter of that name, or None."""
        declared(self.suite, "parameters", name)
        return self.parameters.get(name)

    @property
    def identity(self):
        """The parameters without what was found with the record, which differs between its metrics."""
        return {name: value for name, value in self.parameters.items() if name not in DECLARED["found"]}

    @property
    def is_null_control(self):
        return self.parameters.get("null-control") is True


class Results:
    """Everything that a run wrote."""

    def __init__(self, document, path):
        self.path = path
        self.verdicts = document.get("verdicts") or []
        self.records = [
            Record(
                record["suite"],
                record["case"],
                record["metric"],
                record["unit"],
                record["median"],
                record["low"],
                record["high"],
                record["parameters"],
            )
            for record in document["records"]
        ]

    @classmethod
    def read(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file), path)

    def select(self, claim, case=None, metric=None, **parameters):
        """The records with these properties, in the order of the run; a parameter `a_b` is called `a-b` there."""
        if case is not None:
            declared(claim, "cases", case)
        return self._find(claim, case, metric, {name.replace("_", "-"): value for name, value in parameters.items()})

    def _find(self, claim, case, metric, parameters):
        if metric is not None:
            declared(claim, "metrics", metric)
        return [
            record
            for record in self.records
            if record.suite == claim
            and (case is None or record.case == case)
            and (metric is None or record.metric == metric)
            and all(record[name] == value for name, value in parameters.items())
        ]

    def needed(self, claim, case=None, metric=None, beginning="", **parameters):
        """As `select`, and with a case that begins so; none are an error unless the claim has no record at all, because it
        was not run or not measured."""
        records = self.select(claim, case, metric, **parameters)
        records = [record for record in records if record.case.startswith(beginning)]
        if not records and self.select(claim):
            raise self._missing(claim, case=case or beginning and f"{beginning}…", metric=metric, **parameters)
        return records

    def beside(self, record, metric, *names, case=None):
        """The record by another metric of the same case, or of another one, and with the same values of the parameters
        `names`, or of all that tell records apart; none is an error."""
        parameters = {name: record[name] for name in names}
        for other in self._find(record.suite, case or record.case, metric, parameters):
            if names or other.identity == record.identity:
                return other
        raise self._missing(record.suite, case=case or record.case, metric=metric, **(parameters or record.identity))

    def _missing(self, claim, **asked):
        text = ", ".join(f"{name} '{value}'" for name, value in asked.items() if value)
        return PlotError(f"'{self.path}' has records of the claim '{claim}', but none with {text}")

    def verdict(self, claim):
        """The verdict on a claim, or None."""
        return next((verdict for verdict in self.verdicts if verdict["claim"] == claim), None)

    def claimed(self, claim, name):
        """The ends of what is claimed of a figure, of which one may be None; None where nothing was judged."""
        declared(claim, "figures", name)
        for figure in (self.verdict(claim) or {}).get("claimed", ()):
            if figure["name"] == name:
                return figure.get("low"), figure.get("high")
        return None
