// Runs a program on stacks that move when they grow, and says how often an address that was not on the stack led to
// where the stack had been. Such an address is counted when it is used, as often as it is used: one that never is, is
// not seen. Those in registers and in thread-local storage are corrected by the move and do not count.

import Faultline
import Glibc
import Measurement
import Workloads

extension Finding {
    /// Of what ran, where it says so.
    package static let version = Finding("version")
    package static let relocated = Finding("relocated")
    package static let forwards = Finding("forwards")
}

package struct ForwardsExperiment: Experiment {
    package let name = "forwards"
    /// The workload that is Python's interpreter.
    package static let python = "cpython"

    /// Pages that are usable at first, one stack after the other: the first move comes before or after a program has
    /// kept an address elsewhere.
    private static let pages = 1...4

    /// Options: `workload`, one of the programs whose checks are measured, or ``python``; `count` of stacks.
    package func run(_ options: ExperimentOptions, _ found: Found) throws {
        let name = options.text("workload") ?? ""
        let work: () throws -> Void
        if name == Self.python {
            let python = try Python()
            try found(.version, python.version)
            work = { try python.run() }
        } else {
            guard let subject = CheckSubject.named(name) else {
                throw MeasurementFailure("there is no workload '\(name)'")
            }
            let prepared = try ShortRuns.prepare(subject.workload, .timed)
            let code = try CodeLoader().load(subject.workload, variant: .plain)
            work = { _ = try prepared.run(code) }
        }
        // Once on a large stack: what a language makes once is not a run's work.
        try withStack(StackConfiguration(strategy: .demand), work)
        FaultStatistics.resetProcess()
        for index in 0..<(try options.number("count")) {
            StackPool.drain()
            let pages = Self.pages.lowerBound + index % Self.pages.count
            try withStack(StackConfiguration(strategy: .faultMove, initial: pages * 4096), work)
        }
        let statistics = FaultStatistics.process
        try found(.moves, statistics.moves.values.reduce(0, +))
        try found(.relocated, statistics.wordsRelocated)
        try found(.forwards, statistics.forwards)
        Experiments.finish()
    }
}

/// CPython's interpreter in this process, from the shared library of the system.
private struct Python {
    /// A program that has the interpreter call itself through C: sorting, encoding and comparing with functions in
    /// Python.
    private static let program = """
        import functools, json, re

        class Node:
            def __init__(self, depth):
                self.below = Node(depth - 1) if depth else None
            def __repr__(self):
                return "(" + repr(self.below) + ")"

        def nested(depth):
            return sorted([3, 1, 2], key=lambda n: nested(depth - 1)[0] + n if depth else n)

        assert len(repr(Node(120))) > 240
        assert nested(7) == [1, 2, 3]
        value = 1
        for level in range(150):
            value = [value, {"level": level}]
        assert json.loads(json.dumps(value)) == value
        assert re.sub("a(b+)", lambda match: str(len(match[1])), "abbbab") == "31"
        assert functools.reduce(lambda a, b: max(a, b, key=lambda n: -n), range(50)) == 0

        """

    let version: String
    private let execute: @convention(c) (UnsafePointer<CChar>) -> Int32

    /// - Throws: ``MeasurementFailure`` where there is no such library.
    init() throws {
        let names = (8...30).reversed().map { "libpython3.\($0).so.1.0" }
        // Its modules look for its functions among those of the whole process.
        guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_GLOBAL) }).first else {
            throw MeasurementFailure("there is no libpython3; install libpython3-dev")
        }
        func function<Function>(_ name: String, _: Function.Type) throws -> Function {
            guard let address = dlsym(library, name) else { throw MeasurementFailure("libpython3 has no \(name)") }
            return unsafeBitCast(address, to: Function.self)
        }
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1)
        // Without its signal handlers.
        try function("Py_InitializeEx", (@convention(c) (Int32) -> Void).self)(0)
        let text = try function("Py_GetVersion", (@convention(c) () -> UnsafePointer<CChar>).self)()
        version = String(String(cString: text).prefix { $0 != " " })
        execute = try function(
            "PyRun_SimpleString", (@convention(c) (UnsafePointer<CChar>) -> Int32).self)
    }

    func run() throws {
        guard execute(Self.program) == 0 else { throw MeasurementFailure("Python's program failed") }
    }
}
