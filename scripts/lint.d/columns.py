#!/usr/bin/env python3
"""Prints the lines of the given files that have more than 120 columns; exit status 1 when there is one."""
import sys

COLUMNS = 120

found = False
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            if len(line.rstrip("\n")) > COLUMNS:
                found = True
                print(f"{file}:{number}: has more than {COLUMNS} columns")
sys.exit(found)
