// "An idle stack can be given back."

import Experiments
import Faultline
import Measurement
import Peers
import Report

extension Metric {
    static let bytesBefore = Metric("bytes before", .bytes)
    static let bytesAfter = Metric("bytes after", .bytes)
}

extension ParameterName {
    /// How it is given back.
    static let way = ParameterName("way")
    /// Bytes that each stack used.
    static let used = ParameterName("used")
}

public struct Shrink: Claim {
    public init() {}

    public let identifier = "shrink"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22; Go's runtime"
    public let statement = "The memory of an idle stack can be given back."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "stacks that used 256 KiB and wait: what releasing the pages below the stack pointer costs and wins, and using "
            + "them again; the same at their end, and by emptying the pool",
        "the same with moving back to a smaller slot, and with hibernation, instead of releasing",
        "goroutines that used as much and wait: seven collections, each of which halves their stacks",
    ]

    public let plotted = PlottedNames(
        [.bytesBefore, .bytesAfter, .time], [.guard, .peer],
        cases: [ShrinkExperiment.Step.giveBack(.release), .end, .drain].map(\.name) + [Self.collection])

    /// What each stack used, in bytes.
    static let used = 256 << 10
    /// Until a stack of 256 KiB has 2 KiB.
    private static let collections = 7
    /// The case of giving back with Go; the library's are those of the experiment's steps.
    static let collection = "collection"
    private static let ways: [(way: ShrinkExperiment.Method, strategy: StackStrategy)] = [
        (.release, .fault), (.move, .faultMove), (.hibernate, .fault),
    ]

    /// One step of one sample, for one stack: nanoseconds, and bytes before and after.
    private struct Sample {
        let time: Double
        let before: Double
        let after: Double
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let count = laboratory.isQuick ? 200 : 1_000
        let rounds = laboratory.isQuick ? 7 : 21
        var records: [Record] = []
        for kind in StackGuard.allCases
        where try laboratory.offers(
            StackConfiguration(guardKind: kind), for: "what stacks with '\(kind.rawValue)' give back")
        {
            // Hibernation needs guard pages.
            for (way, strategy) in Self.ways where way != .hibernate || kind == .guardPages {
                records += try self.records(way, strategy, kind, count: count, rounds: rounds, laboratory)
            }
        }
        for program in try laboratory.goStackPrograms() {
            let samples = try (0..<rounds).map { _ in
                try laboratory.step("shrink: \(program.version)")
                let answer = try program.converse().numbers(
                    "shrink \(count) \(Self.used) \(Self.collections)", atLeast: 3)
                let numbers = answer.map { Double($0) / Double(count) }
                return Sample(time: numbers[0], before: numbers[1], after: numbers[2])
            }
            records += try self.records(
                Self.collection, samples,
                [.peer: .string(program.version), .used: .int(Self.used), .count: .int(count)], laboratory.seed)
        }
        return records
    }

    /// Of a process that gives back in one way; none where the machine cannot.
    private func records(
        _ way: ShrinkExperiment.Method, _ strategy: StackStrategy, _ kind: StackGuard, count: Int, rounds: Int,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        let steps: [ShrinkExperiment.Step] =
            [.use, .giveBack(way), .useAgain] + (way == .release ? [.end, .drain] : [])
        var samples: [ShrinkExperiment.Step: [Sample]] = [:]
        for _ in 0..<rounds {
            let findings = try laboratory.experiment(
                "shrink",
                [
                    "count=\(count)", "bytes=\(Self.used)", "way=\(way.rawValue)", "strategy=\(strategy.rawValue)",
                    "guard=\(kind.rawValue)",
                ])
            guard findings.succeeded else {
                laboratory.missing("'\(way.rawValue)' is not measured: \(findings.failure("nothing was given back"))")
                return []
            }
            for step in steps {
                samples[step, default: []].append(
                    Sample(
                        time: try findings.number(.time.of(step.name)) / Double(count),
                        before: try findings.number(.bytesBefore.of(step.name)) / Double(count),
                        after: try findings.number(.bytesAfter.of(step.name)) / Double(count)))
            }
        }
        let parameters: [ParameterName: ParameterValue] = [
            .peer: .thisLibrary, .guard: .string(kind.rawValue), .strategy: .string(strategy.rawValue),
            .way: .string(way.rawValue), .used: .int(Self.used), .count: .int(count),
        ]
        var records: [Record] = []
        for step in steps {
            records += try self.records(step.name, samples[step] ?? [], parameters, laboratory.seed)
        }
        let (given, use) = (samples[.giveBack(way)] ?? [], samples[.use] ?? [])
        records.append(
            ratio(
                way.rawValue, to: ShrinkExperiment.Step.use.name,
                try Estimate.ratio(of: given.map(\.time), to: use.map(\.time)), parameters))
        return records
    }

    private func records(
        _ name: String, _ samples: [Sample], _ parameters: [ParameterName: ParameterValue], _ seed: UInt64
    ) throws -> [Record] {
        let metrics: [(Metric, (Sample) -> Double)] = [
            (.time, \.time), (.bytesBefore, \.before), (.bytesAfter, \.after),
        ]
        return try metrics.map { metric, value in
            record(name, metric, try Estimate.median(of: samples.map(value)), parameters)
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var measured: [MeasuredFigure] = []
        var text: [String] = []
        var won: [(title: String, low: Double, high: Double)] = []
        // Go's first, the newest before older ones.
        for name in [Self.collection] + Self.ways.map(\.way.rawValue) {
            let all = evidence.all(name, metric: .bytesBefore)
            for before in name == Self.collection ? all.reversed() : all {
                let parameters = before.identifyingParameters
                let after = try evidence.estimate(name, metric: .bytesAfter, where: parameters)
                let time = try evidence.estimate(name, metric: .time, where: parameters)
                let title = Self.title(before)
                // The share that came back, by the ends of both intervals.
                won.append((title, 1 - after.high / before.low, 1 - after.low / before.high))
                measured.append(MeasuredFigure(Figure("\(title), bytes before", .bytes), before.estimate))
                measured.append(MeasuredFigure(Figure("\(title), bytes after", .bytes), after))
                measured.append(MeasuredFigure(Figure("\(title), time", .nanoseconds), time))
                text.append(
                    "\(title): \(Int(before.median)) bytes to \(Int(after.median)) in \(Int(time.median)) ns")
            }
        }
        guard !won.isEmpty else { throw MissingEvidence("no record of what was given back") }
        let reason = text.joined(separator: "; ")
        // Half or more is given back: what Go's collector does at least.
        let (given, kept) = (won.filter { $0.low >= 0.5 }, won.filter { $0.high < 0.5 })
        if given.count == won.count { return Judgement(.confirmed, measured: measured, reason: reason) }
        if kept.count == won.count { return Judgement(.refuted, measured: measured, reason: reason) }
        func list(_ ways: [(title: String, low: Double, high: Double)]) -> String {
            ways.map { "\($0.title) \(Estimate.percent($0.low)) to \(Estimate.percent($0.high)) %" }
                .joined(separator: ", ")
        }
        guard !given.isEmpty, !kept.isEmpty else {
            let open = won.filter { $0.low < 0.5 && $0.high >= 0.5 }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "more rounds are needed to tell whether half is given back: \(list(open)); \(reason)")
        }
        return Judgement(
            .depends, measured: measured,
            reason:
                "it depends on the way: half or more is given back by \(list(given)), less by \(list(kept)); \(reason)")
    }

    private static func title(_ record: Record) -> String {
        if let kind = record.parameters[.guard] { return "\(record.name) with \(kind)" }
        return "\(record.parameters[.peer] ?? "another") \(record.name)"
    }
}
