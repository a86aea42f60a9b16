// "The one-time trap pays for the checks it saves."
//
// Whoever has no checks saves a share of the time (`check-cost`) and pays for each growth what a trap takes more than a
// failed check, of Go's kind. A program gains while it grows more rarely than one is to the other; how often programs
// do grow is counted. Beside it, for a plot, one growth and a number of calls on a fresh stack.

import Experiments
import Faultline
import Measurement
import Report
import Workloads

extension Metric {
    /// What a growth by a trap takes more than Go's.
    static let growthDifference = Metric("growth-difference", .nanoseconds)
    /// By how much a run without checks that grew by a trap is faster.
    static let advantage = Metric("advantage", .nanoseconds)
}

extension ParameterName {
    static let calls = ParameterName("calls")
    static let countedRuns = ParameterName("counted-runs")
    /// What the layouts say of a point of the sweep: which is faster, or that they disagree.
    static let faster = ParameterName("faster")
}

extension Figure {
    static func breakEven(_ language: String, _ way: String, isFresh: Bool) -> Figure {
        Figure("\(language), \(way), \(isFresh ? "fresh" : "warm") memory: growths per second at break-even", .count)
    }
    static func ownGrowths(_ program: String) -> Figure { Figure("\(program): growths per second", .count) }
}

public struct BreakEven: Claim {
    public init() {}

