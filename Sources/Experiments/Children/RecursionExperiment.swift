// A recursion that nothing but its stack ends, in a process of its own: the process may die of it, and its peak of
// memory is that of one stack.

import CProbes
import Faultline
import Glibc
import Measurement
import Report
import Workloads

// The programs of peers that recurse say the same (Sources/Peers/go/recursion.go,
// Sources/Peers/Programs/thread_stack.c).

extension Finding {
    package static let overflowBytes = Finding("overflow-bytes")
    package static let nanoseconds = Finding("nanoseconds")
    package static let depth = Finding("depth")
    /// Of the function, where it came to its end.
    package static let value = Finding("value")
    package static let peakBytes = Finding("peak-bytes")
    /// The same of a peer.
    package static let peakKibibytes = Finding("peak-kibibytes")
    /// Whether the process can still use a stack.
    package static let survives = Finding("survives")
}

struct RecursionExperiment: Experiment {
    let name = "recursion"

    /// Options: `strategy`; `limit` of the stack in bytes; `m` and `n` of Ackermann's function, or neither for a
    /// runaway.
    func run(_ options: ExperimentOptions, _ found: Found) throws {
        let strategy: StackStrategy = try options.choice("strategy", or: .fault)
        let configuration = StackConfiguration(
            strategy: strategy, maximum: try options.number("limit"), isIsolated: true)
        let hooks = StackCheckHooks(
            morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace)
        let code = try DescentCode(strategy.needsChecks ? .checked : .plain, hooks: hooks)
        var work = DescentCode.Work.runaway
        if options.text("m") != nil {
            work = .ackermann(UInt32(try options.number("m")), UInt32(try options.number("n")))
        }
        let descent = code.descent(levels: 0, work)
        var counted: FaultStatistics?
        var value: UInt64?
        let before = try Self.forgetPeak()
        let began = fl_probe_now()
        do {
            value = try withStack(configuration, statistics: { counted = $0 }, { descent.run() })
        } catch StackFault.overflow(let overflow) {
            try found(.overflowBytes, overflow.bytesInUse)
        }
        try found(.nanoseconds, fl_probe_now() - began)
        try found(.depth, descent.deepest)
        if let value { try found(.value, value) }
        try found(.growths, counted?.growths ?? 0)
        try found(.peakBytes, max(0, try Self.memory("VmHWM") - before))
        // A stack may end without costing the process: it can still use one.
        let again = code.descent(levels: 0, .calls(10))
        try found(.survives, try withStack(StackConfiguration(strategy: strategy), { again.run() }) == 10 ? 1 : 0)
    }

    /// Has the kernel forget how much memory the process had before; the bytes that it has now.
    private static func forgetPeak() throws -> Int {
        // Where that is refused the peak counts from the start of the process.
        if let file = fopen("/proc/self/clear_refs", "w") {
            fputs("5", file)
            fclose(file)
        }
        return try memory("VmRSS")
    }

    private static func memory(_ field: String) throws -> Int {
        guard let bytes = SystemFiles().fields("/proc/self/status")[field] else {
            throw MeasurementFailure("/proc/self/status has no \(field): mount /proc")
        }
        return bytes
    }
}
