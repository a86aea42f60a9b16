// One operation is a call of `withGrowableStack`: of a thread that does nothing else on such stacks, or the average of
// as many calls as are nested in one another.

import Experiments
import Faultline
import Measurement
import Report

extension ParameterName {
    /// How many calls are nested in one another.
    static let depth = ParameterName("depth")
}

public struct GrowableSuite: BenchSuite {
    public let name = "growable"
    public let summary = "a call of withGrowableStack, beside a resume and suspend; up to 1,000 of them nested"

    /// A thread keeps 1,024 stacks of each size; beyond 64 it asks the kernel how deep they were (`StackPool`).
    private static let depths = [1, 64, 65, 200, 1_000]
    /// Operations of a sample of nested calls: as many recursions as make at least that many calls.
    private static let calls = 2_000

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let call = MeasurementCase("call", body: callGrowable)
        let nested = Self.depths.map { depth in
            MeasurementCase(selfTimed: "nested-\(depth)") { try Self.nested($0, depth) }
        }
        return try Record.records(
            of: laboratory.measure(name, [call, call.nullControl(), .api], laboratory.batches), suite: name,
            comparisons: [(call.name, "api")])
            + Record.records(
                of: laboratory.measure("\(name): nested", nested, laboratory.repetitions(Self.calls)), suite: name,
                comparisons: nested.dropFirst().map { ($0.name, nested[0].name) }
            ).map { record in
                var record = record
                record.parameters[.depth] = record.name.split(separator: "-").last.flatMap { Int($0) }.map { .int($0) }
                return record
            }
    }

    /// Nanoseconds of `count` calls, by recursions that all end at `depth`.
    private static func nested(_ count: Int, _ depth: Int) throws -> UInt64 {
        let recursions = (count + depth - 1) / depth
        var made = 0
        let start = MeasurementClock.monotonic.now()
        for _ in 0..<recursions { made += try nest(depth) }
        let took = MeasurementClock.monotonic.now() - start
        guard made == recursions * depth else {
            throw MeasurementFailure("growable / nested-\(depth): \(made) calls instead of \(recursions * depth)")
        }
        return took * UInt64(count) / UInt64(made)
    }
}

@inline(never)
private func callGrowable(_ count: Int) throws {
    var sum = 0
    for number in 0..<count { sum &+= try withGrowableStack { number } }
    keep(sum)
}

@inline(never)
private func nest(_ depth: Int) throws -> Int {
    try withGrowableStack { depth == 1 ? 1 : try 1 + nest(depth - 1) }
}
