"""How a process ends that makes stacks until a limit is met, per strategy and limit."""

from .results import metrics, values
from .style import GREEN, INK, VERMILION, count_text, described, figure, folded, is_narrow, names, words

(DEATHS,) = metrics("exhaustion", "deaths at exhaustion")
ADDRESSES, GROUP, COMMIT = values("exhaustion", "RLIMIT_AS", "control group", "commit limit")
LIMITS = {ADDRESSES: "address space", GROUP: "memory of a control group", COMMIT: "commit limit"}


def draw(results):
    records = results.needed("exhaustion", metric=DEATHS)
    if not records:
        return None
    strategies = list(dict.fromkeys(record.case for record in records))
    limits = [limit for limit in LIMITS if any(record["limit"] == limit for record in records)]
    figure_, axes = figure(1.6 + 0.42 * len(strategies), rows=len(strategies))
    for record in records:
        spot = (limits.index(record["limit"]), strategies.index(record.case))
        is_dead = record.median > 0
        axes.plot(*spot, color=VERMILION if is_dead else GREEN, marker="X" if is_dead else "o", markersize=9)
        stacks = record["stacks"]
        text = "killed" if is_dead else "an error" if stacks is None else f"error, {count_text(stacks)} stacks"
        axes.annotate(
            folded(text, 10) if is_narrow() else text, spot, xytext=(9, 0), textcoords="offset points", va="center",
            fontsize=8.5, color=INK,
        )
    names(axes, [words(strategy) for strategy in strategies])
    axes.set_xticks(range(len(limits)), [folded(LIMITS[limit], 14 if is_narrow() else 28) for limit in limits])
    axes.set_xlim(-0.3, len(limits) - 0.2)
    axes.grid(axis="x", visible=False)
    killed = sum(record.median > 0 for record in records)
    return described(
        figure_,
        "How a process ends that makes stacks until there is no more",
        f"In {killed} of {len(records)} cases the process was killed; in the others making a stack was an error. An empty place is "
        "a limit that the strategy did not meet.",
    )
