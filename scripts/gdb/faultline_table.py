"""The table of stacks of a process or core file (CShim/src/stack_table.c), by the shim's debug information."""
import bisect

import gdb

THREAD_FRAMES = 64  # of a thread that are looked at: those of a signal handler stand above the coroutine's
PER_CHUNK = 1 << 14  # STACKS_PER_CHUNK of stack_table.c
FIELDS = {
    "bp": "fiber.own.bp", "ip": "fiber.own.ip", "sp": "fiber.own.sp", "frame": "fiber.frame",
    "owner": "fiber.thread", "state": "fiber.state", "base": "base", "low": "low", "strategy": "strategy",
    "index": "index",
}


def place(kind, path):
    """The first bit of a field in a structure, and its bits. Members of anonymous members are fields, too."""
    name, _, rest = path.partition(".")
    for field in kind.strip_typedefs().fields():
        try:
            if field.name == name:
                first, bits = place(field.type, rest) if rest else (0, field.bitsize or field.type.sizeof * 8)
            elif field.name:
                continue
            else:
                first, bits = place(field.type, path)
            return field.bitpos + first, bits
        except KeyError:
            continue
    raise KeyError(path)


def names_of(kind, prefix):
    fields = gdb.lookup_type(kind).strip_typedefs().fields()
    return {field.enumval: field.name[len(prefix):].lower().replace("_", "-") for field in fields}


def address_of(name):
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.symtab.filename.endswith("stack_table.c"):
            return int(symbol.value().address)
    raise gdb.error(name)


def words_at(address, count):
    return memoryview(bytes(gdb.selected_inferior().read_memory(address, count * 8))).cast("Q")


def missing():
    try:
        gdb.parse_and_eval("&fl_stack_entries")
        return "the shim's debug information is missing: the program was stripped, or built with -gnone"
    except gdb.error:
        return "no symbols of the library: it is not in this program, or the program was stripped"


class Coroutine:
    """One entry of the table, which stands for a stack."""

    thread, level = None, 0  # of gdb, when its latest frames are this thread's: from which frame of it on
    resumed = None  # the one that it waits for while it counts as running


