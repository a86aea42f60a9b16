#!/usr/bin/env python3
"""Feeds calls.py small shims, each with one violation, and one without: a checker that finds nothing is noticed."""
import pathlib
import sys
import tempfile

import calls

HANDLER = """
#include "b.h"
// Signal context: handler only.
void handle(void) { fl_b(); }
"""
HEADER = "/// Signal context: callable.\nvoid fl_b(void);\n"
LIBRARY = {"write": "as in POSIX"}
SYSTEM_CALLS = {"mmap", "munmap"}
DIRECT = {("b", "munmap"): "only for this test"}
VOCABULARY = {"fl_a.h": "types", ("b", "fl_d.h"): "types"}

# name -> (files, part of the finding, or "" where there is none). What is not given is as in the sound shim.
SOUND = {
    "a.c": HANDLER,
    "fl_a.h": "",
    "b.h": HEADER + '#include "fl_a.h"\n#include "fl_d.h"\n',
    "b.c": '#include "b.h"\nvoid write(void), munmap(void);\nvoid fl_b(void) { write(), munmap(); }\n',
    "system.c": "void mmap(void);\nvoid fl_map(void) { mmap(); }\n",
    "d.c": "",
    "fl_d.h": "",
}
CASES = {
    "sound": ({}, ""),
    "no mark": (
        {"b.h": "void fl_b(void);\n"}, "'handle' (handler only) names 'fl_b' (b.c:3), which has no line"),
    "static without a mark": (
        {"b.c": '#include "b.h"\nvoid write(void);\nstatic void c(void) { write(); }\nvoid fl_b(void) { c(); }\n'},
        "'fl_b' (callable) names 'c'"),
    "inline without a mark": (
        {"b.h": HEADER + "static inline void c(void) {}\n", "b.c": SOUND["b.c"].replace("write()", "write(), c()")},
        "names 'c' (b.h:3), which has no line"),
    "always inlined without a mark": (
        {"b.h": HEADER + "static inline __attribute__((always_inline)) void c(void) {}\n",
         "b.c": SOUND["b.c"].replace("write()", "write(), c()")},
        "names 'c' (b.h:3), which has no line"),
    "forbidden": ({"b.h": HEADER.replace("callable", "forbidden")}, "names 'fl_b', which is 'forbidden'"),
    "for handlers only": (
        {"b.c": SOUND["b.c"].replace("write(), munmap(); }", "write(), d(); }").replace(
            "void fl_b", "// Signal context: handler only.\nstatic void d(void) {}\nvoid fl_b")},
        "'fl_b' (callable) names 'd', which is 'handler only'"),
    "forbidden in a tail position": (
        {"b.c": '#include "b.h"\nint write(void);\n// Signal context: forbidden.\nstatic int d(void) { return 1; }\n'
                '// Signal context: callable.\nstatic int e(void) { return d(); }\n'
                'void fl_b(void) { write(), e(); }\n'},
        "'e' (callable) names 'd', which is 'forbidden'"),
    "an address": (
        {"b.c": '#include "b.h"\nvoid write(void);\n// Signal context: forbidden.\nstatic void d(void) {}\n'
                "void fl_b(void) { void (*volatile f)(void) = d; f(), write(); }\n"},
        "'fl_b' (callable) names 'd', which is 'forbidden'"),
    "an address in a table": (
        {"b.c": '#include "b.h"\nvoid write(void);\n// Signal context: forbidden.\nstatic void d(void) {}\n'
                "static void (*const table[])(void) = {d};\nvoid fl_b(void) { table[0](), write(); }\n"},
        "'fl_b' (callable) names 'd', which is 'forbidden'"),
    "the library": ({"b.c": SOUND["b.c"].replace("write", "malloc")}, "names 'malloc', which is not listed as safe"),
    "an entry that nothing needs": ({"b.c": '#include "b.h"\nvoid fl_b(void) {}\n'}, "lists 'write', which nothing"),
    "a handler without a mark": (
        {"a.c": '#include "b.h"\nvoid handle(void) { fl_b(); }\n'}, "'handle' is a handler and not"),
    "a handler that is gone": ({"a.c": '#include "b.h"\n'}, "a: there is no function 'handle'"),
    "two marks": (
        {"b.c": SOUND["b.c"].replace("void fl_b", "// Signal context: handler only.\nvoid fl_b")},
        "'fl_b' is marked callable and handler only"),
    "a call upwards": (
        {"b.c": SOUND["b.c"] + "void handle(void);\nvoid fl_c(void) { handle(); }"},
        "'b' may not use 'a', which is listed below it: 'fl_c' names 'handle'"),
    "data upwards": (
        {"a.c": HANDLER + "int fl_data;\n",
         "b.c": SOUND["b.c"] + "extern int fl_data;\nint fl_c(void) { return fl_data; }\n"},
        "'b' may not use 'a', which is listed below it: 'fl_c' names 'fl_data'"),
    "assembly upwards": (
        {"b.S": ".globl fl_s\nfl_s: callq handle\n"}, "'b.S' may not use 'a', which is listed below it"),
    "a header upwards": (
        {"a.h": "", "b.c": '#include "a.h"\n' + SOUND["b.c"]},
        "'b' may not use 'a', which is listed below it: it includes its header"),
    "a public header upwards": (
        {"b.h": HEADER + '#include "fl_d.h"\n', "c.c": "", "fl_c.h": '#include "fl_d.h"\n'},
        "'c' may not use 'd', which is listed below it: it includes its header"),
    "a system call": (
        {"d.c": "void mmap(void);\nvoid fl_d(void) { mmap(); }\n"}, "'fl_d' names 'mmap', which src/system.c"),
    "a system call that was allowed elsewhere": (
        {"d.c": "void munmap(void);\nvoid fl_d(void) { munmap(); }\n"}, "'fl_d' names 'munmap', which src/system.c"),
    "a permission that nothing needs": (
        {"b.c": SOUND["b.c"].replace(", munmap(); }", "; }")}, "lists 'munmap' in 'b' as a direct system call"),
    "a file that is not listed": (
        {"e.c": '#include "b.h"\nvoid fl_e(void) { fl_b(); }\n'}, "the part 'e' is not in the list of files"),
}


def findings(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).write_text(text)
        sources = [name for name in files if not name.endswith(".h")]
        texts = {name: text for name, text in files.items() if not name.endswith(".S")}
        symbols = calls.read_sources(sources, root, ["."])
        graph = calls.Graph(symbols, texts, LIBRARY, SYSTEM_CALLS, DIRECT, {}, {("a", "handle")})
        yield from graph.order(["system", "b", "b.S", "a", "c", "d"], set(calls.includes_of(texts, VOCABULARY)))
        yield from graph.contradictions()
        yield from graph.signal_context()
        yield from graph.direct_system_calls()


failed = False
for name, (changed, expected) in CASES.items():
    found = list(findings(SOUND | changed))
    if not any(expected in finding for finding in found) if expected else found:
        failed = True
        print(f"calls_test.py: {name}: expected {expected or 'nothing'!r}, found {found}")
sys.exit(failed)