    public let identifier = "break-even"
    public let saidBy = "ours, from the golang-nuts discussion, November 2025"
    public let statement = "The one-time trap pays for the checks that it saves."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "the time that programs save without checks, measured as what checks cost: in Go, in C and in Swift",
        "a growth by a trap, in place, by a move and by remapping, against one of the newest Go: fresh memory on both "
            + "sides, and in place with memory that is there on both; processes are samples",
        "growths of the Go programs, counted by copies with probes, and of those in C and Swift, "
            + "where each run of milliseconds begins on a new stack",
        "for the plot: one growth and 1 to 1,000,000 calls on a fresh stack, fault-move and fault against check-move, "
            + "by initial size, one layout in each process; every growth is counted within what is timed",
    ]

    public let plotted = PlottedNames(
        [.time, .advantage], [.calls, .initial, .strategy, .faster],
        values: SweepSampler.strategies.map(\.rawValue) + [Self.noDifference])

    public var samplers: [any Sampler] { [SweepSampler()] }

    /// What a stack may use before it grows, in bytes.
    static let sizes = [4 << 10, 16 << 10, 64 << 10]
    /// Where layouts disagree.
    static let noDifference = "no difference"
    /// What a program's stack may use at first where its growths are counted, in bytes.
    private static let counted = 16 << 10

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try MeasuredChecks.programs(laboratory, claim: identifier)
        let go = try GoCosts.measured(laboratory, claim: identifier)
        return try programs.means(suite: identifier) + go.means(suite: identifier) + go.growths(suite: identifier)
            + growths(laboratory)
            + programs.results.flatMap { try own($0.subject, laboratory) }
            + Self.sizes.flatMap { try sweep($0, laboratory) }
    }

    /// What a growth takes, and what it takes more than Go's.
    private func growths(_ laboratory: Laboratory) throws -> [Record] {
        guard let samples = try GrowthCostSampler.measured(laboratory) else { return [] }
        var shared: [ParameterName: ParameterValue] = [:]
        shared[.peer] = samples.texts[GrowthCostSampler.version].map { .string($0) }
        var records = try Record.records(of: samples, suite: identifier, parameters: shared)
        shared[.processes] = .int(samples.processes.count)
        for compared in try GrowthCostSampler.comparisons(samples) {
            records.append(
                record(
                    compared.way, .growthDifference, try .median(of: zip(compared.own, compared.go).map { $0 - $1 }),
                    shared.merging([.freshMemory: .bool(compared.isFresh)]) { $1 }))
        }
        return records
    }

    /// How often a program grows its stack, where every run has a new one.
    private func own(_ subject: CheckSubject, _ laboratory: Laboratory) throws -> [Record] {
        try laboratory.step("\(identifier): counting the growths of \(subject.name)")
        let prepared = try ShortRuns.prepare(subject.workload, .timed)
        let code = try CodeLoader().load(subject.workload, variant: .plain)
        let clock = MeasurementClock.processTime
        let runs = laboratory.isQuick ? 5 : 25
        var (growths, took): (Int, UInt64) = (0, 0)
        for _ in 0..<runs {
            StackPool.drain()
            let start = clock.now()
            _ = try withStack(
                StackConfiguration(strategy: .fault, initial: Self.counted), statistics: { growths += $0.growths },
                { try prepared.run(code) })
            took += clock.now() - start
        }
        return [
            record(
                subject.name, .growthsPerSecond, exactly: Double(growths) / (Double(took) / 1e9),
                subject.parameters.merging([
                    .growths: .int(growths), .countedRuns: .int(runs), .initial: .int(Self.counted), .strategy: "fault",
                ]) { $1 })
        ]
    }

    /// The points of the plot for stacks of `size` bytes at first.
    private func sweep(_ size: Int, _ laboratory: Laboratory) throws -> [Record] {
        guard let samples = try laboratory.samples(of: SweepSampler(), ["size": "\(size)"]) else { return [] }
        let shared: [ParameterName: ParameterValue] = [
            .initial: .int(size), .layouts: .int(samples.processes.count), .processes: .int(samples.processes.count),
            .rounds: .int(samples.rounds), .clock: .clock(samples.clock),
        ]
        var records: [Record] = []
        for calls in SweepSampler.calls {
            for strategy in SweepSampler.strategies {
                var own = shared
                own[.strategy] = .string(strategy.rawValue)
                own[.calls] = .int(calls)
                let name = SweepSampler.caseName(strategy, calls)
                let title = "\(strategy.rawValue) \(ByteSize(bytes: size)) \(calls)"
                records.append(record(title, .time, try samples.time(of: name), own))
                guard strategy != .checkMove else { continue }
                let checked = try samples.times(of: SweepSampler.caseName(.checkMove, calls))
                let advantage = try Estimate.median(of: zip(checked, samples.times(of: name)).map { $0 - $1 })
                own[.faster] = .string(Self.faster(advantage, strategy))
                records.append(record(title, .advantage, advantage, own))
            }
        }
        return records
            + (try samples.nullControls().map { control in
                ratio(
                    "\(control.name) \(ByteSize(bytes: size))", to: control.original, control.ratio,
                    shared.merging([.nullControl: true]) { $1 })
            })
    }

    /// Which is faster: where the interval over layouts contains zero, they disagree.
    static func faster(_ advantage: Estimate, _ trap: StackStrategy) -> String {
        guard advantage.isDistinguishable(from: 0, null: nil) else { return noDifference }
        return advantage.median > 0 ? trap.rawValue : StackStrategy.checkMove.rawValue
    }

    // MARK: judging

    /// A language: the case of what its programs save, and which programs are of it.
    private static let languages: [(name: String, saved: String, language: String)] = [
        ("Go", GoCosts.programs + CaseSuffix.equal, "go"), ("C", MeasuredChecks.Group.c.rawValue, "c"),
        ("Swift", MeasuredChecks.Group.swift.rawValue, "swift"),
    ]

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let differences = evidence.all(metric: .growthDifference)
        guard !differences.isEmpty else { throw MissingEvidence("no growth by a trap was timed beside Go's") }
        var (measured, texts): ([MeasuredFigure], [String]) = ([], [])
        var outcome: Verdict?
        let newest = evidence.records.newestInstalledGo
        for (name, saved, language) in Self.languages {
            // A growth in place of Go's check is about Go, and of Go about the newest.
            let isGo = language == Self.languages[0].language
            guard let record = evidence.all(saved, metric: .ratio).first,
                !isGo || newest == nil || record.goVersion == nil || record.goVersion == newest
            else { continue }
            let ratio = record.estimate
            let base = saved.hasSuffix(CaseSuffix.equal) ? String(saved.dropLast(CaseSuffix.equal.count)) : saved
            let null = evidence.find(base + CaseSuffix.again, metric: .ratio)?.gain
            let gain = ratio.gain
            let boundaries = differences.map { (record: $0, rate: BreakEvenRate(gain, $0.estimate)) }
            measured += boundaries.compactMap { record, rate in
                rate?.figure(.breakEven(name, record.name, isFresh: record.parameters[.freshMemory] == true))
            }
            let rates = evidence.all(metric: .growthsPerSecond, where: [.language: .string(language)])
            measured += rates.map { MeasuredFigure(.ownGrowths($0.name), $0.estimate) }
            let inPlace = boundaries.filter { $0.record.name == GrowthCostSampler.inPlace }
            let (own, text) = Self.outcome(
                isGo ? name : "if \(name) grew as Go does", gain, null,
                inPlace.map { ($0.record.parameters[.freshMemory] == true ? "fresh" : "warm", $0.rate) }, rates)
            texts.append(text)
            if isGo { outcome = own }
        }
        guard let verdict = outcome else {
            throw MissingEvidence("no program of the newest Go was measured without its checks")
        }
        let cost = differences.map { record in
            "\(record.name) with \(record.parameters[.freshMemory] == true ? "fresh" : "warm") memory "
                + "\(Self.grouped(record.median)) [\(Self.grouped(record.low)), \(Self.grouped(record.high)); "
                + "n = \(record.samples)] ns"
        }
        return Judgement(
            verdict, measured: measured,
            reason: texts.joined(separator: "; ")
                + "; a growth by a trap takes more than Go's: \(cost.joined(separator: ", "))")
    }

    private static func outcome(
        _ name: String, _ gain: Estimate, _ null: Estimate?, _ boundaries: [(memory: String, rate: BreakEvenRate?)],
        _ programs: [Record]
    ) -> (Verdict, String) {
        let rates = boundaries.compactMap(\.rate)
        guard !rates.isEmpty else {
            return (.confirmed, "\(name): a growth by a trap is not slower than Go's, whatever checks cost")
        }
        guard gain.isDistinguishable(from: 0, null: null) else {
            let beside = null.map { ", the same programs against themselves \($0.percent)" } ?? ""
            let most = rates.compactMap(\.high).max().map {
                ", so that a program gains below \(grouped($0)) growths per second of processor time at most"
            }
            return (
                .notDistinguishable, "\(name): checks are not told from none (\(gain.percent)\(beside))\(most ?? "")"
            )
        }
        let limits = boundaries.map { memory, rate in
            switch (rate?.median, rate?.low, rate?.high) {
            case (let median?, let low?, let high?):
                "\(grouped(median)) [\(grouped(low)), \(grouped(high))] with \(memory) memory"
            case (_, let low?, _): "\(grouped(low)) at least with \(memory) memory"
            default: "any number with \(memory) memory"
            }
        }
        var text =
            "\(name): a program gains when it grows fewer stacks per second of processor time than "
            + limits.joined(separator: " and ")
        guard !programs.isEmpty else {
            return (.notMeasurable, "\(text); how often its programs do is not counted")
        }
        let own = programs.sorted { $0.median < $1.median }
        text += "; \(own.map { "\($0.name) does \(grouped($0.median))" }.joined(separator: ", "))"
        let (fewest, most) = (rates.map(\.low).min() ?? 0, rates.map { $0.high ?? .infinity }.max() ?? .infinity)
        let (gaining, losing) = (own.filter { $0.high < fewest }, own.filter { $0.low > most })
        if gaining.count == own.count { return (.confirmed, text) }
        if losing.count == own.count { return (.refuted, text) }
        func names(_ records: [Record]) -> String { records.map(\.name).joined(separator: ", ") }
        guard !gaining.isEmpty, !losing.isEmpty else {
            let open = own.filter { record in !(gaining + losing).contains(record) }
            return (.notMeasurable, "\(text); on which side \(names(open)) is cannot be told")
        }
        return (
            .depends,
            "\(text); it depends on the program: below \(grouped(fewest)) \(names(gaining)), above \(grouped(most)) "
                + names(losing)
        )
    }

    /// Three digits of a number, in groups: more than the intervals bear.
    static func grouped(_ value: Double) -> String {
        var digits = value.rounded()
        var unit = 1.0
        while digits >= 1000 {
            digits = (digits / 10).rounded()
            unit *= 10
        }
        return QuantityFormatter.grouped(digits * unit, decimals: 0)
    }
}

/// How many growths a second cost what is saved in it.
struct BreakEvenRate {
    let low: Double
    /// Nil where a trap is not told from being as fast as Go's growth, so that there may be no such number.
    let median: Double?
    let high: Double?
    private let samples: Int

    /// Both intervals count, so that this one is wider than 95 %. Nil where a trap is not slower.
    init?(_ gain: Estimate, _ difference: Estimate) {
        guard difference.high > 0 else { return nil }
        func rate(_ saved: Double, _ nanoseconds: Double) -> Double { max(0, saved) / (nanoseconds / 1e9) }
        low = rate(gain.low, difference.high)
        let isBounded = difference.low > 0
        median = isBounded ? rate(gain.median, difference.median) : nil
        high = isBounded ? rate(gain.high, difference.low) : nil
        samples = min(gain.samples, difference.samples)
    }

    func figure(_ figure: Figure) -> MeasuredFigure {
        guard let median, let high else { return MeasuredFigure(figure, Estimate(exactly: low), isAtLeast: true) }
        return MeasuredFigure(figure, Estimate(median: median, low: low, high: high, samples: samples))
    }
}
