import Glibc
import Measurement
import Testing

/// Counts what happens, in order.
private final class Log {
    var events: [String] = []
    var iterations: [String: [Int]] = [:]
}

/// A case that pretends to take `nanoseconds` per operation.
private func pretending(_ name: String, _ nanoseconds: UInt64, limit: Int? = nil, log: Log? = nil)
    -> MeasurementCase
{
    MeasurementCase(selfTimed: name, maximumIterations: limit) { count in
        log?.events.append(name)
        log?.iterations[name, default: []].append(count)
        return nanoseconds * UInt64(count)
    }
}

private struct Stop: Error {}

struct InterleavedMeasurementTests {
    private static let once = InterleavedMeasurement.Settings(rounds: 20, warmUpRounds: 2, iterations: .fixed(1))

    @Test func `every case runs once in every round, warm-up included`() throws {
        let log = Log()
        let cases = ["a", "b", "c"].map { pretending($0, 5, log: log) }
        let result = try InterleavedMeasurement(cases: cases, settings: Self.once).run()
        #expect(log.events.count == 22 * 3)
        for round in 0..<22 {
            #expect(Set(log.events[(3 * round)..<(3 * round + 3)]) == ["a", "b", "c"])
        }
        #expect(result.cases.map(\.name) == ["a", "b", "c"])
        #expect(result.cases.allSatisfy { $0.nanosecondsPerOperation == [Double](repeating: 5, count: 20) })
    }

    @Test func `the recorded orders are those in which the cases ran, and they are shuffled`() throws {
        let log = Log()
        let names = ["a", "b", "c", "d"]
        let result = try InterleavedMeasurement(
            cases: names.map { pretending($0, 5, log: log) }, settings: Self.once
        ).run()
        let kept = log.events.dropFirst(2 * names.count)
        #expect(result.orders.flatMap { $0.map { names[$0] } } == Array(kept))
        // 20 rounds of 24 orders: the same few every time would be a broken shuffle.
        #expect(Set(result.orders).count >= 8)
        // Each case is first about as often as any other; never is impossible but for 3 in 1,000 seeds.
        #expect(Set(result.orders.map { $0[0] }).count == 4)
    }

    @Test func `the seed determines the orders`() throws {
        func orders(_ seed: UInt64) throws -> [[Int]] {
            var settings = Self.once
            settings.seed = seed
            let cases = ["a", "b", "c", "d"].map { pretending($0, 5) }
            let result = try InterleavedMeasurement(cases: cases, settings: settings).run()
            #expect(result.seed == seed)
            return result.orders
        }
        #expect(try orders(1) == orders(1))
        #expect(try orders(1) != orders(2))
    }

    @Test func `setup and teardown enclose each batch and are not timed`() throws {
        let log = Log()
        let measured = MeasurementCase(
            "work",
            setup: {
                log.events.append("setup")
                usleep(2000)
            },
            teardown: {
                log.events.append("teardown")
                usleep(2000)
            },
            body: { _ in log.events.append("body") })
        var settings = Self.once
        settings.rounds = 5
        settings.warmUpRounds = 0
        let result = try InterleavedMeasurement(cases: [measured], settings: settings).run()
        #expect(log.events == (0..<5).flatMap { _ in ["setup", "body", "teardown"] })
        #expect(try result.time(of: "work").median < 1e6)
    }

    @Test func `teardown runs after a body that throws, whose error ends the measurement`() throws {
        let log = Log()
        let measured = MeasurementCase(
            "work", teardown: { log.events.append("teardown") }, body: { _ in throw Stop() })
        let measurement = try InterleavedMeasurement(cases: [measured], settings: Self.once)
        #expect(throws: Stop.self) { try measurement.run() }
        #expect(log.events == ["teardown"])
    }

    @Test func `shared counts are what the fastest case needs`() throws {
        let log = Log()
        let settings = InterleavedMeasurement.Settings(targetBatch: 10_000, longestBatch: 1_000_000_000, rounds: 1)
        let result = try InterleavedMeasurement(
            cases: [pretending("fast", 10, log: log), pretending("slow", 1000, log: log)], settings: settings
        ).run()
        let counts = result.cases.map(\.iterations)
        #expect(counts[0] == counts[1])
        #expect((1000...2000).contains(counts[0]))
        #expect(log.iterations["slow"]?.last == counts[0])
    }

    @Test func `counts per case differ as the cases do`() throws {
        let settings = InterleavedMeasurement.Settings(targetBatch: 10_000, rounds: 1, iterations: .perCase)
        let result = try InterleavedMeasurement(
            cases: [pretending("fast", 10), pretending("slow", 1000)], settings: settings
        ).run()
        #expect((1000...2000).contains(result.cases[0].iterations))
        #expect((10...20).contains(result.cases[1].iterations))
    }

    @Test func `a slow case does not run for longer than the longest batch`() throws {
        // A call takes a millisecond; the fast case would make it 1,000 calls.
        let slow = MeasurementCase("slow") { count in for _ in 0..<count { usleep(1000) } }
        let settings = InterleavedMeasurement.Settings(targetBatch: 10_000, longestBatch: 20_000_000, rounds: 1)
        let result = try InterleavedMeasurement(
            cases: [pretending("fast", 10), slow], settings: settings
        ).run()
        #expect(result.cases[0].iterations >= 1000)
        #expect((1...20).contains(result.cases[1].iterations))
    }

    @Test func `a limit on iterations is kept`() throws {
        let log = Log()
        for policy in [IterationPolicy.shared, .perCase, .fixed(100)] {
            let settings = InterleavedMeasurement.Settings(rounds: 1, iterations: policy)
            let result = try InterleavedMeasurement(
                cases: [pretending("fast", 1), pretending("few", 1, limit: 7, log: log)], settings: settings
            ).run()
            #expect(result.cases[1].iterations == 7)
        }
        #expect(log.iterations["few"]?.max() == 7)
    }

