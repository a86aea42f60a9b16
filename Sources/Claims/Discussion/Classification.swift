// "It is hard to tell a stack that grows from a bug such as a nil dereference."
//
// Each cause of a fault is judged by itself, so that the verdict does not hang on how many of each were made: a cause
// is told apart where none of its faults was taken for the other kind and none was said to be ambiguous.

import Experiments
import Faultline
import Glibc
import Measurement
import Report

extension Metric {
    static let faults = Metric("faults", .count)
}

extension ParameterName {
    static let source = ParameterName("source")
    /// The verdict that it should have got.
    static let due = ParameterName("due")
}

extension Figure {
    static func confusionsInAMillion(_ source: Classification.Source) -> Figure {
        Figure("confusions in a million \(source.word) faults", .count)
    }
    static func faults(_ source: Classification.Source) -> Figure { Figure("\(source.word) faults", .count) }
    static func ambiguous(_ source: Classification.Source) -> Figure {
        Figure("\(source.word) faults said to be ambiguous", .count)
    }
    static let causes = Figure("causes of faults", .count)
    static let causesNotToldApart = Figure("causes of faults that are not always told apart", .count)
    static func bugsByAnotherName(_ source: Classification.Source) -> Figure {
        Figure("\(source.word) faults of bugs by another bug's name", .count)
    }
}

public struct Classification: Claim {
    public init() {}

    public let identifier = "classification"
    public let saidBy = "golang-nuts, November 2025"
    public let statement =
        "It is hard to tell a fault of a stack that grows from one of a bug such as a nil dereference."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "synthetic faults by the million, each constructed from its cause, through the classifier",
        "real faults by the thousand, with drawn addresses and sizes, each in a process that may die of it",
    ]

    public let plotted = PlottedNames([.faults], [.due, .verdict], values: [Self.ambiguous])

    /// Where faults are from: parameter `source`.
    enum Source: String, CaseIterable {
        case synthetic = "made up"  // a published name
        case real

        var word: String { self == .synthetic ? "synthetic" : "real" }
    }

    /// The verdict that growth gets, and the one that says that the facts fit several causes.
    static let growth = "growth"
    static let ambiguous = "ambiguous"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        try synthetic(laboratory) + real(laboratory)
    }

    private func synthetic(_ laboratory: Laboratory) throws -> [Record] {
        let total = laboratory.isQuick ? 2_000_000 : 20_000_000
        let verdicts = FaultStatistics.verdicts
        var faults = SyntheticFaults(seed: laboratory.seed)
        var counts: [SyntheticFault.Cause: [Int]] = [:]
        for cause in SyntheticFault.Cause.allCases { counts[cause] = Array(repeating: 0, count: verdicts.count) }
        var due: [SyntheticFault.Cause: String] = [:]
        for index in 0..<total {
            if index % 500_000 == 0 { try laboratory.step("\(identifier): synthetic fault \(index) of \(total)") }
            let fault = faults.next()
            counts[fault.cause]![fault.classified()] += 1
            due[fault.cause] = fault.due
        }
        return SyntheticFault.Cause.allCases.flatMap { cause in
            zip(verdicts, counts[cause]!).filter { $0.1 > 0 }.map { verdict, count in
                record(cause.rawValue, .synthetic, due: due[cause]!, verdict: verdict, count, seed: laboratory.seed)
            }
        }
    }

    private func real(_ laboratory: Laboratory) throws -> [Record] {
        let batches = laboratory.isQuick ? 5 : 40
        var counts: [FaultOutcome: Int] = [:]
        for batch in 0..<batches {
            // As a whole number that any reader of arguments takes.
            let seed = (laboratory.seed &+ UInt64(batch)) & UInt64(Int.max)
            let findings = try laboratory.experiment("faults", ["count=25", "seed=\(seed)"])
            guard findings.succeeded else { throw findings.failure("the faults were not all raised") }
            for finding in findings.values.keys {
                guard let outcome = FaultOutcome(finding) else {
                    throw findings.failure("no kind in '\(finding.rawValue)'")
                }
                counts[outcome, default: 0] += Int(try findings.number(finding))
            }
        }
        return try FaultKind.all.flatMap { kind in
            let own = counts.filter { $0.key.kind == kind.name }.sorted { $0.key.verdict < $1.key.verdict }
            return try own.map { outcome, count in
                guard outcome.endedAsExpected else {
                    throw MeasurementFailure(
                        "\(count) processes that raised '\(kind.name)' did not end as they should "
                            + "(verdict \(outcome.verdict))")
                }
                return record(
                    kind.name, .real, due: kind.verdict, verdict: outcome.verdict, count, seed: laboratory.seed)
            }
        }
    }

    private func record(
        _ cause: String, _ source: Source, due: String, verdict: String, _ count: Int, seed: UInt64
    ) -> Record {
        record(
            cause, .faults, exactly: Double(count),
            [
                .source: .string(source.rawValue), .due: .string(due), .verdict: .string(verdict),
                .seed: .string(String(seed)),
            ])
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var tallies: [Tally] = []
        for source in Source.allCases {
            let tally = Tally(evidence.all(metric: .faults, where: [.source: .string(source.rawValue)]))
            guard tally.all > 0 else { throw MissingEvidence("no record of \(source.word) faults") }
            tallies.append(tally)
        }
        let measured = zip(Source.allCases, tallies).flatMap { source, tally in
            [
                MeasuredFigure(.confusionsInAMillion(source), tally.confusionsInAMillion),
                MeasuredFigure(.faults(source), Estimate(exactly: tally.all)),
                MeasuredFigure(.ambiguous(source), Estimate(exactly: tally.ambiguous)),
                MeasuredFigure(.bugsByAnotherName(source), Estimate(exactly: tally.misnamed)),
            ]
        }
        let text = zip(Source.allCases, tallies).map { "\($0.word): \($1.description)" }.joined(separator: "; ")
        if tallies.contains(where: { $0.confused > 0 }) {
            return Judgement(
                .confirmed, measured: measured, reason: "one classifier, this library's, on these faults: \(text)")
        }
        let shown = "one classifier, this library's, on these faults: \(text)"
        // What is said to be ambiguous is not told apart, whatever it was.
        let causes = Set(tallies.flatMap(\.causes))
        let ambiguous = Set(tallies.flatMap { $0.ambiguousOf.keys })
        let counts =
            measured + [
                MeasuredFigure(.causes, Estimate(exactly: Double(causes.count))),
                MeasuredFigure(.causesNotToldApart, Estimate(exactly: Double(ambiguous.count))),
            ]
        guard !ambiguous.isEmpty else { return Judgement(.refuted, measured: counts, reason: shown) }
        let shares = ambiguous.sorted().map { cause in
            let share = tallies.compactMap { $0.shareOfAmbiguous(cause) }.max() ?? 0
            return "\(cause) (\(Estimate.percent(share)) % of its faults)"
        }
        let found =
            "growth and bugs are never confused, but of \(causes.count) causes \(ambiguous.count) are not always told "
            + "apart: \(shares.joined(separator: ", ")); \(shown)"
        if ambiguous.count == causes.count { return Judgement(.confirmed, measured: counts, reason: found) }
        return Judgement(
            .depends, measured: counts,
            reason: "it depends on the cause: it is so for \(ambiguous.count), and not for the other "
                + "\(causes.count - ambiguous.count): \(found)")
    }
}

