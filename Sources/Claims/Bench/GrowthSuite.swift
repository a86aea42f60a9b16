// Touching 1 MiB of stack page by page: for the first time, where pages must come from somewhere, and again.

import CPeers
import Faultline
import Glibc
import Measurement
import Report

public struct GrowthSuite: BenchSuite {
    public let name = "growth"
    public let summary = "touch 1 MiB of stack page by page: the first time and again"

    /// What is touched, in bytes.
    static let depth = 1 << 20
    /// How often one operation of the second touch touches all of it: the clock must not be what is timed.
    static let touches = 200

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let shared: [String: ParameterValue] = ["bytes": .int(Self.depth)]
        var first = [
            firstTouch("fault-first-touch", StackConfiguration(strategy: .fault)),
            firstTouch("demand", StackConfiguration(strategy: .demand)),
            // Populated in full at creation: no more than is needed.
            firstTouch("fixed", StackConfiguration(strategy: .fixed, maximum: 2 * Self.depth)),
            firstTouch("fault-move-first-touch", StackConfiguration(strategy: .faultMove)),
        ]
        first.append(first[1].nullControl())
        var comparisons = [
            (case: "fault-first-touch", baseline: "demand"), ("fault-move-first-touch", "demand"), ("fixed", "demand"),
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
            parameters: shared.merging(["touches": .int(Self.touches)]) { first, _ in first })
        return records
    }

    /// Touches stacks that have no page yet: the pool is emptied before each, and only the touching is timed.
    private func firstTouch(_ name: String, _ configuration: StackConfiguration) -> MeasurementCase {
        MeasurementCase(selfTimed: name, teardown: StackPool.drain) { count in
            var took: UInt64 = 0
            for _ in 0..<count {
                StackPool.drain()
                took += try withStack(configuration) {
                    let start = MeasurementClock.monotonic.now()
                    fl_probe_touch_stack(Self.depth)
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
