// "The one-time trap pays for the checks it saves."
//
// One program, compiled without and with checks, descends on a fresh stack until that grows once, and makes a number of
// calls there. Plain code grows by a trap, checked code by a failed check; the more calls, the more checks are saved.
// Code layout moves such times more than a check does, so that everything is measured in several random layouts, and
// the layout is the sample.

import Experiments
import Faultline
import Measurement
import Report
import Workloads

extension Metric {
    /// By how much the growth by a trap is slower.
    static let growthDifference = Metric("growth-difference", .nanoseconds)
    /// Of a check in each call.
    static let checkCost = Metric("check-cost", .nanoseconds)
    /// The same over the first calls.
    static let checkCostAtFirst = Metric("check-cost-at-first", .nanoseconds)
    /// Calls per growth from which on the trap wins.
    static let crossing = Metric("crossing", .count)
    static let predictedCrossing = Metric("predicted-crossing", .count)
    static let callsPerGrowth = Metric("calls-per-growth", .count)
}

extension ParameterName {
    static let calls = ParameterName("calls")
    static let growths = ParameterName("growths")
    /// The largest number of calls that was tried.
    static let sweepEnd = ParameterName("sweep-end")
}

extension Figure {
    static func callsPerGrowth(_ name: String) -> Figure { Figure("\(name): calls per growth", .count) }
}

public struct BreakEven: Claim {
    public init() {}

