"""What the kernel charges for one stack when it refuses to overcommit, per strategy and guard."""

from .results import values
from .style import INK, described, figure, key, label, look, names, ticks, words

MODE = 2
GUARDS = AUTOMATIC, _, _ = values("overcommit", "automatic", "prot-none", "guard-pages")
# A logarithmic axis has no zero: what is charged nothing stands at a page.
SMALLEST = 4096


def draw(results):
    charged = results.needed("overcommit", metric="charged", mode=MODE)
    strategies = list(dict.fromkeys(record.case for record in charged))
    if not strategies:
        return None
    figure_, axes = figure(1.9 + 0.5 * len(strategies), rows=len(strategies))
    for place, strategy in enumerate(strategies):
        for offset, guard in zip((-0.24, 0, 0.24), GUARDS):
            for record in (record for record in charged if record.case == strategy and record["guard"] == guard):
                refused = results.beside(record, "stacks", "mode", "guard").median == 0
                shade, marker = (INK, "x") if guard == AUTOMATIC else look(guard)
                value = max(record.median, SMALLEST)
                axes.plot([SMALLEST, value], [place + offset] * 2, color=shade, linewidth=1)
                axes.plot(value, place + offset, color=shade, marker="$✕$" if refused else marker, markersize=8)
                if refused:
                    axes.annotate(
                        "refused",
                        (value, place + offset),
                        xytext=(8, 0),
                        textcoords="offset points",
                        va="center",
                        fontsize=8.5,
                    )
    axes.set_xscale("log", base=2)
    for guard in GUARDS:
        shade, marker = (INK, "x") if guard == AUTOMATIC else look(guard)
        axes.plot([], [], color=shade, marker=marker, linestyle="", label=f"guard: {words(guard)}")
    names(axes, [words(strategy) for strategy in strategies])
    axes.set_xticks([2**power for power in range(12, 41, 4)])
    axes.set_xlim(SMALLEST / 2, max(record.median for record in charged) * 8)
    axes.minorticks_off()
    ticks(axes.xaxis, "bytes")
    label(axes, "memory charged for the first stack where the kernel does not overcommit")
    key(figure_, columns=3)
    axes.set_title("What a stack is charged")
    return described(
        figure_,
        "What a stack is charged where nothing is overcommitted",
        "The further to the right, the more of a stack is charged before it is used; refused means that it cannot be made at "
        "all. What is charged nothing stands at one page.",
    )
