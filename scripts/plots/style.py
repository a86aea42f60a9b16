"""How every plot looks: one colour for each strategy and peer, intervals, units, files.

Strategies have the colours of Okabe and Ito ("Color Universal Design", 2008), which people with any common kind of
colour blindness tell apart; peers have greys. Markers differ as well, so no plot depends on colour alone.
"""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
INK, FAINT, LINE = "#1D2328", "#5B6670", "#D9DEE3"

# What is drawn -> (colour, marker). Peers begin with a word of this table.
LOOKS = {
    "fault-move": (VERMILION, "D"),
    "fault": (BLUE, "o"),
    "check-move": (GREEN, "s"),
    "check-segment": (ORANGE, "^"),
    "check-fixed": (YELLOW, "v"),
    "demand": (SKY, "P"),
    "grows-down": (PURPLE, "X"),
    "fixed": (BLACK, "*"),
    # The code variants: plain code runs on `fault`, checked code on `check-move`, no-ops on nothing.
    "plain": (BLUE, "o"),
    "checked": (GREEN, "s"),
    "padded": ("#9AA5AF", "^"),
    # Peers.
    "go": ("#4A4A4A", "h"),
    "boost": ("#8A8A8A", "p"),
    "posix-thread": ("#A9A9A9", "d"),
    "thread": ("#A9A9A9", "d"),
    "ucontext": ("#A09384", "<"),
    "swift": ("#6B7F94", ">"),
    "libgcc": ("#9C8AA5", "8"),
    # Ways to move pages: shades of `fault-move`.
    "uffdio-move": (VERMILION, "D"),
    "mremap": ("#7A3500", "^"),
    "copy": ("#F2A97C", "s"),
    # Guards: shades of `fault`.
    "guard-pages": (BLUE, "o"),
    "prot-none": ("#7FB8D8", "D"),
}

VERDICTS = {
    "confirmed": (GREEN, "o"),
    "refuted": (VERMILION, "X"),
    "depends": (PURPLE, "D"),
    "not measurable here": (FAINT, "."),
}

plt.rcParams.update(
    {
        "figure.dpi": 100,
        "savefig.dpi": 160,
        "figure.constrained_layout.use": True,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 12,
        "axes.labelcolor": INK,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": LINE,
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "lines.markersize": 6,
        "errorbar.capsize": 2.5,
        "svg.hashsalt": "faultline",
    }
)


def look(name):
    """Colour and marker of a strategy or peer: of its name, else of the longest beginning that the table has."""
    name = name.lower()
    known = [key for key in LOOKS if name == key or name.startswith(key)]
    return LOOKS[max(known, key=len)] if known else (INK, "x")


def colour(name):
    return look(name)[0]


def errors(records, scale=1.0):
    """The intervals as distances from the medians, for errorbar and bar."""
    return [
        [(record.median - record.low) * scale for record in records],
        [(record.high - record.median) * scale for record in records],
    ]


def curve(axes, records, x, name, label=None, scale=1.0, **options):
    """A line through the medians with their intervals; `x` gives the place of a record."""
    shade, marker = look(name)
    records = sorted(records, key=x)
    options = {"color": shade, "marker": marker, "label": label or name} | options
    axes.errorbar(
        [x(record) for record in records],
        [record.median * scale for record in records],
        yerr=errors(records, scale),
        **options,
    )


def time_text(nanoseconds):
    """0.5 ns, 20 µs, 3 ms: a unit that leaves one to three digits before the point."""
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(nanoseconds) >= size * 0.9995:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def size_text(size):
    """512 B, 4 KiB, 1.5 MiB."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if abs(size) >= 1024**power * 0.9995:
            number = size / 1024**power
            return f"{number:.{4 if number >= 1000 else 3}g} {unit}"
    return f"{size:.3g} B"


def count_text(count):
    """750, 20 k, 3 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(count) >= size:
            return f"{count / (1e3 if size == 1e4 else size):.3g}{' k' if size == 1e4 else unit}"
    return f"{count:.4g}"


TEXTS = {"ns": time_text, "bytes": size_text, "count": count_text, "instructions": count_text}


def ticks(axis, unit):
    """Numbers with their unit at the ticks of an axis."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: TEXTS[unit](value)))
    axis.set_minor_formatter(NullFormatter())


def linear_ticks(axis, unit):
    """As `ticks`, on an axis from zero; sizes stand at powers of two times 1, 2, 4 or 8."""
    if unit == "bytes":
        high = axis.get_view_interval()[1]
        step = 2.0 ** max(0, math.ceil(math.log2(high / 5))) if high > 0 else 1
        axis.set_major_locator(MultipleLocator(step))
    axis.set_major_formatter(FuncFormatter(lambda value, _: TEXTS[unit](value) if value else "0"))


def size_axis(axes, sizes):
    """A horizontal axis of bytes by powers of two, with a tick at each size or at as many as fit."""
    axes.set_xscale("log", base=2)
    sizes = sorted(set(sizes))
    axes.set_xticks(sizes[:: max(1, -(-len(sizes) // 9))])
    ticks(axes.xaxis, "bytes")
    axes.minorticks_off()


def bars(axes, names, records, unit, colours=None, log=False):
    """Horizontal bars with intervals and the numbers beside them, the first on top."""
    places = range(len(records))
    axes.barh(
        places,
        [record.median for record in records],
        xerr=errors(records),
        height=0.68,
        error_kw={"ecolor": INK, "lw": 1},
        color=colours or [colour(name) for name in names],
        edgecolor=INK,
        linewidth=0.4,
    )
    for place, record in zip(places, records):
        axes.annotate(
            TEXTS[unit](record.median),
            (record.high, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.16)
    if log:
        axes.set_xscale("log")
        ticks(axes.xaxis, unit)
    else:
        linear_ticks(axes.xaxis, unit)


def figure(width=8.4, height=4.6, **options):
    """A new figure and its axes."""
    return plt.subplots(figsize=(width, height), **options)


def save(figure, path):
    """Writes PATH.svg and PATH.png. The title in the image is that of the figure, which readers of the report see."""
    title = getattr(figure, "caption", None) or figure.axes[0].get_title(loc="left")
    # Without a date the same records give the same file.
    figure.savefig(f"{path}.svg", metadata={"Title": title, "Date": None})
    figure.savefig(f"{path}.png", metadata={"Title": title})
    plt.close(figure)
