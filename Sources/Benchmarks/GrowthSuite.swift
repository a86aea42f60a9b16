// Touching 1 MiB of stack page by page: for the first time, where pages must come from somewhere, and again. Touching
// 64 MiB of it, where huge pages pay. Recursions of 100 MiB, one after the other, each with its stack.

import CPeers
import CProbes
import Experiments
import Faultline
import Glibc
import Measurement
import Report

public struct GrowthSuite: BenchSuite {
    public let name = "growth"
    public let summary =
        "touch stack page by page: 1 MiB the first time and again, 64 MiB the first time; recursions of 100 MiB"

    /// What is touched, in bytes.
    static let depth = 1 << 20
    /// How often one operation of the second touch touches all of it: the clock must not be what is timed.
    static let touches = 200
    /// A deep stack's touched bytes, and what it may use.
    static let (deep, deepMaximum) = (64 << 20, 80 << 20)
    /// Bytes of stack that a recursion uses, and what a thread that makes it has.
    static let (recursion, threadStack) = (100 << 20, 101 << 20)

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.bytes: .int(Self.depth)]
        var first = [
            firstTouch("fault-first-touch", StackConfiguration(strategy: .fault)),
            firstTouch("demand", StackConfiguration(strategy: .demand)),
            firstTouch("automatic-first-touch", StackConfiguration()),
            // Populated in full at creation: no more than is needed.
            firstTouch("fixed", StackConfiguration(strategy: .fixed, maximum: 2 * Self.depth)),
            firstTouch("fault-move-first-touch", StackConfiguration(strategy: .faultMove)),
        ]
        first.append(first[1].nullControl())
        var comparisons = [
            (case: "automatic-first-touch", baseline: "demand"), ("fault-first-touch", "demand"),
            ("fault-move-first-touch", "demand"),
            ("fixed", "demand"),
        ]
        let growsDown = StackConfiguration(strategy: .growsDown, maximum: 2 * Self.depth)
        do {
            try growsDown.validate()
            first.append(firstTouch("grows-down", growsDown))
            comparisons.append(("grows-down", "demand"))
        } catch {
            laboratory.note("growth / grows-down is left out: \(error)")
        }
        let result = try laboratory.measure(name, first, laboratory.repetitions(laboratory.isQuick ? 1 : 4))
        var records = try Record.records(of: result, suite: name, comparisons: comparisons, parameters: shared)

        let second = [
            secondTouch("fault-second-touch", StackConfiguration(strategy: .fault)),
            secondTouch("demand-second-touch", StackConfiguration(strategy: .demand)),
            arrayTouch("array"), arrayTouch("array").nullControl(),
        ]
        records += try Record.records(
            of: laboratory.measure(name, second, laboratory.repetitions(1)), suite: name,
            comparisons: [("fault-second-touch", "array"), ("demand-second-touch", "array")],
            parameters: shared.merging([ParameterName("touches"): .int(Self.touches)]) { first, _ in first })
        return try records + deepTouches(laboratory) + recursions(laboratory)
    }

    /// A program that recurses deeply again and again: the first recursion, which is not timed, has made and grown what
    /// the library keeps. A thread takes its stack from the kernel and gives it back each time: the C library keeps
    /// none of that size. `deep-resident` is the same recursion where all memory is there: no way to make room can be
    /// faster.
    private func recursions(_ laboratory: Laboratory) throws -> [Record] {
        let own = MeasurementCase("deep-second", setup: { try growableRecursions(1) }, body: growableRecursions)
        let resident = MeasurementCase(selfTimed: "deep-resident") { count in
            try withGrowableStack {
                recurse()
                let start = MeasurementClock.monotonic.now()
                for _ in 0..<count { recurse() }
                return MeasurementClock.monotonic.now() - start
            }
        }
        let thread = MeasurementCase("thread") { count in
            for _ in 0..<count {
                let error = fl_peer_call_on_thread(Self.threadStack) { recurse() }
                guard error == 0 else { throw MeasurementFailure("growth / thread: \(ErrorNumber.text(error))") }
            }
        }
        return try Record.records(
            of: laboratory.measure(
                "\(name): recursion", [own, own.nullControl(), resident, thread],
                laboratory.repetitions(1, rounds: 31)),
            suite: name, comparisons: [own, resident].map { ($0.name, thread.name) },
            parameters: [.bytes: .int(Self.recursion)])
    }

    /// Deep stacks get huge pages where the kernel has them; `demand-small-pages` is the same memory without.
    private func deepTouches(_ laboratory: Laboratory) throws -> [Record] {
        let demand = StackConfiguration(strategy: .demand, maximum: Self.deepMaximum)
        let small = firstTouch("demand-small-pages", demand, depth: Self.deep, hugePages: false)
        let cases = [
            small, small.nullControl(), firstTouch("demand-deep-first-touch", demand, depth: Self.deep),
            firstTouch(
                "fault-deep-first-touch", StackConfiguration(strategy: .fault, maximum: Self.deepMaximum),
                depth: Self.deep),
        ]
        return try Record.records(
            of: laboratory.measure("\(name): deep", cases, laboratory.repetitions(1, rounds: 31)), suite: name,
            comparisons: cases.dropFirst(2).map { ($0.name, small.name) }, parameters: [.bytes: .int(Self.deep)])
    }

    /// Touches stacks that have no page yet: the pool is emptied before each, and only the touching is timed.
    private func firstTouch(
        _ name: String, _ configuration: StackConfiguration, depth: Int = Self.depth, hugePages: Bool = true
    ) -> MeasurementCase {
        MeasurementCase(selfTimed: name, teardown: StackPool.drain) { count in
            var took: UInt64 = 0
            if !hugePages {
                let error = fl_disable_huge_pages(true)
                guard error == 0 else { throw MeasurementFailure("\(name): \(ErrorNumber.text(error))") }
            }
            defer { if !hugePages { _ = fl_disable_huge_pages(false) } }
            for _ in 0..<count {
                StackPool.drain()
                took += try withStack(configuration) {
                    let start = MeasurementClock.monotonic.now()
                    fl_probe_touch_stack(depth)
                    return MeasurementClock.monotonic.now() - start
                }
            }
            return took
        }
    }

    /// Touches one stack again that has all its pages; each batch has a new one, because where its pages lie in memory
    /// decides how well caches hold them.
    private func secondTouch(_ name: String, _ configuration: StackConfiguration) -> MeasurementCase {
        MeasurementCase(selfTimed: name, setup: StackPool.drain, teardown: StackPool.drain) { count in
            try withStack(configuration) {
                fl_probe_touch_stack(Self.depth)
                let start = MeasurementClock.monotonic.now()
                for _ in 0..<count * Self.touches { fl_probe_touch_stack(Self.depth) }
                return (MeasurementClock.monotonic.now() - start) / UInt64(Self.touches)
            }
        }
    }

    /// The same stores into memory that is no stack, new for each batch likewise.
    private func arrayTouch(_ name: String) -> MeasurementCase {
        MeasurementCase(selfTimed: name) { count in
            let memory = mmap(nil, Self.depth, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let memory, memory != MAP_FAILED else {
                throw MeasurementFailure(
                    "growth / \(name): no memory for \(Self.depth) bytes: \(ErrorNumber.text(errno))")
            }
            defer { munmap(memory, Self.depth) }
            let end = memory + Self.depth
            fl_probe_touch_memory(end, Self.depth)
            let start = MeasurementClock.monotonic.now()
            for _ in 0..<count * Self.touches { fl_probe_touch_memory(end, Self.depth) }
            return (MeasurementClock.monotonic.now() - start) / UInt64(Self.touches)
        }
    }
}

@inline(never)
private func growableRecursions(_ count: Int) throws {
    for _ in 0..<count { try withGrowableStack { recurse() } }
}

/// To the depth of ``GrowthSuite/recursion`` below this one.
@inline(never)
private func recurse() {
    var top = 0
    withUnsafePointer(to: &top) { _ = fl_probe_recurse(UInt(bitPattern: $0) - UInt(GrowthSuite.recursion)) }
}
