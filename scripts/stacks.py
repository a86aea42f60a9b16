"""Draws one deep recursion on each kind of stack: resident memory over time, with the times at which it made room.
`scripts/stacks` runs this; the recursion is `faultline experiment stack-memory`, in a process of its own each time."""

import os
import random
import resource
import subprocess
import sys

from plots.style import FAINT, INK, SMALLEST_TEXT, colour, described, figure, folded, save, words

# In the order of the panels.
STRATEGIES = ["fixed", "demand", "grows-down", "fault", "fault-move", "check-fixed", "check-move", "check-segment"]
LEVELS = 600_000
MAXIMUM = 64 << 20
RUNS = 7
# Thinner than a line is wide.
SMALLEST_CHANGE = 0.01 * MAXIMUM
CHECKED = ("check-move", "check-segment")
# Segments are less than half full: each leaves room for calls of code without checks.
SEGMENTS_MAXIMUM = 4 * MAXIMUM


class Run:
    """What one process said: samples of time in ms, bytes and growths; when the recursion and the stack ended."""

    def __init__(self, output):
        # Nothing is there when the stack is asked for.
        self.samples = [(0.0, 0, 0)]
        for line in output.splitlines():
            key, _, value = line.partition("=")
            if key.startswith("sample/"):
                time, size, growths = value.split()
                self.samples.append((int(time) / 1e6, max(0, int(size)), int(growths)))
            elif key == "returned":
                self.returned = int(value) / 1e6
        self.ended = self.samples[-1][0]

    def line(self):
        """The samples that are needed to draw it."""
        kept = self.samples[:1]
        for before, sample in zip(self.samples, self.samples[1:]):
            if abs(sample[1] - kept[-1][1]) > SMALLEST_CHANGE:
                if before is not kept[-1]:
                    kept.append(before)
                kept.append(sample)
        return kept + self.samples[-1:]

    def growths(self):
        """The first sample after each time that room was made."""
        return [sample for before, sample in zip(self.samples, self.samples[1:]) if sample[2] > before[2]]


def unlimited_stack():
    """`grows-down` may use as much as the limit of the main thread's stack."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    wanted = 2 * MAXIMUM
    resource.setrlimit(resource.RLIMIT_STACK, (wanted if hard == resource.RLIM_INFINITY else min(hard, wanted), hard))


def measured(faultline, strategy):
    """One run, or None with a message where this system or a missing compiler refuses it."""
    maximum = SEGMENTS_MAXIMUM if strategy == "check-segment" else MAXIMUM
    options = [f"strategy={strategy}", f"levels={LEVELS}", f"maximum={maximum}"]
    finished = subprocess.run(
        [faultline, "experiment", "stack-memory", *options],
        capture_output=True, text=True, check=False, timeout=120, preexec_fn=unlimited_stack,
    )
    if finished.returncode:
        reason = (finished.stderr.splitlines() or [f"exit status {finished.returncode}"])[0]
        print(f"scripts/stacks: {strategy} is left out: {reason}", file=sys.stderr)
        return None
    return Run(finished.stdout)


def all_measured(faultline):
    """For each strategy the run of median duration; the strategies take turns."""
    runs = {strategy: [] for strategy in STRATEGIES}
    left_out = set()
    order = random.Random(1)
    for _ in range(RUNS):
        for strategy in order.sample(STRATEGIES, len(STRATEGIES)):
            if strategy in left_out:
                continue
            run = measured(faultline, strategy)
            if run is None:
                left_out.add(strategy)
            else:
                runs[strategy].append(run)
    return {
        strategy: sorted(found, key=lambda run: run.ended)[len(found) // 2]
        for strategy, found in runs.items()
        if strategy not in left_out
    }


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, Linux {os.uname().release.split('-')[0]}"


def draw(runs):
    columns = 4
    rows = -(-len(runs) // columns)
    whole, grid = figure(0.9 + 2.2 * rows, nrows=rows, ncols=columns, sharex=True, sharey=True, squeeze=False)
    panels = [axes for row in grid for axes in row]
    for axes in panels[len(runs):]:
        axes.set_visible(False)
    for axes, (strategy, run) in zip(panels, runs.items()):
        draw_panel(axes, strategy, run)
    longest = max(run.ended for run in runs.values())
    panels[0].set_xlim(-0.03 * longest, 1.03 * longest)
    panels[0].set_ylim(0, None)
    for row in grid:
        row[0].set_ylabel("resident, MiB")
    for axes in grid[-1]:
        axes.set_xlabel("ms since it was asked for")
    explained = f"Dotted: the recursion has returned to its start; the line ends when the stack is given back. {processor()}"
    whole.suptitle(
        f"One recursion of {LEVELS:,} calls on each kind of stack", x=0.01, ha="left", fontsize=13, fontweight="bold"
    )
    whole.supxlabel(folded(explained, 95), fontsize=SMALLEST_TEXT, color=FAINT, x=0.01, ha="left")
    return described(whole, "One deep recursion on each kind of stack", explained)


def draw_panel(axes, strategy, run):
    shade = colour(strategy)
    mebibyte = 1 << 20
    times, sizes, _ = zip(*run.line())
    sizes = [size / mebibyte for size in sizes]
    axes.fill_between(times, sizes, color=shade, alpha=0.18, linewidth=0)
    axes.plot(times, sizes, color=shade, linewidth=1.6)
    axes.axvline(run.returned, color=INK, linewidth=0.8, linestyle=":")
    growths = run.growths()
    number = run.samples[-1][2]
    what = "failed check" if strategy in CHECKED else "trap"
    if number:
        shown = growths[:: max(1, len(growths) // 30)]
        axes.plot(
            [sample[0] for sample in shown], [sample[1] / mebibyte for sample in shown], linestyle="",
            marker="^" if strategy in CHECKED else "o", markersize=4, color=INK, markerfacecolor="white",
            markeredgewidth=0.8,
        )
        caption = f"{number} {what}{'' if number == 1 else 's'}"
    elif strategy == "fixed":
        caption = "all of it at once"
    elif strategy == "grows-down":
        caption = "the kernel extends the mapping"
    else:
        caption = "the kernel's page faults alone"
    axes.set_title(folded(words(strategy), 19), fontsize=9.5, pad=26)
    axes.text(0, 1.03, folded(caption, 24), transform=axes.transAxes, fontsize=SMALLEST_TEXT, color=FAINT)


def main(faultline, path):
    runs = all_measured(faultline)
    if not runs:
        sys.exit("scripts/stacks: no kind of stack could be measured")
    whole = draw(runs)
    try:
        save(whole, path.removesuffix(".svg"), png=False)
    except OSError as error:
        sys.exit(f"scripts/stacks: cannot write '{path}': {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
