"""What processor time one growth takes as threads are added, per mechanism."""

from matplotlib.ticker import LogLocator

from .results import cases, values
from .style import FAINT, INK, curve, described, figure, is_narrow, key, label, ticks

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
    figure_, axes = figure(6.4 if is_narrow() else 5.0)
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
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ticks(axes.yaxis, "ns")
    label(axes, "threads in one address space", "processor time of one growth, 95 % intervals")
    key(figure_, columns=3)
    axes.set_title("Growth as threads are added")
    return described(
        figure_,
        "Processor time of one growth as threads are added, for each mechanism",
        "A line that rises is a mechanism whose threads cost each other time. Dotted lines are the kernel's own page fault and "
        "a computation that shares nothing, which show how much of a rise comes from the machine.",
    )


def name(record):
    return record["peer"] if record["peer"] != OWN else record.case
