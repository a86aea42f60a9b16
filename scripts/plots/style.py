"""How every plot looks: one colour for each strategy and peer, words for their names, intervals, units, files.

Each plot is drawn twice, for a wide column and for a phone, with text that can be read at the width at which it is shown. Text
stays text, in fonts that most systems have with the same widths, and colours change with the reader's choice of dark or light.

Strategies have the colours of Okabe and Ito ("Color Universal Design", 2008), which people with any common kind of
colour blindness tell apart; peers have greys. Markers differ as well, so no plot depends on colour alone.
"""

import io
import math
import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, MultipleLocator, NullFormatter

# Inches at which a plot is drawn. The page shows it at about 1.2 times that of its points.
WIDE, NARROW = 8.6, 3.9
# Points; smaller text would not be read on a phone.
SMALLEST_TEXT = 8.5

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
INK, FAINT, LINE = "#1D2328", "#5B6670", "#D9DEE3"
# A claimed number, which is told from light and dark.
MARK = "#9AA5AF"

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
    "padded": (MARK, "^"),
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
    "not distinguishable from zero": (FAINT, "="),
    "not measurable here": (FAINT, "."),
}

# What names of code are called; longer names first.
WORDS = (
    ("fault-guard-pages", "page fault, guard pages"),
    ("fault-prot-none", "page fault, protected pages"),
    ("fault-move-uffdio-move", "page fault, moving pages"),
    ("fault-move-mremap", "page fault, remapping"),
    ("fault-move-copy", "page fault, copying"),
    ("fault-move", "page fault, moves"),
    ("check-move-uffdio-move", "check, moving pages"),
    ("check-move-mremap", "check, remapping"),
    ("check-move-copy", "check, copying"),
    ("check-move", "check, moves"),
    ("check-segment", "check, segments"),
    ("check-fixed", "check, fixed size"),
    ("grows-down", "the kernel's growing mapping"),
    ("libgcc-split-stack", "libgcc's split stacks"),
    ("guard-pages", "guard pages"),
    ("prot-none", "protected pages"),
    ("uffdio-move", "moving pages"),
    ("mremap", "remapping"),
    ("posix-thread", "POSIX thread"),
    ("boost-fcontext", "Boost.Context"),
    ("boost", "Boost"),
    ("swift", "Swift"),
    ("faultline", "this library"),
)
STRATEGIES = {"fault": "page fault, in place", "demand": "the kernel's demand paging", "fixed": "fixed size"}

# Light colours and what they become on a dark page; all others are told from both.
DARK = {
    INK: "#DFE5EA",
    FAINT: "#9BA7B1",
    LINE: "#333C44",
    BLACK: "#F2F5F7",
    "#F1F3F5": "#1F262C",
    "#4A4A4A": "#C4C9CE",
    "#FFFFFF": "#14181C",
    BLUE: "#4BA3DC",
    "#7A3500": "#C07A3C",
    YELLOW: "#D8CC3A",
}

# The way in which plots are drawn at the moment.
_narrow = False

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
        "svg.fonttype": "none",
    }
)


def words(name):
    """What a reader calls a strategy, guard, mover or peer."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    for code, word in WORDS:
        name = re.sub(rf"(?<![\w-]){re.escape(code)}(?![\w-])", word, name)
    name = re.sub(r"\bgo(1\.[\d.]+)", r"Go \1", name)
    return re.sub(r"(\d)([KMGT]iB)", r"\1 \2", name)


def draw_narrow(is_narrow):
    """Whether figures that are made from now on are for a phone."""
    global _narrow
    _narrow = is_narrow


def is_narrow():
    return _narrow


def folded(text, length):
    """The text in lines of at most that many characters."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


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
    options = {"color": shade, "marker": marker, "label": words(label or name)} | options
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
    return f"{count:.{4 if abs(count) >= 1000 else 3}g}"


def ratio_text(ratio):
    """1.51 ×."""
    return f"{ratio:.3g}\u00a0×"


def share_text(share):
    """6.1 %."""
    return f"{100 * share:.3g} %"


TEXTS = {
    "ns": time_text, "bytes": size_text, "count": count_text, "instructions": count_text, "ratio": ratio_text,
    "share": share_text,
}


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


