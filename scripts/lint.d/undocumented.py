#!/usr/bin/env python3
"""Names the public symbols without a documentation comment in symbol graphs (`swift symbolgraph-extract`).

A witness without a comment has that of its requirement there: `description` needs none of its own.
"""

import json
import sys


def undocumented(graph):
    for symbol in graph["symbols"]:
        if not symbol.get("docComment", {}).get("lines"):
            location = symbol.get("location", {})
            file = location.get("uri", "").removeprefix("file://")
            line = location.get("position", {}).get("line", -1) + 1
            yield f"{file}:{line}: {'.'.join(symbol['pathComponents'])} has no documentation"


def main():
    count = 0
    found = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            graph = json.load(file)
        count += len(graph["symbols"])
        found += undocumented(graph)
    print("\n".join(sorted(found)), file=sys.stderr)
    if not count:
        sys.exit("there are no symbols")
    if found:
        sys.exit(f"{len(found)} of {count} public symbols have no documentation")
    print(f"{count} public symbols are documented")


main()
