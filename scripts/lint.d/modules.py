#!/usr/bin/env python3
"""Draws the graph of modules in HACKING.md and checks which module imports which.

The graph comes from the package's manifest: each module with those that it uses directly, without what they bring
along. A declared dependency that no file imports is a finding, and so is an import that is not declared, which builds
only by chance.

    modules.py            checks; one line for each finding, exit status 1 when there is one
    modules.py --write    puts the graph into HACKING.md
"""
import json
import pathlib
import re
import subprocess
import sys

DOCUMENT = pathlib.Path("HACKING.md")
BEGIN, END = "<!-- modules: scripts/lint.d/modules.py --write -->\n", "<!-- end of modules -->\n"

# The modules, beside tests, that may import one, where not all may.
IMPORTERS = {
    "CShim": {"Faultline"},
    "Claims": {"CommandLine"},
    "Benchmarks": {"CommandLine"},
}
# What these may import of this package, directly or not: the library takes nothing along that its users do not need,
# and what measures and reports knows nothing of stacks.
CONFINED = {
    "Faultline": {"CShim", "CSwitch"},
    "FaultlineScheduler": {"Faultline", "CScheduler", "CShim", "CSwitch"},
    "Measurement": set(),
    "Processes": {"CProcesses"},
    "Report": {"Measurement"},
}

# What those take of other packages.
FOREIGN = {"Measurement": {"Histogram"}}

IMPORT = re.compile(r"^\s*(?:@\w+(?:\(\w+\))? )*(?:(?:public|package|internal|private) )?import (?:\w+ )?(\w+)", re.M)
INCLUDE = re.compile(r'^#include [<"](?:(?:\.\./)+(\w+)/src/)?(\w+)\.h[>"]', re.M)


def manifest():
    """The targets by name: kind, folder, dependencies of this package."""
    dumped = subprocess.run(["swift", "package", "dump-package"], check=True, capture_output=True, text=True).stdout
    targets = {}
    for target in json.loads(dumped)["targets"]:
        folder = target.get("path") or ("Tests/" if target["type"] == "test" else "Sources/") + target["name"]
        needs = {each["byName"][0] for each in target["dependencies"] if "byName" in each}
        foreign = {each["product"][0] for each in target["dependencies"] if "product" in each}
        targets[target["name"]] = {"type": target["type"], "folder": pathlib.Path(folder), "needs": needs,
                                   "foreign": foreign}
    return targets


def imports(targets, name):
    """The modules of this package that the files of a target import."""
    folder, found = targets[name]["folder"], set()
    others = [target["folder"] for other, target in targets.items() if other != name]
    for path in folder.rglob("*"):
        if any(other != folder and folder in other.parents and other in path.parents for other in others):
            continue
        if path.suffix == ".swift":
            found |= set(IMPORT.findall(path.read_text()))
        elif path.suffix in (".c", ".h", ".S"):
            found |= {each for names in INCLUDE.findall(path.read_text()) for each in names}
    return (found & targets.keys()) - {name}


def reach(targets, name):
    """What a target uses, directly or not."""
    found, waiting = set(), list(targets[name]["needs"])
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += targets[each]["needs"]
    return found


def findings(targets):
    for name, target in targets.items():
        used = imports(targets, name)
        for each in sorted(used - target["needs"]):
            yield f"Package.swift: {name} imports {each} and does not declare it"
        for each in sorted(target["needs"] - used):
            # A program is run by a test, not imported; every test may say what it needs.
            if targets[each]["type"] != "executable" and each != "TestNeeds":
                yield f"Package.swift: {name} declares {each} and does not import it"
        product = target["folder"].parts[0] != "Tests"
        for each in sorted(used & IMPORTERS.keys()):
            if product and name not in IMPORTERS[each]:
                yield f"{target['folder']}: imports {each}, which only {', '.join(sorted(IMPORTERS[each]))} may"
        if name in CONFINED:
            for each in sorted(target["foreign"] - FOREIGN.get(name, set())):
                yield f"Package.swift: {name} takes {each} of another package"
        for each in sorted(reach(targets, name) - CONFINED.get(name, targets.keys())):
            yield f"Package.swift: {name} reaches {each}, which it must not know"


def graph(targets):
    """The modules from the top down: each is indented by the longest way from the top, and uses only those below it."""
    shown = {name for name, target in targets.items() if target["folder"].parts[0] in ("Sources", "CShim")}
    level = {}

    def place(name, depth):
        level[name] = max(level.get(name, 0), depth)
        for each in targets[name]["needs"]:
            place(each, depth + 1)

    for name in shown:
        place(name, 0)
    lines = []
    for name in sorted(shown, key=lambda name: (level[name], name)):
        needs = targets[name]["needs"]
        direct = needs - set().union(*(reach(targets, each) for each in needs))
        label = "  " * level[name] + name
        lines.append(f"    {label:<34}{', '.join(sorted(direct))}".rstrip() + "\n")
    return "\n" + "".join(lines) + "\n"


def main():
    targets = manifest()
    problems = list(findings(targets))
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    drawn, after = rest.split(END)
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(before + BEGIN + graph(targets) + END + after)
    elif drawn != graph(targets):
        problems.append(f"{DOCUMENT}: the graph of modules is old; run python3 scripts/lint.d/modules.py --write")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
