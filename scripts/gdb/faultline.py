"""gdb commands for programs with Faultline's coroutines: `help faultline` in gdb lists them.

    gdb -x scripts/gdb/faultline.py PROGRAM [PID or CORE]        or, in gdb: source scripts/gdb/faultline.py

They read the table of stacks (CShim/src/stack_table.c) through the debug information of the shim. Nothing is called in
the process, no register is set, and memory of a hibernated stack is never touched: that would be a fault.
"""
import contextlib
import os
import re
import shutil
import subprocess
import sys

import gdb
import gdb.unwinder

sys.dont_write_bytecode = True  # gdb's own Python: nothing is to be left beside the script
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faultline_table import Table

LISTED = 1000  # coroutines, unless all are asked for
FRAMES = 256  # of one backtrace
LIBRARY = re.compile(r"fl_|\$s9Faultline|\?\?")  # and what has no name


@contextlib.contextmanager
def selection_kept():
    """Leaves the selected thread and frame as they are."""
    thread, level = gdb.selected_thread(), 0
    try:
        selected, frame = gdb.selected_frame(), gdb.newest_frame()
        while frame and frame != selected:
            level, frame = level + 1, frame.older()
    except gdb.error:
        thread = None  # there is none, or it runs
    try:
        yield
    finally:
        if thread:
            thread.switch()
            frame = gdb.newest_frame()
            for _ in range(level):
                frame = frame.older() or frame
            frame.select()


class SwitchedAway(gdb.unwinder.Unwinder):
    """Offers a suspended coroutine's context as the caller of the selected thread's latest frame. Core files allow no
    register to be set, and a process must not be left with one that was."""

    def __init__(self):
        super().__init__("faultline")
        self.context = self.latest = None

    def __call__(self, pending):
        if not self.context:
            return None
        sp, pc = pending.read_register("rsp"), pending.read_register("rip")
        if (int(pc), int(sp)) != self.latest:
            return None
        # gdb takes a stack for damaged where a caller's frame lies below: so this one claims to lie below it.
        below = gdb.Value(self.context[1] - 16).cast(sp.type)
        info = pending.create_unwind_info(FrameIdentity(below, pc))
        for register, value in zip(("rip", "rsp", "rbp"), self.context):
            info.add_saved_register(register, gdb.Value(value).cast(pending.read_register(register).type))
        return info

    def frames(self, context, outermost, most):
        """Address, name and place of each frame, up to the coroutine's outermost one; and whether that was reached."""
        newest = gdb.newest_frame()
        while newest.type() == gdb.INLINE_FRAME:
            newest = newest.older()
        self.latest = int(newest.read_register("rip")), int(newest.read_register("rsp"))
        try:
            self.context = context
            gdb.invalidate_cached_frames()
            with gdb.with_parameter("backtrace past-main", True), gdb.with_parameter("backtrace past-entry", True):
                frame = gdb.newest_frame()
                while frame.type() == gdb.INLINE_FRAME:
                    frame = frame.older()
                return described(frame.older(), outermost, most)
        finally:
            self.context = None
            gdb.invalidate_cached_frames()


class FrameIdentity:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def described(frame, outermost, most):
    lines, complete = [], False
    try:
        while frame and len(lines) < most and not complete:
            # The outermost frame has a place that does not depend on its name.
            complete = int(frame.read_register("rsp")) == outermost
            where, library = frame.find_sal(), gdb.solib_name(frame.pc())
            if where.symtab and where.line:
                where = f" at {where.symtab.filename}:{where.line}"
            else:
                where = f" from {library}" if library else ""
            lines.append((frame.pc(), frame.name() or "??", where))
            frame = frame.older()
    except gdb.error:
        pass  # what there is is shown
    return lines, complete


def function_at(table, ip):
    if ip not in table.functions:
        text = gdb.execute(f"info symbol {ip:#x}", to_string=True)
        table.functions[ip] = "??" if text.startswith("No symbol") else re.split(r" \+ | in section ", text)[0]
    return table.functions[ip]


def backtrace_of(table, coroutine, most=FRAMES):
    """Its frames, innermost first; whether they are all; and else why not."""
    if coroutine.state == "hibernated":
        return [], False, "hibernated: its frames are in the store, compressed, until it is resumed"
    if coroutine.state == "created":
        return [], True, "not started: it has no frames"
    if coroutine.thread:
        coroutine.thread.switch()
        lines, complete = described(gdb.newest_frame(), coroutine.frame, most)
    else:
        if coroutine.state == "running" and not coroutine.resumed:
            return [], False, "running, but its frames are not on top of any thread that stopped: it is being switched"
        if not table.is_there(coroutine) or coroutine.resumed and not table.is_there(coroutine.resumed):
            return [], False, "its memory is not in the core file"
        lines, complete = unwinder.frames(table.context(coroutine), coroutine.frame, most)
    why = f"only {most} frames are shown" if len(lines) == most else "no further frame can be unwound"
    return lines, complete, "" if complete else why