/// How faults whose cause is known were classified.
private struct Tally {
    /// Every fault.
    var all = 0.0
    /// A bug was taken for growth, or growth for a bug.
    var confused = 0.0
    /// The classifier said that it cannot know.
    var ambiguous = 0.0
    /// A bug was taken for another bug.
    var misnamed = 0.0
    /// The causes that were.
    var misnamedCauses: [String] = []
    /// Faults of each cause, and those of them that were said to be ambiguous.
    private var faultsOf: [String: Double] = [:]
    var ambiguousOf: [String: Double] = [:]
    var causes: [String] { Array(faultsOf.keys) }

    init(_ records: [Record]) {
        for record in records {
            let due = record.parameters[.due]
            let verdict = record.parameters[.verdict]
            let growth = ParameterValue.string(Classification.growth)
            all += record.median
            faultsOf[record.name, default: 0] += record.median
            if verdict == due { continue }
            if verdict == .string(Classification.ambiguous) {
                ambiguous += record.median
                ambiguousOf[record.name, default: 0] += record.median
            } else if (due == growth) != (verdict == growth) {
                confused += record.median
            } else {
                misnamed += record.median
                misnamedCauses.append(record.name)
            }
        }
    }

    /// The share with its 95 % interval, times a million: none of n leaves up to 3 of n possible (the rule of three);
    /// otherwise Wilson's interval ("Probable inference", 1927).
    var confusionsInAMillion: Estimate {
        let share = confused / all
        guard confused > 0 else { return Estimate(median: 0, low: 0, high: min(3 / all, 1) * 1e6, samples: Int(all)) }
        let z = 1.96
        let center = (share + z * z / (2 * all)) / (1 + z * z / all)
        let reach = z / (1 + z * z / all) * (share * (1 - share) / all + z * z / (4 * all * all)).squareRoot()
        return Estimate(
            median: share * 1e6, low: max(0, min(center - reach, share)) * 1e6,
            high: min(1, max(center + reach, share)) * 1e6, samples: Int(all))
    }

    /// The share of a cause's faults; nil where it had none of it.
    func shareOfAmbiguous(_ cause: String) -> Double? { faultsOf[cause].map { (ambiguousOf[cause] ?? 0) / $0 } }

    var description: String {
        let bound = (confusionsInAMillion.high * 100).rounded() / 100
        let names = misnamedCauses.isEmpty ? "" : " (\(misnamedCauses.sorted().joined(separator: ", ")))"
        return "\(Int(confused)) confusions of growth and bugs in \(Int(all)) faults, at most \(bound) in a million; "
            + "\(Int(ambiguous)) said to be ambiguous, \(Int(misnamed)) bugs called by another bug's name\(names)"
    }
}
