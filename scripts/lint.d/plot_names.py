#!/usr/bin/env python3
"""Checks that the plots ask for records by names that claims declare for them (scripts/plots/names.json): what a module
says when it is loaded, and the names in its calls, which otherwise would be looked at when it draws.

    plot_names.py [NAMES]      prints one line for each finding; exit status 1 when there is one
"""
import ast
import json
import pathlib
import sys
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
# What draws is not needed to look at names.
for library in ("matplotlib", "matplotlib.patches", "matplotlib.pyplot", "matplotlib.ticker"):
    sys.modules[library] = mock.MagicMock()

import plots  # noqa: E402
from plots import results  # noqa: E402

# What verdicts and their figures have, which are no parameters of a record.
FIELDS = set()


def collect_fields(schema):
    if isinstance(schema, dict):
        FIELDS.update(schema.get("properties", {}))
        for part in schema.values():
            collect_fields(part)


def text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def asked(tree):
    """The names in calls that ask for records, by kind: a claim, a key of names.json, a name."""
    claims = set()
    unbound = []  # of which only the module tells the claim
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {keyword.arg: text(keyword.value) for keyword in node.keywords}
            if node.func.attr in ("select", "needed") and node.args and (claim := text(node.args[0])):
                claims.add(claim)
                given |= dict(zip(("case", "metric"), map(text, node.args[1:])))
                yield from ((claim, f"{kind}s", given[kind]) for kind in ("case", "metric") if given.get(kind))
                further = given.keys() - {"case", "metric", "beginning"}
                yield from ((claim, "parameters", name.replace("_", "-")) for name in further)
            elif node.func.attr == "beside":
                kinds = ["metrics"] + ["parameters"] * len(node.args)
                unbound += [(kind, text(argument)) for kind, argument in zip(kinds, node.args[1:])]
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and text(node.slice) not in FIELDS:
            unbound.append(("parameters", text(node.slice)))
    yield from ((claim, kind, name) for claim in claims for kind, name in unbound if name)


def check():
    collect_fields(json.loads((ROOT / "Sources/Report/Resources/records.schema.json").read_text()))
    for module in plots.names():
        file = f"scripts/plots/{module}.py"
        try:
            plots.load(module)
            for claim, kind, name in asked(ast.parse((ROOT / file).read_text())):
                results.declared(claim, kind, name)
        except results.PlotError as error:
            yield f"{file}: {error}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        results.DECLARED = json.loads(pathlib.Path(sys.argv[1]).read_text())
    findings = list(check())
    for finding in findings:
        print(finding)
    sys.exit(bool(findings))
