"""What one growth costs as threads are added, per mechanism."""

from .results import cases, values
from .style import FAINT, INK, curve, figure, ticks, time_text

# The strategy, guard or mover whose look a mechanism has.
LOOKS = {
    "trap, guard-pages": "guard-pages",
    "trap, prot-none": "prot-none",
    "move by copy": "copy",
    "move by uffdio-move": "uffdio-move",
    "move by mremap": "mremap",
    "kernel's page fault": "demand",
    "computation alone": "fixed",
}
*_, KERNEL, CONTROL = cases("contention", *LOOKS)
(NULL,) = cases("contention", " null")
(OWN,) = values("contention", "faultline")


def draw(results):
    records = [record for record in results.needed("contention", metric="time") if not record.case.endswith(NULL)]
    if not records:
        return None
    figure_, axes = figure(9.4, 5.4)
    names = list(dict.fromkeys(name(record) for record in records))
    goes = [subject for subject in names if subject.startswith("go")]
    for subject in names:
        own = [record for record in records if name(record) == subject]
        # Versions of one peer have its colour; the newest is the darkest.
        options = {"color": "#A5A5A5"} if subject in goes[:-1] else {}
        is_baseline = subject in (CONTROL, KERNEL)
        curve(
            axes,
            own,
            lambda record: record["threads"],
            LOOKS.get(subject, subject),
            label=subject,
            markersize=5,
            linestyle=":" if is_baseline else "-",
            **options,
        )
    processors = records[0]["processors"]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    threads = sorted({record["threads"] for record in records})
    axes.set_xticks(threads, threads)
    axes.minorticks_off()
    if processors:
        axes.axvline(processors, color=INK, linestyle="--", linewidth=1)
        axes.annotate(
            f"{processors} processors",
            (processors, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -10),
            textcoords="offset points",
            fontsize=8.5,
            color=FAINT,
        )
    verdict = results.verdict("contention")
    for claimed in verdict["claimed"] if verdict else []:
        value = claimed.get("low", claimed.get("high"))
        if claimed["unit"] == "ns" and value:
            axes.axhline(value, color=FAINT, linestyle=":", linewidth=1)
            axes.annotate(
                f"claimed: {time_text(value)}, {claimed['name']}",
                (1, value),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                fontsize=8,
                color=FAINT,
            )
    ticks(axes.yaxis, "ns")
    axes.set_xlabel("threads in one address space")
    axes.set_ylabel("processor time of one growth, 95 % intervals")
    figure_.legend(loc="outside right upper", fontsize=9)
    axes.set_title("Growth as threads are added")
    return figure_


def name(record):
    return record["peer"] if record["peer"] != OWN else record.case
