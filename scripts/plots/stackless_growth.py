"""What a coroutine without a stack takes with all that it called, after few calls and after many."""

from .results import cases
from .style import bars, colour, count_text, described, figure, label, size_text

NAMES = {"task": "Swift task", "coroutine of C++20": "coroutine of C++20"}


def draw(results):
    cases("stackless-growth", *NAMES)
    records = results.needed("stackless-growth", metric="memory")
    if not records:
        return None
    records.sort(key=lambda record: (record.case, record["depth"]))
    figure_, axes = figure(1.7 + 0.42 * len(records), rows=len(records))
    texts = [f"{NAMES[record.case]}, {count_text(record['depth'])} calls" for record in records]
    shades = [colour("swift" if record.case == "task" else "ucontext") for record in records]
    bars(axes, texts, records, "bytes", shades, log=True)
    label(axes, "memory of one and all that it called, with 95 % intervals")
    said = "; ".join(f"{text} {size_text(record.median)}" for text, record in zip(texts, records))
    return described(figure_, "What calls of coroutines without a stack take", f"Memory of one with all that it called: {said}.")
