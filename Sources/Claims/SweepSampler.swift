// One growth and a number of calls on a fresh stack, by a trap without checks and by a failed check: one layout of the
// code in a process of its own.

import Experiments
@_spi(Experiments) import Faultline
import Measurement
import Report
import Workloads

struct SweepSampler: Sampler {
    let name = "break-even-sweep"

    /// Six decades.
    static let calls = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    static let traps = [StackStrategy.faultMove, .fault]
    static let strategies = traps + [.checkMove]

    static func caseName(_ strategy: StackStrategy, _ calls: Int) -> String { "\(strategy.rawValue) \(calls)" }

    /// Options: `size`, what a stack may use before it grows, in bytes.
    func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        let size = try options.number("size")
        var settings = laboratory.repetitions(1)
        settings.rounds = (laboratory.isQuick ? 5 : 9) * (try options.number("processes", or: 1))
        // The long ones compute for milliseconds, in which others would get the processor.
        settings.clock = .processTime
        let layout = UInt32(try options.number("process", or: 0) + 1)
        guard let codes = try laboratory.descentCodes(layoutSeeds: [layout]) else { return SampledCases([], settings) }
        let cases = try Self.strategies.flatMap { strategy -> [MeasurementCase] in
            let code = (strategy.needsChecks ? codes.checked : codes.plain)[0]
            // Half of a small room is headroom for code without checks.
            let descent = StackDescent(
                configuration: StackConfiguration(strategy: strategy, initial: strategy.needsChecks ? 2 * size : size),
                code: code)
            let levels = try Self.levels(descent)
            return Self.calls.map { calls in
                MeasurementCase(selfTimed: Self.caseName(strategy, calls)) { count in
                    try (0..<count).reduce(0) { sum, _ in try sum + Self.time(descent, levels, calls: calls) }
                }
            }
        }
        return SampledCases(cases + [cases[Self.calls.count - 1].nullControl()], settings)
    }

    /// Nanoseconds of a run that grows exactly once, while it is timed.
    private static func time(_ descent: StackDescent, _ levels: Int, calls: Int) throws -> UInt64 {
        StackPool.drain()
        let clock = MeasurementClock.processTime
        let counters = ProcessCounters()
        var (took, before, after): (UInt64, Int, Int) = (0, 0, 0)
        // Demand faults on the way down are no part of a growth, and more noise than one.
        _ = try descent.run(levels: levels, .calls(calls), warmLevels: max(0, levels - 1)) { run in
            before = counters.growthsOfThisStack
            let start = clock.now()
            run()
            took = clock.now() - start
            after = counters.growthsOfThisStack
        }
        guard before == 0, after == 1 else {
            throw MeasurementFailure(
                "\(descent.configuration.strategy.rawValue): \(before) growths before the timed part and "
                    + "\(after - before) in it, instead of one in it")
        }
        return took
    }

    /// The fewest levels at which a run grows in its timed part. The way down to it is warmed before, and what reads
    /// the counters stands on the stack too, so that it can be some levels off the boundary of a bare descent.
    private static func levels(_ descent: StackDescent) throws -> Int {
        guard let boundary = try descent.boundary() else {
            throw MeasurementFailure("\(descent.configuration.strategy.rawValue) never grew")
        }
        var failure: MeasurementFailure?
        for levels in max(1, boundary - 8)...boundary + 8 {
            do {
                _ = try time(descent, levels, calls: 1)
                return levels
            } catch let error as MeasurementFailure {
                failure = error
            }
        }
        throw failure ?? MeasurementFailure("a stack has no boundary")
    }
}