    @Test func `a case that reports no time ends calibration by its elapsed time`() throws {
        let idle = MeasurementCase(selfTimed: "idle") { count in
            usleep(UInt32(min(count, 30_000)))
            return 0
        }
        let settings = InterleavedMeasurement.Settings(longestBatch: 5_000_000, rounds: 1, warmUpRounds: 0)
        let result = try InterleavedMeasurement(cases: [idle], settings: settings).run()
        #expect(result.cases[0].iterations <= 100_000)
        #expect(throws: StatisticsError.notPositive(0)) { try result.ratio(of: "idle", to: "idle") }
    }

    @Test func `a first call that is slow does not end calibration`() throws {
        var calls = 0
        let measured = MeasurementCase(selfTimed: "cold") { count in
            calls += 1
            return calls == 1 ? 1_000_000_000 : 10 * UInt64(count)
        }
        let result = try InterleavedMeasurement(cases: [measured]).run()
        #expect(result.cases[0].iterations >= 20_000)
    }

    /// In a process of its own, because the clock counts the other tests of this one too.
    @Test func `process time does not count sleeping, elapsed time does`() async {
        await #expect(processExitsWith: .success) {
            func milliseconds(_ clock: MeasurementClock) throws -> Double {
                let sleeping = MeasurementCase("sleep") { _ in usleep(50_000) }
                let settings = InterleavedMeasurement.Settings(
                    rounds: 3, warmUpRounds: 0, iterations: .fixed(1), clock: clock)
                return try InterleavedMeasurement(cases: [sleeping], settings: settings).run()
                    .time(of: "sleep").median / 1e6
            }
            guard try milliseconds(.monotonic) >= 49.9, try milliseconds(.processTime) < 10 else { exit(1) }
        }
    }

    @Test func `a ratio is taken within each round`() throws {
        // Both cases slow down from round to round; the ratio stays.
        var round = [0.0, 0.0]
        let cases = [0, 1].map { index in
            MeasurementCase(selfTimed: index == 0 ? "base" : "double") { _ in
                round[index] += 1
                return UInt64(1000 * round[index]) * UInt64(index + 1)
            }
        }
        let result = try InterleavedMeasurement(cases: cases, settings: Self.once).run()
        let ratio = try result.ratio(of: "double", to: "base")
        #expect(ratio == Estimate(median: 2, low: 2, high: 2, samples: 20))
        #expect(try result.ratios(of: "base", to: "double") == [Double](repeating: 0.5, count: 20))
    }

    @Test func `a null control runs the same body under its own name`() throws {
        let log = Log()
        let base = pretending("base", 100, log: log)
        let result = try InterleavedMeasurement(
            cases: [base, base.nullControl()], settings: Self.once
        ).run()
        #expect(log.events.count == 44)
        let controls = try result.nullControls()
        #expect(controls.count == 1)
        #expect(controls[0].name == "base null" && controls[0].original == "base")
        #expect(controls[0].ratio.median == 1)
    }

    @Test func `a null control of real work straddles one`() throws {
        let work = MeasurementCase("work") { count in
            var value: UInt64 = 1
            for _ in 0..<count { value = value &* 6_364_136_223_846_793_005 &+ 1 }
            keep(value)
        }
        let result = try InterleavedMeasurement(cases: [work, work.nullControl()]).run()
        let ratio = try result.nullControls()[0].ratio
        #expect((0.7...1.4).contains(ratio.median), "a copy took \(ratio.median) of the time of its original")
    }

    @Test func `a measurement reports its rounds and stops when told`() throws {
        var positions: [InterleavedMeasurement.Position] = []
        let measurement = try InterleavedMeasurement(cases: [pretending("a", 1)], settings: Self.once)
        #expect(throws: Stop.self) {
            try measurement.run { position in
                positions.append(position)
                if position.finishedRounds == 3 { throw Stop() }
            }
        }
        #expect(positions == (1...3).map { .init(finishedRounds: $0, totalRounds: 22) })
    }

    @Test func `bad measurements are errors that name what is wrong`() throws {
        let one = pretending("a", 1)
        func fails(
            _ expected: MeasurementError, _ cases: [MeasurementCase],
            _ change: (inout InterleavedMeasurement.Settings) -> Void = { _ in }
        ) {
            var settings = Self.once
            change(&settings)
            #expect(throws: expected) { try InterleavedMeasurement(cases: cases, settings: settings) }
        }
        fails(.noCases, [])
        fails(.duplicateCase("a"), [one, one])
        fails(.settingTooSmall(setting: "rounds", value: 0, minimum: 1), [one]) { $0.rounds = 0 }
        fails(.settingTooSmall(setting: "warmUpRounds", value: -1, minimum: 0), [one]) { $0.warmUpRounds = -1 }
        fails(.settingTooSmall(setting: "targetBatch", value: 0, minimum: 1), [one]) { $0.targetBatch = 0 }
        fails(.settingTooSmall(setting: "iterations", value: 0, minimum: 1), [one]) { $0.iterations = .fixed(0) }
        fails(.settingTooSmall(setting: "maximumIterations", value: 0, minimum: 1), [pretending("b", 1, limit: 0)])
        let result = try InterleavedMeasurement(cases: [one], settings: Self.once).run()
        let error = #expect(throws: MeasurementError.self) { try result.time(of: "z") }
        #expect(error.map { "\($0)" } == "no case is named 'z': the cases are a")
    }
}