class Table:
    """The stacks of the process or core file, as it is now."""

    def __init__(self):
        if not gdb.selected_inferior().threads():
            raise gdb.GdbError("faultline: there is no process and no core file")
        try:
            stack, frame = gdb.lookup_type("fl_stack"), gdb.lookup_type("fl_outermost_frame")
            chunks, entries = address_of("hot"), words_at(address_of("fresh_stacks"), 1)[0] & 0xFFFFFFFF
        except gdb.error:
            raise gdb.GdbError(f"faultline: {missing()}") from None
        self.words = stack.sizeof // 8
        self.places = {}
        for name, path in FIELDS.items():
            first, bits = place(stack, path)
            self.places[name] = first // 64, first % 64, (1 << bits) - 1
        self.resumer, self.body = (place(frame, name)[0] // 64 for name in ("resumer_fiber", "body"))
        self.states, self.strategies = names_of("fl_fiber_state", "FL_FIBER_"), names_of("fl_strategy", "FL_STRATEGY_")
        self.chunks = []
        for first in range(0, entries, PER_CHUNK):
            address = words_at(chunks + first // PER_CHUNK * 8, 1)[0]
            count = min(PER_CHUNK, entries - first) if address else 0  # 0: another thread makes it
            self.chunks.append((address, words_at(address, count * self.words) if count else []))
        self.thread_names, self.active = {}, {}  # by the number that the shim gives a thread; by index
        self.functions = {}  # by address, as far as they were asked for
        self.find_threads()

    def field(self, words, start, name):
        word, shift, mask = self.places[name]
        return words[start + word] >> shift & mask

    def entries(self):
        """Of each stack that has not ended: its chunk, and where it starts there."""
        for _, words in self.chunks:
            for start in range(0, len(words), self.words):
                if self.field(words, start, "base") and self.state(words, start) not in ("finished", "faulted"):
                    yield words, start

    def state(self, words, start):
        return self.states.get(self.field(words, start, "state"), "unknown")

    def coroutine(self, words, start):
        number = self.field(words, start, "index")
        if number in self.active:
            return self.active[number]
        found = Coroutine()
        for name in self.places:
            setattr(found, name, self.field(words, start, name))
        found.state, found.strategy = self.state(words, start), self.strategies.get(found.strategy, "unknown")
        return found

    def numbered(self, number):
        _, words = self.chunks[number // PER_CHUNK] if number // PER_CHUNK < len(self.chunks) else (0, [])
        start = number % PER_CHUNK * self.words
        if start >= len(words) or not self.field(words, start, "base") or \
                self.state(words, start) in ("finished", "faulted"):
            raise gdb.GdbError(f"faultline: there is no coroutine {number}")
        return self.coroutine(words, start)

    def at(self, fiber):
        """The coroutine at this address, or none."""
        size = self.words * 8
        for address, words in self.chunks:
            if address <= fiber < address + len(words) * 8 and (fiber - address) % size == 0:
                return self.coroutine(words, (fiber - address) // 8)
        return None

    def find_threads(self):
        """Whose stack the stack pointer of each thread lies in, which a core file tells without thread-local words."""
        pointers = []  # stack pointer, thread, level
        for thread in each_thread():
            try:
                frame, level = gdb.newest_frame(), 0
                while frame and level < THREAD_FRAMES:
                    pointers.append((int(frame.read_register("rsp")), thread, level))
                    frame, level = frame.older(), level + 1
            except gdb.error:
                pass  # it runs, or nothing further is known of its frames
            try:
                number = int(gdb.parse_and_eval("(unsigned long)fl_this_thread_id"))
                self.thread_names[number] = f"LWP {thread.ptid[1] or thread.ptid[2]}"
            except gdb.error:
                pass  # there is no libthread_db for it
        pointers.sort(key=lambda pointer: pointer[0])
        addresses = [address for address, _, _ in pointers]
        latest = {}
        for words, start in self.entries():
            first = bisect.bisect_left(addresses, self.field(words, start, "low"))
            for _, thread, level in pointers[first:bisect.bisect_left(addresses, self.field(words, start, "base"))]:
                if thread.num not in latest or level < latest[thread.num][0]:
                    latest[thread.num] = level, thread, words, start
        for level, thread, words, start in latest.values():
            running = self.coroutine(words, start)
            running.thread, running.level, running.state = thread, level, "running"
            self.thread_names.setdefault(running.owner, f"LWP {thread.ptid[1] or thread.ptid[2]}")
            # Those that resumed it count as running, too. Each is met once, whatever the memory says.
            while running and running.index not in self.active:
                self.active[running.index] = running
                try:
                    resumer = self.at(words_at(running.frame, self.resumer + 1)[self.resumer])
                except gdb.MemoryError:
                    break
                if resumer and not resumer.thread:
                    resumer.resumed = running
                running = resumer

    def is_there(self, coroutine):
        """Whether its memory can be read. gdb reads zeros for what a core file leaves out; a body is never null."""
        try:
            return words_at(coroutine.frame, self.body + 1)[self.body] != 0
        except gdb.MemoryError:
            return False

    def context(self, coroutine):
        """Where it continues: ip, sp, bp, as the switch that left its stack has saved them."""
        if coroutine.resumed:
            bp, ip, sp = words_at(coroutine.resumed.frame, 3)
            return ip, sp, bp
        return coroutine.ip, coroutine.sp, coroutine.bp


def each_thread():
    """Selects each thread in turn, and at the end the one that was."""
    selected = gdb.selected_thread()
    try:
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
            thread.switch()
            yield thread
    finally:
        if selected:
            selected.switch()