def top_of(table, coroutine, is_brief):
    """The first frame outside the library, or where that is not known, the function that it continues in."""
    if coroutine.state in ("hibernated", "created"):
        return "-"
    if is_brief:
        return function_at(table, coroutine.ip)
    lines, _, why = backtrace_of(table, coroutine, 32)
    for _, name, where in lines:
        if not LIBRARY.match(name):
            return f"{name}{where}"
    return function_at(table, coroutine.ip) + (f" ({why})" if not lines else "")


def line_of(table, coroutine, is_brief):
    used = "-"
    if coroutine.state not in ("running", "hibernated", "created"):
        used = f"{coroutine.base - coroutine.sp:,}"
    thread = "-" if not coroutine.owner else f"{coroutine.owner} {table.thread_names.get(coroutine.owner, '')}".strip()
    bounds = f"{coroutine.low:#x}-{coroutine.base:#x}"
    state = f"resumed {coroutine.resumed.index}" if coroutine.resumed else coroutine.state
    return f"{coroutine.index:>8}  {state:<11} {coroutine.strategy:<13} {bounds:<30} {used:>12}  {thread:<14}  " + \
        top_of(table, coroutine, is_brief)


def write(lines):
    """With Swift's names as they are written, where its demangler is at hand."""
    text = "\n".join(lines) + "\n"
    demangler = shutil.which("swift-demangle")
    if demangler and "$s" in text:
        done = subprocess.run([demangler, "--simplified"], input=text, capture_output=True, text=True, check=False)
        text = done.stdout if done.returncode == 0 else text
    gdb.write(text)


class Prefix(gdb.Command):
    """Coroutines of the library Faultline, in a process or a core file.

A core file has the frames of coroutines that ran, and of each on a grows-down stack. The memory of others is left out
of it, so that it stays small: attach to the process while it lives. A hibernated coroutine has no frames to show."""

    def __init__(self):
        super().__init__("faultline", gdb.COMMAND_STACK, prefix=True)


class List(gdb.Command):
    """List coroutines: faultline coroutines [all]

Number, state, strategy, usable addresses, bytes in use, the thread that it belongs to, and its first frame outside the
library. `resumed N` is one that waits until N suspends. Bytes of a check-segment stack are those of its latest segment.
Shows 1,000; with `all` each, and of those after the first 1,000 only the function that a switch continues in. A stack
that was given back before its coroutine started is listed as created."""

    def __init__(self):
        super().__init__("faultline coroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        with selection_kept():
            self.show(argument)

    def show(self, argument):
        if argument.strip() not in ("", "all"):
            raise gdb.GdbError("faultline coroutines takes nothing or `all`")
        table, lines, counts = Table(), [], {}
        lines.append(f"{'number':>8}  {'state':<11} {'strategy':<13} {'usable':<30} {'in use':>12}  {'thread':<14}  in")
        total = 0
        for words, start in table.entries():
            state = table.state(words, start)
            counts[state] = counts.get(state, 0) + 1
            if total < LISTED or argument.strip() == "all":
                lines.append(line_of(table, table.coroutine(words, start), total >= LISTED))
            total += 1
        summary = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
        lines.append(f"{total:,} coroutines" + (f": {summary}" if total else ""))
        if len(lines) - 2 < total:
            lines.append(f"the first {LISTED:,} are shown: faultline coroutines all")
        write(lines)


class Backtrace(gdb.Command):
    """Show the frames of one coroutine, or of each: faultline backtrace NUMBER | all

At most 256 frames of each, innermost first, up to its outermost one. Those of a coroutine that runs begin with the
latest of its thread."""

    def __init__(self):
        super().__init__("faultline backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        with selection_kept():
            self.show(argument.strip())

    def show(self, argument):
        if argument != "all" and not re.fullmatch(r"[0-9]{1,9}", argument):
            raise gdb.GdbError("faultline backtrace takes the number of a coroutine or `all`")
        table = Table()
        some = (table.coroutine(*entry) for entry in table.entries()) if argument == "all" else \
            [table.numbered(int(argument))]
        lines = []
        for coroutine in some:
            thread = f", thread {coroutine.thread.num}" if coroutine.thread else ""
            if coroutine.resumed:
                thread = f", has resumed {coroutine.resumed.index}"
            lines.append(f"coroutine {coroutine.index} ({coroutine.state}{thread}):")
            frames, _, why = backtrace_of(table, coroutine)
            lines += [f"#{level:<3} {pc:#018x} in {name}{where}" for level, (pc, name, where) in enumerate(frames)]
            if why:
                lines.append(f"    {why}")
        write(lines)


unwinder = SwitchedAway()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
Prefix()
List()
Backtrace()
