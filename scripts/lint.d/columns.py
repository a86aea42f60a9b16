#!/usr/bin/env python3
"""Prints the lines of the given files that have more than 120 columns; exit status 1 when there is one. What stands in
a multi-line string literal of Swift is output and stays as it is printed.
"""
import sys

COLUMNS = 120


def long_lines(text, is_swift):
    in_literal = False
    for number, line in enumerate(text.splitlines(), 1):
        was_in_literal = in_literal
        if is_swift and line.count('"""') % 2:
            in_literal = not in_literal
        if len(line) > COLUMNS and not was_in_literal:
            yield number


found = False
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as opened:
        for number in long_lines(opened.read(), file.endswith(".swift")):
            found = True
            print(f"{file}:{number}: has more than {COLUMNS} columns")
sys.exit(found)
