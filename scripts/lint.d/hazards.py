#!/usr/bin/env python3
"""Checks that the tables of docs/HAZARDS.md are those of Sources/Claims/Resources/hazards.json, as `HazardTable`
renders them. Needs no build, as the test does that writes them (HACKING.md, "Where new things go").

    hazards.py [DOCUMENT]      prints the first line that differs, and exits with status 1, where one does
"""
import itertools
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def row(hazard):
    shown = ", ".join(hazard["tests"]) + ("; `faultline faults`" if hazard.get("isRaised") else "")
    return f"| {hazard['name']} | {hazard['remedy']} | {shown}{hazard.get('remark', '')} |"


def expected_lines():
    """Each line of each table, behind its section."""
    for table in json.loads((ROOT / "Sources/Claims/Resources/hazards.json").read_text()):
        for line in ("| hazard | what is done | shown by |", "|---|---|---|", *map(row, table["hazards"])):
            yield table["section"], line


def there(document):
    section = None
    for line in document.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif line.startswith("|"):
            yield section, line


if __name__ == "__main__":
    file = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/HAZARDS.md")
    for expected, found in itertools.zip_longest(expected_lines(), there(file.read_text()), fillvalue=("", "nothing")):
        if expected != found:
            print(f"{file}: '{found[0]}' has {found[1]}\nwhere hazards.json has in '{expected[0]}' {expected[1]}")
            print("FAULTLINE_WRITE_FILES=1 swift test --filter ClaimsTests writes it")
            sys.exit(1)