def bars(axes, texts, records, unit, colours=None, log=False):
    """Horizontal bars with intervals and the numbers beside them, the first on top."""
    places = range(len(records))
    axes.barh(
        places,
        [record.median for record in records],
        xerr=errors(records),
        height=0.68,
        error_kw={"ecolor": INK, "lw": 1},
        color=colours or [colour(name) for name in texts],
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
    names(axes, texts)
    axes.margins(x=0.16)
    if log:
        axes.set_xscale("log")
        ticks(axes.xaxis, unit)
    else:
        linear_ticks(axes.xaxis, unit)


def intervals(axes, texts, rows, series, unit, claimed=None, log=False, is_numbered=True):
    """A row for each name, the first on top: its medians with their intervals, and that of the first series as a number
    unless told not to.

    `rows` holds for each name its records by series, of which `series` tells colour, marker, whether it is filled, and the
    name; `claimed` the claimed ranges of a row."""
    shifts = [0.18 * (2 * index / (len(series) - 1) - 1) if len(series) > 1 else 0 for index in range(len(series))]
    records = [record for row in rows for record in row.values()]
    for place, row in enumerate(rows):
        for (kind, (shade, marker, is_filled, _)), shift in zip(series.items(), shifts):
            if kind in row:
                axes.errorbar(
                    row[kind].median, place + shift, xerr=errors([row[kind]]), color=shade, marker=marker,
                    markerfacecolor=shade if is_filled else "white", linestyle="", zorder=3,
                )
        first = row.get(next(iter(series)))
        if first and is_numbered:
            axes.annotate(
                TEXTS[unit](first.median), (max(record.high for record in row.values()), place), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=9,
            )
    names(axes, texts)
    # What is not above zero has no place on a logarithmic axis.
    if log and all(record.low > 0 for record in records):
        axes.set_xscale("log")
        ticks(axes.xaxis, unit)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: TEXTS[unit](value) if value else "0"))
    axes.margins(x=0.24 if _narrow else 0.14)
    ranges = [(place, *ends) for place, own in (claimed or {}).items() for ends in own]
    axes.update_datalim([(end, 0) for _, *ends in ranges for end in ends if end is not None])
    axes.autoscale_view(scaley=False)
    if axes.get_xscale() == "log":
        # As many ticks as a panel has place for.
        left, right = axes.get_xlim()
        decades = math.log10(right / left)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 1.3 else (1, 3) if decades < 2.6 else (1,), numticks=6))
    for place, low, high in ranges:
        claimed_range(axes, place, low, high)
    for shade, marker, is_filled, text in series.values() if len(series) > 1 else ():
        axes.plot([], [], color=shade, marker=marker, markerfacecolor=shade if is_filled else "white", linestyle="", label=text)
    if claimed:
        axes.plot([], [], color=MARK, linewidth=3, label="claimed")


def ratios(axes, texts, rows, series, claimed=None):
    """Rows of ratios with their intervals beside 1, where both are equal."""
    intervals(
        axes, texts, rows, series, "ratio", claimed, log=spread(record for row in rows for record in row.values()) > 6
    )
    axes.axvline(1, color=INK, linewidth=1, zorder=1)


def spread(records):
    """How many times the lowest end of an interval the highest is."""
    ends = [end for record in records for end in (record.low, record.high)]
    return max(ends) / min(ends) if ends and min(ends) > 0 else math.inf


def claimed_range(axes, place, low, high):
    """What is claimed of a row: a range, which an open end lets reach to the edge, or one number."""
    left, right = axes.get_xlim()
    low, high = left if low is None else low, right if high is None else high
    if math.isclose(low, high):
        axes.plot([low, low], [place - 0.31, place + 0.31], color=MARK, linewidth=3, zorder=1)
    else:
        axes.barh(place, high - low, left=low, height=0.62, color=LINE, zorder=0.5)
    axes.set_xlim(left, right)


def listed(texts):
    """a, b and c."""
    *others, last = texts
    comma = ";" if any("," in text for text in texts) else ","
    return f"{f'{comma} '.join(others)} and {last}" if others else last


def sentence(text):
    return f"{text[:1].upper()}{text[1:]}."


