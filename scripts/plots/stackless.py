"""Tasks beside coroutines and goroutines: memory, creating, switching, deep recursion."""

from .results import cases
from .style import BLUE, bars, colour, count_text, described, figure, size_text, words

COROUTINE, TASK = cases("stackless", "coroutine", "task")


def draw(results):
    times = results.needed("stackless", metric="time")
    memory = results.needed("stackless", metric="memory")
    panels = [
        (f"Memory of one, {count_text(depth)} calls deep", [record for record in memory if record["depth"] == depth])
        for depth in sorted({record["depth"] for record in memory})
    ] + [
        (f"Time: {of}", [record for record in times if record["of"] == of])
        for of in dict.fromkeys(record["of"] for record in times)
    ]
    if not panels:
        return None
    heights = [len(records) + 1 for _, records in panels]
    figure_, grid = figure(
        0.9 + 0.42 * sum(heights), nrows=len(panels), rows=sum(heights) + len(heights), height_ratios=heights, squeeze=False
    )
    for (title, records), axes in zip(panels, grid[:, 0]):
        bars(
            axes,
            [label(record) for record in records],
            records,
            records[0].unit,
            [
                BLUE if record.case == COROUTINE else colour("swift" if record.case == TASK else record.case)
                for record in records
            ],
        )
        axes.set_title(title, fontsize=10, pad=6)
        axes.margins(x=0.22)
    return described(
        figure_,
        "Stackless tasks beside coroutines and goroutines: memory and times",
        "A task is compared with a coroutine of each size of slot and with goroutines: by memory while few and many calls wait, "
        "and by the time to create, to switch and to recurse.",
    )


def label(record):
    name = "Swift task" if record.case == TASK else words(record.case)
    return f"{name}, {size_text(record['slot'])} slot" if record["slot"] else name
