#!/usr/bin/env python3
"""Checks three rules of CShim that no compiler knows: what code in signal context may call, where system calls are
made, and the order of the files.

Signal context. A function says in the comment of its declaration, or of its definition where it has no other:
`Signal context: handler only`, `callable` or `forbidden`. What a function marked with one of the first two names, by a
call or by taking an address, must be marked, too: a callable function names callable ones, one for handlers names both.
Outside the shim it may only call what LIBRARY and SYSTEM_CALLS list. So everything that a handler reaches is covered,
as each HANDLER must be marked itself.

System calls. src/system.c makes them, each at a site of its own, so that a test can make it fail. DIRECT lists those
that are made elsewhere, and why.

Order. A part is a .c or .S file with its headers, the one of its name in include/ among them. CShim/README.md lists
them, and a part names and includes only parts above it. VOCABULARY lists the headers that have types for parts above
theirs; what is used of them beyond types is a call, and checked as one.

The calls come from the toolchain's clang (unoptimized LLVM IR with debug information), one file at a time.

    calls.py        checks CShim and prints one line for each finding; exit status 1 when there is one
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

MAY_NAME = {"handler only": {"handler only", "callable"}, "callable": {"callable"}}

# Where the kernel enters the shim.
HANDLERS = {("core_dump", "show_and_end"), ("fault_handler", "handle_fault"), ("provoke", "provoke")}

# Named in signal context, but not run there: the interrupted code comes to them after the handler has returned.
RUNS_LATER = {
    "fl_contained_finish": "an instruction pointer that the interrupted context continues at",
    "fl_contained_return": "a return address",
    "fl_fiber_entry": "compared with return addresses",
    "handle_fault": "compared with the handler in force",
}

# What may be called outside the shim, by any file. All take no lock and allocate nothing; a system call among them
# cannot be refused, or its refusal is an answer.
LIBRARY = {
    "__start_fl_text": "an address that the linker makes",
    "__stop_fl_text": "likewise",
    "__errno_location": "an address in the static TLS block",
    "_dl_find_object": "glibc documents it as async-signal-safe",
    "_exit": "POSIX: async-signal-safe",
    "clock_gettime": "POSIX: async-signal-safe; the vDSO's",
    "getpid": "POSIX: async-signal-safe",
    "mincore": "asks only",
    "process_vm_readv": "asks only",
    "sched_yield": "cannot be refused",
    "nanosleep": "cannot be refused, only cut short",
    "sigaddset": "POSIX: async-signal-safe",
    "sigemptyset": "POSIX: async-signal-safe",
    "sigorset": "arithmetic",
    "sigprocmask": "POSIX: async-signal-safe; cannot be refused",
    "swift_retain": "its address tells whose code it is",
}

# System calls that src/system.c makes for all others. They take no lock and allocate nothing.
SYSTEM_CALLS = set(
    "close dup fcntl getrlimit ioctl kill madvise mlock mmap mprotect mremap msync munlock munmap open openat "
    "poll prctl pread process_madvise raise read setrlimit sigaction sigaltstack syscall tgkill write".split()
)

# Where else one may be made: the part, the call, and why no test needs to make it fail.
DIRECT = {
    ("capabilities", "close"): "of what it opened",
    ("capabilities", "getrlimit"): "a limit that cannot be read is none",
    ("capabilities", "open"): "a setting of the kernel that cannot be read is unknown",
    ("capabilities", "read"): "the same",
    ("core_dump", "sigaction"): "asks whose handler is in force",
    ("core_dump", "syscall"): "a signal to the thread itself",
    ("fault_handler", "sigaction"): "asks whose handler is in force, and puts a former one back",
    ("fault_handler", "syscall"): "a signal to the thread itself",
    ("message", "sigaction"): "the process ends; nothing may keep it from that",
    ("message", "syscall"): "the same",
    ("message", "write"): "the same; without the message the exit status still tells",
    ("sanitizers", "syscall"): "without the page all is as without this library",
    ("provoke", "sigaction"): "a debug knob, whose caller gets the error",
    ("provoke", "syscall"): "the thread's own number",
}

# Public headers that are included above the part of their name, by any part or by one, for types.
VOCABULARY = {
    "fl_debug.h": "the names of sites",
    "fl_fault.h": "facts and reports of faults",
    "fl_stack.h": "the control block",
    "swift_task_local.h": "functions of the Swift runtime",
    ("stack_store", "fl_hibernation.h"): "the usage of the store",
    ("unwind_expressions", "fl_unwind.h"): "the registers and rules of a frame",
}


@dataclasses.dataclass
class Symbol:
    """A function or a variable, and what its definition names."""

    name: str
    file: str
    line: int
    is_function: bool
    is_local: bool
    calls: set = dataclasses.field(default_factory=set)
    addresses: set = dataclasses.field(default_factory=set)


def part_of(file):
    """The part that a file belongs to: include/fl_stack.h and src/stack.h are the headers of src/stack.c."""
    path = pathlib.PurePath(file)
    if path.suffix == ".S":
        return path.name
    return {"CSwitch": "switch"}.get(path.stem, path.stem.removeprefix("fl_")) if path.suffix == ".h" else path.stem


# MARK: reading

NAME = re.compile(r'@(?:"((?:[^"\\]|\\.)*)"|([\w.$]+))(\()?')
NOISE = re.compile(r'(?<![@!])"(?:[^"\\]|\\.)*"')  # strings, the text of inline assembly among them


def names_in(text):
    """Pairs of a name and whether it is called there."""
    for quoted, plain, parenthesis in NAME.findall(NOISE.sub("", text)):
        name = quoted.removeprefix("\\01") or plain
        if not name.startswith("llvm."):  # intrinsics: instructions, memcpy, memmove and memset
            yield name, bool(parenthesis)


def read_ir(text, source):
    """The symbols that one file of LLVM IR defines."""
    files = re.findall(r'^(!\d+) = !DIFile\(filename: "([^"]*)"', text, re.M)
    files = {number: posixpath.normpath(file) for number, file in files}
    places = {}
    for number, fields in re.findall(r"^(!\d+) = distinct !(?:DISubprogram|DIGlobalVariable)\((.*)\)$", text, re.M):
        file, line = re.search(r"file: (!\d+)", fields), re.search(r"\bline: (\d+)", fields)
        places[number] = (files[file[1]], int(line[1])) if file and line else (source, 0)
    symbols, current = [], None
    for line in text.splitlines():
        if current:
            if line == "}":
                current = None
                continue
            for name, called in names_in(line):
                (current.calls if called else current.addresses).add(name)
            continue
        found = re.match(r'(define|@\S+ = )(.*)', line)
        if not found or re.search(r" (external|extern_weak) ", line.split("=", 1)[-1][:60]) and found[1] != "define":
            continue
        name = next(names_in(line))[0]
        place = re.search(r"!dbg (!\d+)", line)
        file, number = places.get(place[1], (source, 0)) if place else (source, 0)
        is_function = found[1] == "define"
        symbol = Symbol(name, file, number, is_function, bool(re.search(r"\b(internal|private)\b", line.split("(")[0])))
        symbols.append(symbol)
        if is_function:
            current = symbol
        else:
            symbol.addresses.update(other for other, _ in names_in(line) if other != name)
    return symbols


def read_assembly(path, text):
    """The symbols of an assembly file. Each is taken to name what any of them names."""
    code = re.sub(r"//.*", "", text)
    defined = re.findall(r"^\s*\.globl\s+(\w+)", code, re.M)
    named = set(re.findall(r"\b(?:call|jmp)q?\s+([a-z_]\w+)", code))
    named |= set(re.findall(r"\b([a-z_]\w+)(?:@gottpoff)?\(%rip\)", code))
    return [Symbol(name, path, 0, True, False, set(), named - set(defined)) for name in defined]


def compiler():
    swift = shutil.which("swift")
    beside = pathlib.Path(os.path.realpath(swift)).with_name("clang") if swift else None
    return str(beside) if beside and beside.exists() else "clang"


def read_source(path, root, includes):
    if path.endswith(".S"):
        return read_assembly(path, (root / path).read_text())
    # Without the passes, or calls of functions that are always inlined are gone.
    command = [compiler(), "-std=gnu17", "-O0", "-g", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm", "-o", "-"]
    command += [path, *(f"-I{folder}" for folder in includes)]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{path}: {run.stderr}")
    return read_ir(run.stdout, path)


def read_sources(paths, root, includes):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(paths, pool.map(lambda path: read_source(path, root, includes), paths)))


NOT_A_NAME = {"__attribute__", "visibility", "tls_model", "no_sanitize", "enum_extensibility", "__asm__", "section"}


def read_marks(text):
    """The marks of the functions that a file declares or defines."""
    marks, comment, code = {}, [], ""
    for line in text.splitlines():
        if not code and line.startswith("//"):
            comment.append(line.lstrip("/ "))
            continue
        if not code and (not line.strip() or line[0] in " #}"):
            comment = []
            continue
        code += line + "\n"
        if not re.search(r"[;{]", line):
            continue
        mark = re.search(r"Signal context:\s+(handler only|callable|forbidden)\b", " ".join(comment))
        name = next((name for name in re.findall(r"\b(\w+)\s*\(", code) if name not in NOT_A_NAME), None)
        if mark and name:
            marks[name] = mark[1]
        comment, code = [], ""
    return marks


# MARK: rules


class Graph:
    def __init__(
        self, sources, texts, library=LIBRARY, system_calls=SYSTEM_CALLS, direct=DIRECT, runs_later=RUNS_LATER,
        handlers=HANDLERS
    ):
        """`sources`: the symbols of each file that was compiled; `texts`: those files and their headers."""
        self.library, self.system_calls, self.direct = library, system_calls, direct
        self.runs_later, self.handlers = runs_later, handlers
        self.used = set()  # entries of `library` and `runs_later` that something needs
        self.marks = {file: read_marks(text) for file, text in texts.items()}
        self.shared = {}  # by name
        self.all = {}     # by file and name: an inline function appears in many compilations
        self.local = {}   # by compiled file and name
        for compiled, symbols in sources.items():
            for symbol in symbols:
                symbol = self.all.setdefault((symbol.file, symbol.name), symbol)
                if symbol.is_local:
                    self.local[compiled, symbol.name] = symbol
                else:
                    self.shared[symbol.name] = symbol
        # Names mean something in the file that was compiled, so what each symbol names is looked up there.
        self.named = {}
        for compiled, symbols in sources.items():
            for symbol in symbols:
                found = self.named.setdefault((symbol.file, symbol.name), {})
                for name in symbol.calls | symbol.addresses:
                    other = self.local.get((compiled, name)) or self.shared.get(name)
                    is_called = name in symbol.calls or found.get(name, (None, False))[1]
                    found[name] = (other, is_called)

    def mark_of(self, symbol):
        if symbol.name in self.marks.get(symbol.file, {}):
            return self.marks[symbol.file][symbol.name]
        if symbol.is_local:
            return None
        return next((marks[symbol.name] for marks in self.marks.values() if symbol.name in marks), None)

    def named_functions(self, symbol, seen=None):
        """The functions that a symbol names, by way of variables too: name, symbol or None, whether it is called."""
        seen = seen if seen is not None else {id(symbol)}
        for name, (other, is_called) in sorted(self.named[symbol.file, symbol.name].items()):
            if other is None or other.is_function:
                yield name, other, is_called
            elif id(other) not in seen:
                seen.add(id(other))
                yield from self.named_functions(other, seen)

    def signal_context(self):
        handlers = {(part_of(symbol.file), symbol.name): symbol for symbol in self.all.values()}
        for part, name in sorted(self.handlers):
            handler = handlers.get((part, name))
            if handler is None:
                yield f"{part}: there is no function '{name}' (HANDLERS)"
            elif self.mark_of(handler) != "handler only":
                yield f"{handler.file}: '{name}' is a handler and not marked 'Signal context: handler only'"
        for symbol in sorted(self.all.values(), key=lambda symbol: (symbol.file, symbol.line)):
            mark = self.mark_of(symbol) if symbol.is_function else None
            if mark not in MAY_NAME:
                continue
            where = f"{symbol.file}:{symbol.line}: '{symbol.name}' ({mark})"
            for name, other, is_called in self.named_functions(symbol):
                if name in self.runs_later and not is_called:
                    self.used.add(name)
                elif other is None:
                    self.used.add(name)
                    if name not in self.library and name not in self.system_calls:
                        yield f"{where} names '{name}', which is not listed as safe in a handler"
                elif self.mark_of(other) is None:
                    yield f"{where} names '{name}' ({other.file}:{other.line}), which has no line 'Signal context: …'"
                elif self.mark_of(other) not in MAY_NAME[mark]:
                    yield f"{where} names '{name}', which is '{self.mark_of(other)}'"
        for name in sorted((set(self.library) | set(self.runs_later)) - self.used):
            yield f"calls.py lists '{name}', which nothing in signal context names"

    def direct_system_calls(self):
        used = set()
        for symbol in sorted(self.all.values(), key=lambda symbol: (symbol.file, symbol.line)):
            part = part_of(symbol.file)
            for name, (other, _) in sorted(self.named[symbol.file, symbol.name].items()):
                if other is None and name in self.system_calls and part != "system":
                    used.add((part, name))
                    if (part, name) not in self.direct:
                        where = f"{symbol.file}:{symbol.line}: '{symbol.name}'"
                        yield f"{where} names '{name}', which src/system.c is to call"
        for part, name in sorted(set(self.direct) - used):
            yield f"calls.py lists '{name}' in '{part}' as a direct system call, which is not made there"

    def contradictions(self):
        """Marks of one function in two places that differ."""
        shared = {name for name, symbol in self.shared.items() if symbol.is_function}
        for name in sorted(shared):
            marks = {marks[name] for marks in self.marks.values() if name in marks}
            if len(marks) > 1:
                yield f"'{name}' is marked {' and '.join(sorted(marks))}"

    def order(self, order, includes):
        """`order`: the parts, highest first. `includes`: pairs of a part and one whose header it includes."""
        ranks = {part: rank for rank, part in enumerate(order)}
        edges = {}
        for symbol in self.all.values():
            for name, (other, _) in self.named[symbol.file, symbol.name].items():
                if other is not None:
                    edges.setdefault((part_of(symbol.file), part_of(other.file)), f"'{symbol.name}' names '{name}'")
        for pair in includes:
            edges.setdefault(pair, "it includes its header")
        for (user, used), why in sorted(edges.items()):
            missing = [part for part in (user, used) if part not in ranks]
            for part in missing:
                yield f"the part '{part}' is not in the list of files ({why})"
            if not missing and ranks[used] > ranks[user]:
                yield f"'{user}' may not use '{used}', which is listed below it: {why}"


# MARK: CShim


def order_of(readme):
    """The files in the first column of the table of CShim/README.md."""
    return re.findall(r"`(src/[\w/.]+)`", "".join(re.findall(r"^\|([^|]*)\|", readme, re.M)))


def includes_of(texts, vocabulary=VOCABULARY):
    """Pairs of a part and one whose header it includes. Not of vocabulary, nor of the header of all headers."""
    for file, text in texts.items():
        for included in re.findall(r'^#include "([\w/.]+)"', text, re.M):
            name, part = pathlib.PurePath(included).name, part_of(file)
            if not {name, (part, name)} & set(vocabulary) and part != "CShim":
                yield part, part_of(included)


def check(root):
    shim = root / "CShim"
    files = sorted(str(path.relative_to(root)) for path in shim.rglob("*") if path.suffix in (".c", ".h", ".S"))
    sources = [file for file in files if not file.endswith(".h")]
    texts = {file: (root / file).read_text() for file in files if not file.endswith(".S")}
    graph = Graph(read_sources(sources, root, ["CShim/include", "CShim/Switch/include"]), texts)

    listed = [f"CShim/{file}" for file in order_of((shim / "README.md").read_text())]
    compiled = {part_of(file) for file in sources}
    parts = {file for file in files if file in sources or part_of(file) not in compiled}
    parts = {file for file in parts if file.startswith("CShim/src/")}
    for file in sorted(parts ^ set(listed)) + sorted({file for file in listed if listed.count(file) > 1}):
        yield f"{file}: must stand once in CShim/src and once in the table of CShim/README.md"
    switch = ["switch", "entry_x86_64.S", "bindings", "call"]
    yield from graph.order(switch + [part_of(file) for file in listed], set(includes_of(texts)))
    yield from graph.contradictions()
    yield from graph.signal_context()
    yield from graph.direct_system_calls()


if __name__ == "__main__":
    findings = list(check(pathlib.Path(__file__).resolve().parents[2]))
    for finding in findings:
        print(finding)
    sys.exit(bool(findings))