def told(rows, more, less):
    """Sentences that tell names with ratios above 1, below it, and on both sides: "More for a and b. Not told apart: c." """
    groups = {more: [], less: [], "not told apart:": []}
    for name, record in rows.items():
        groups[more if record.low > 1 else less if record.high < 1 else "not told apart:"].append(name)
    return " ".join(
        sentence(f"{word} {listed(own) if len(own) < len(rows) or len(own) < 3 else f'all {len(own)}'}")
        for word, own in groups.items()
        if own
    )


def figure(height=4.6, nrows=1, ncols=1, rows=None, **options):
    """A new figure and its axes. On a phone panels stand below each other, and rows that `rows` counts have a line for their
    names."""
    if not _narrow:
        return plt.subplots(nrows, ncols, figsize=(WIDE, height), **options)
    panels = nrows * ncols
    if rows:
        height = 1.6 + 0.58 * rows
    elif ncols > 1:
        height = 0.6 + 2.9 * panels
    options.pop("width_ratios", None)
    if ncols > 1 and rows:
        height = 1.0 + panels * (0.9 + 0.58 * rows)
    whole, grid = plt.subplots(panels, 1, figsize=(NARROW, height), **_unshared(options))
    if ncols > 1 and not options.get("squeeze", True):
        # Column after column, so that what belongs together stays together.
        grid = grid.reshape(ncols, nrows).T
    return whole, grid


def _unshared(options):
    return {name: value for name, value in options.items() if name not in ("sharex", "sharey")}


def names(axes, texts, places=None):
    """Names of rows: beside the axis, or on a phone above what they name."""
    places = list(range(len(texts))) if places is None else places
    axes.grid(axis="y", visible=False)
    if not _narrow:
        axes.set_yticks(places, texts)
        axes.set_ylim(max(places) + 0.55, min(places) - 0.55)
        return
    axes.set_yticks(places, [""] * len(places))
    axes.tick_params(axis="y", length=0)
    for place, text in zip(places, texts):
        axes.annotate(
            " ".join(text.split()), (0, place - 0.36), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="bottom", fontsize=9, zorder=5, annotation_clip=False,
        )
    axes.set_ylim(max(places) + 0.6, min(places) - 0.95)


def key(figure, handles=None, labels=None, columns=2, axes=None):
    """The legend below a figure."""
    if handles is None:
        handles, labels = (axes or figure.axes[0]).get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=1 if _narrow else columns, fontsize=9)


def label(axes, x=None, y=None):
    """Names of axes, in lines that fit."""
    if x:
        axes.set_xlabel(folded(x, 44 if _narrow else 58), fontsize=9.5)
    if y:
        axes.set_ylabel(folded(y, 34 if _narrow else 40), fontsize=9.5)


def described(figure, title, caption):
    """The title that stands for the image where it is not seen, and what is to be seen in it, which stands below. Panels keep
    their own titles."""
    panels = [axes for axes in figure.axes if axes.get_visible()]
    if len(panels) == 1:
        panels[0].set_title("")
    if _narrow:
        for axes in panels:
            axes.set_title(folded(axes.get_title(loc="left"), 38), fontsize=11)
    figure.described = (title, " ".join(caption.split()))
    return figure


def save(figure, path, png=True):
    """Writes PATH.svg, and PATH.png unless told not to."""
    title, caption = figure.described
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_text().strip() and text.get_visible() and text.get_fontsize() < SMALLEST_TEXT:
            raise ValueError(f"'{text.get_text()}' is set in {text.get_fontsize()} points, too small for a phone")
    data = io.StringIO()
    # Without a date the same records give the same file.
    figure.savefig(
        data, format="svg", transparent=True, metadata={"Title": title, "Description": caption, "Date": None}
    )
    with open(f"{path}.svg", "w", encoding="utf-8") as file:
        file.write(themed(data.getvalue()))
    if png:
        figure.savefig(f"{path}.png", metadata={"Title": title})
    plt.close(figure)


def themed(svg):
    """The image with fonts that most systems have, and with colours for a dark page."""
    rules = "".join(
        f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark}!important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    # matplotlib leaves out the fill of what is black, as text may be.
    rules = f"text:not([style*=fill]){{fill:{DARK[BLACK]}}}{rules}"
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return re.sub(r"(<svg\b[^>]*>)", lambda start: start.group(1) + style, svg, count=1)