    public let identifier = "break-even"
    public let saidBy = "derived from the golang-nuts discussion, November 2025"
    public let statement = "The one-time trap pays for the checks that it saves."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "one growth and 1 to 1,000,000 calls on a fresh stack, fault-move and fault against check-move, by initial "
            + "size",
        "the crossing of the two curves, beside (trap - checked growth) / cost of a check, over random code layouts",
        "calls per growth of programs that do nothing but call",
    ]

    public let plotted = PlottedNames(
        [.time, .crossing, .predictedCrossing, .callsPerGrowth], [.calls, .initial, .strategy, .sweepEnd],
        values: (Self.traps + [.checkMove]).map(\.rawValue))

    /// What a stack may use before it grows, in bytes.
    static let sizes = [4 << 10, 16 << 10, 64 << 10]
    /// Six decades.
    static let calls = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    static let traps = [StackStrategy.faultMove, .fault]
    /// Over this many calls a check costs more than over a million.
    static let firstCalls = 10_000

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let layouts = laboratory.isQuick ? 12 : 32
        let seeds = (1...layouts).map { UInt32($0) }
        guard let codes = try laboratory.descentCodes(layoutSeeds: seeds.map { $0 }) else { return [] }
        var settings = laboratory.repetitions(1, rounds: 21)
        if laboratory.isQuick { settings.rounds = 9 }
        settings.warmUpRounds = 1
        // The long ones compute for milliseconds, in which others would get the processor.
        settings.clock = .processTime
        var records: [Record] = []
        for size in Self.sizes {
            try laboratory.step("\(identifier): looking for where stacks of \(ByteSize(bytes: size)) grow")
            var subjects: [StackStrategy: [(StackDescent, levels: Int)]] = [:]
            for strategy in Self.traps + [.checkMove] {
                subjects[strategy] = try (strategy.needsChecks ? codes.checked : codes.plain).map { code in
                    let descent = StackDescent(configuration: Self.configuration(strategy, size), code: code)
                    guard let levels = try descent.boundary() else {
                        throw MeasurementFailure("\(strategy.rawValue) never grew")
                    }
                    return (descent, levels)
                }
            }
            let cases = subjects.flatMap { strategy, layouts in
                layouts.enumerated().flatMap { layout, subject in
                    Self.calls.flatMap { Self.cases(strategy, layout, subject.0, subject.levels, calls: $0) }
                }
            }
            let result = try laboratory.measure("\(identifier) from \(ByteSize(bytes: size))", cases, settings)
            records += try self.records(of: result, size: size, layouts: layouts, settings)
        }
        return try records + programs(laboratory)
    }

    /// Half of a small room is headroom for code without checks.
    private static func configuration(_ strategy: StackStrategy, _ size: Int) -> StackConfiguration {
        StackConfiguration(strategy: strategy, initial: strategy.needsChecks ? 2 * size : size)
    }

    /// The case of a trap and an initial size.
    static func caseName(_ strategy: StackStrategy, _ size: Int) -> String {
        "\(strategy.rawValue) \(ByteSize(bytes: size))"
    }

    private static func caseName(_ strategy: StackStrategy, _ layout: Int, _ calls: Int) -> String {
        "\(strategy.rawValue) \(layout) \(calls)"
    }

    /// A run, and for the longest of plain code a null control.
    private static func cases(
        _ strategy: StackStrategy, _ layout: Int, _ descent: StackDescent, _ levels: Int, calls: Int
    ) -> [MeasurementCase] {
        let clock = MeasurementClock.processTime
        let run = MeasurementCase(selfTimed: caseName(strategy, layout, calls)) { count in
            var took: UInt64 = 0
            for _ in 0..<count {
                StackPool.drain()
                // Demand faults on the way down are no part of a growth, and more noise than one.
                let warm = max(0, levels - 1)
                let statistics = try descent.run(levels: levels, .calls(calls), warmLevels: warm) { run in
                    let start = clock.now()
                    run()
                    took += clock.now() - start
                }.statistics
                guard statistics.growths == 1 else {
                    throw MeasurementFailure("\(strategy.rawValue): \(statistics.growths) growths instead of one")
                }
            }
            return took
        }
        return strategy == traps[0] && calls == Self.calls.last ? [run, run.nullControl()] : [run]
    }

    private func records(
        of result: MeasurementResult, size: Int, layouts: Int, _ settings: InterleavedMeasurement.Settings
    ) throws -> [Record] {
        let bootstrap = Bootstrap(resamples: settings.resamples, seed: settings.seed)
        let shared: [ParameterName: ParameterValue] = [
            .initial: .int(size), .layouts: .int(layouts), .rounds: .int(settings.rounds),
            .clock: .clock(settings.clock),
        ]
        func time(_ strategy: StackStrategy, _ layout: Int, _ calls: Int, suffix: String = "") throws -> Double {
            let name = Self.caseName(strategy, layout, calls) + suffix
            return try Statistics.median(result.samples(of: name).nanosecondsPerOperation)
        }
        func curve(_ strategy: StackStrategy, _ layout: Int) throws -> CostCurve {
            CostCurve(calls: Self.calls, times: try Self.calls.map { try time(strategy, layout, $0) })
        }
        func record(
            _ name: String, _ metric: Metric, _ samples: [Double], _ own: [ParameterName: ParameterValue]
        ) throws -> Record {
            self.record(name, metric, try bootstrap.median(of: samples), shared.merging(own) { $1 })
        }
        var records: [Record] = []
        for strategy in Self.traps + [.checkMove] {
            for calls in Self.calls {
                records.append(
                    try record(
                        "\(Self.caseName(strategy, size)) \(calls)", .time,
                        try (0..<layouts).map { try time(strategy, $0, calls) },
                        [.strategy: .string(strategy.rawValue), .calls: .int(calls)]))
            }
        }
        let end = Self.calls[Self.calls.count - 1]
        let noise = try (0..<layouts).map { layout in
            let again = try time(Self.traps[0], layout, end, suffix: " null")
            return (again - (try time(Self.traps[0], layout, end))) / Double(end)
        }
        records.append(
            try record("noise \(ByteSize(bytes: size))", .checkCost, noise, [.nullControl: true]))
        for strategy in Self.traps {
            let crossings = try (0..<layouts).map { layout in
                Crossing(trap: try curve(strategy, layout), checked: try curve(.checkMove, layout))
            }
            let name = Self.caseName(strategy, size)
            let own: [ParameterName: ParameterValue] = [.strategy: .string(strategy.rawValue), .sweepEnd: .int(end)]
            records += [
                try record(name, .growthDifference, crossings.map(\.growthDifference), own),
                try record(name, .checkCost, crossings.map(\.checkCost), own),
                try record(
                    name, .checkCostAtFirst,
                    crossings.map { $0.checkCost(upTo: Self.calls.firstIndex(of: Self.firstCalls)) },
                    own.merging([.calls: .int(Self.firstCalls)]) { $1 }),
                try record(name, .crossing, crossings.map(\.measured), own),
                try record(name, .predictedCrossing, crossings.map(\.predicted), own),
            ]
        }
        return records
    }

    /// Programs whose operations are calls, each on a stack of 16 KiB at first.
    private func programs(_ laboratory: Laboratory) throws -> [Record] {
        let inputs = ["ackermann": "8", "fib": "25", "tak": "7", "closures": "20"]
        return try Workloads.all.compactMap { workload in
            guard let input = inputs[workload.name] else { return nil }
            try laboratory.step("\(identifier): calls per growth of \(workload.name)")
            let prepared = try workload.prepare(inputs: [input])
            let code = try CodeLoader().load(workload, variant: .builtin)
            var growths = 0
            let result = try withStack(
                StackConfiguration(strategy: .faultMove, initial: Self.sizes[1]), statistics: { growths = $0.growths },
                { try prepared.run(code) })
            // One that never grows saves every check for nothing; its calls are counted as if it grew once.
            return record(
                workload.name, .callsPerGrowth, exactly: Double(result.operations) / Double(max(growths, 1)),
                [
                    .growths: .int(growths), .initial: .int(Self.sizes[1]), .input: .string(input),
                    .language: .string(workload.languages[0].rawValue),
                ])
        }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let crossings = evidence.all(metric: .crossing)
        guard !crossings.isEmpty else { throw MissingEvidence("no crossing of a trap and checks was looked for") }
        var parts: [String] = []
        for crossing in crossings {
            let predicted = evidence.all(crossing.name, metric: .predictedCrossing).first
            let costs = [Metric.checkCost, .checkCostAtFirst].map { evidence.all(crossing.name, metric: $0).first }
            parts.append(
                Self.described(
                    crossing, predicted: predicted, cost: costs[0], atFirst: costs[1],
                    noise: noise(evidence, crossing)))
        }
        let programs = evidence.all(metric: .callsPerGrowth).map { "\($0.name) \(Self.grouped($0.median))" }
        if !programs.isEmpty {
            parts.append("calls per growth of programs: \(programs.joined(separator: ", "))")
        }
        let measured = crossings.map { MeasuredFigure(.callsPerGrowth($0.name), $0.estimate) }
        let verdict: Verdict =
            if crossings.allSatisfy({ $0.high <= 1 }) {
                .confirmed
            } else if crossings.allSatisfy({ $0.low >= Self.end($0) }) {
                .refuted
            } else {
                .depends
            }
        return Judgement(verdict, measured: measured, reason: parts.joined(separator: "; "))
    }

    /// How far from nothing noise alone takes the cost of a check, in nanoseconds per call.
    private func noise(_ evidence: Evidence, _ crossing: Record) -> Double? {
        var which: [ParameterName: ParameterValue] = [.nullControl: true]
        which[.initial] = crossing.parameters[.initial]
        return evidence.all(metric: .checkCost, where: which).first.map { max(abs($0.low), abs($0.high)) }
    }

    private static func end(_ record: Record) -> Double {
        Double(record.parameters[.sweepEnd]?.whole ?? calls[calls.count - 1])
    }

    /// "fault-move 16KiB wins from 24,000 [18,000, 40,000] calls per growth (predicted 23,000; a check costs 0.3 ns
    /// …)".
    private static func described(
        _ crossing: Record, predicted: Record?, cost: Record?, atFirst: Record?, noise: Double?
    ) -> String {
        let end = end(crossing)
        var text = "\(crossing.name) "
        if crossing.high <= 1 {
            text += "wins from the first call"
        } else if crossing.low >= end {
            text += "does not win within \(grouped(end)) calls per growth"
        } else if crossing.median > end {
            text += "wins in less than half of the layouts within \(grouped(end)) calls per growth, "
            text += "[\(grouped(crossing.low)), unbounded]"
        } else {
            let upper = crossing.high > end ? "unbounded" : grouped(crossing.high)
            text += "wins from \(grouped(crossing.median)) [\(grouped(crossing.low)), \(upper)] calls per growth"
        }
        var details: [String] = []
        if let predicted {
            details.append(
                "predicted \(predicted.median > end ? "more than \(grouped(end))" : grouped(predicted.median))")
        }
        if let cost {
            details.append("a check costs \(cost.estimate.text(decimals: 3)) ns a call")
            if let atFirst, let calls = atFirst.parameters[.calls] {
                details.append("\(atFirst.median.text(decimals: 3)) in the first \(calls)")
            }
            if let noise {
                let floor = noise.text(decimals: 3)
                details.append(cost.low <= noise ? "not clearly above the noise of \(floor)" : "noise \(floor)")
            }
        }
        return details.isEmpty ? text : "\(text) (\(details.joined(separator: ", ")))"
    }

    /// Three digits of a number, in groups: more than the intervals bear.
    private static func grouped(_ value: Double) -> String {
        var digits = value.rounded()
        var unit = 1.0
        while digits >= 1000 {
            digits = (digits / 10).rounded()
            unit *= 10
        }
        return QuantityFormatter.grouped(digits * unit, decimals: 0)
    }
}
