"""The records of a run, as plots ask for them."""

import json
from dataclasses import dataclass


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
        return self.parameters.get(name)

    @property
    def is_null_control(self):
        return self["null-control"] is True


class Results:
    """Everything that a run wrote."""

    def __init__(self, document):
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
            return cls(json.load(file))

    def select(self, suite, case=None, metric=None, **parameters):
        """The records with these properties, in the order of the run; a parameter `a_b` is called `a-b` there."""
        wanted = {name.replace("_", "-"): value for name, value in parameters.items()}
        return [
            record
            for record in self.records
            if record.suite == suite
            and (case is None or record.case == case)
            and (metric is None or record.metric == metric)
            and all(record[name] == value for name, value in wanted.items())
        ]

    def one(self, suite, case, metric, **parameters):
        """The first such record, or None."""
        return next(iter(self.select(suite, case, metric, **parameters)), None)

    def verdict(self, claim):
        """The verdict on a claim, or None."""
        return next((verdict for verdict in self.verdicts if verdict["claim"] == claim), None)
