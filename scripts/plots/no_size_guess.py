"""How deep a recursion without an end comes, per kind of stack, with its size as given and with all that there is."""

from .results import cases, metrics
from .style import GREEN, VERMILION, bars, described, figure, label, size_text, words

(RUNAWAY,) = cases("no-size-guess", "runaway ")
DEPTH, PEAK = metrics("no-size-guess", "depth", "peak-memory")


def draw(results):
    records = results.needed("no-size-guess", metric=DEPTH, beginning=RUNAWAY)
    if not records:
        return None
    records = sorted(records, key=lambda record: not record["as-given"])
    figure_, axes = figure(1.6 + 0.42 * len(records), rows=len(records))
    colours = [GREEN if record["ending"] == "error" else VERMILION for record in records]
    bars(axes, [name(record) for record in records], records, "count", colours, log=True)
    label(axes, "frames until the end; green ends with an error, orange with the process")
    deepest = max(records, key=lambda record: record.median)
    memory = results.beside(deepest, PEAK)
    return described(
        figure_,
        "A recursion without an end",
        f"The deepest took {size_text(memory.median)} of memory. A size that nobody chose is a thread's or a runtime's own.",
    )


def name(record):
    subject = words(record.case.removeprefix(RUNAWAY))
    return f"{subject}, at most {size_text(record['limit'])}{' as given' if record['as-given'] else ''}"
