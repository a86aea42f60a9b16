// "The head of a pool of stacks needs a cache line of its own."
//
// Two threads change a head each, as taking a stack from a pool and giving it back does: heads next to each other, and
// each in a pair of cache lines of its own.

import Experiments
import Measurement
import Peers
import Report

extension Figure {
    static let sharedLine = Figure("two threads, heads in one cache line against apart", .ratio)
    static let oneThread = Figure("one thread, against two with heads apart", .ratio)
}

public struct FalseSharing: Claim {
    public init() {}

    public let identifier = "false-sharing"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "The head of a pool of stacks needs a cache line of its own."
    public let claimed = [
        // Without a number: noticeable.
        ClaimedFigure(.sharedLine, low: 1.1, high: nil, isOurReading: true)
    ]
    public let experiments = [
        "two threads compare and swap the head of a list each, 8 bytes apart, 64 and 128 bytes apart, and one "
            + "thread alone; in a "
            + "process for each round"
    ]

    public let plotted = PlottedNames([.time], cases: [Self.together, Self.lines, Self.apart, Self.alone])

    static let (together, lines, apart, alone) = ("together", "a line each", "apart", "alone")
    private static let words = [(together, 1, 2), (lines, 8, 2), (apart, 16, 2), (alone, 16, 1)]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last, let program = try laboratory.program(.articles, toolchain) else {
            return []
        }
        guard ContendingGrowth.processors > 1 else {
            laboratory.missing("threads that share a cache line are not measured: they need two processors")
            return []
        }
        let count = laboratory.isQuick ? 1_000_000 : 5_000_000
        let subjects = Self.words.map { name, words, threads in
            ProcessSubject(
                name, program, "heads \(count) \(words) \(threads)", [.bytes: .int(8 * words), .threads: .int(threads)])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        return try rounds.records(suite: identifier, .time) { $0[0] / Double(count) }
            + rounds.ratios(suite: identifier, to: { _ in 2 }, of: { $0[0] })
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let ratio = try evidence.ratio(Self.together, to: Self.apart)
        var measured = [MeasuredFigure(.sharedLine, ratio)]
        if let alone = try? evidence.ratio(Self.alone, to: Self.apart) {
            measured.append(MeasuredFigure(.oneThread, alone))
        }
        let times = evidence.all(metric: .time).map {
            "\($0.name) \(QuantityFormatter.string($0.estimate, .nanoseconds))"
        }.joined(separator: ", ")
        let reason = "in one cache line a change takes \(ratio.text()) times as long as apart; \(times)"
        switch ratio.relation(to: claimed(.sharedLine)) {
        case .within, .above: return Judgement(.confirmed, measured: measured, reason: reason)
        case .below: return Judgement(.refuted, measured: measured, reason: reason)
        case .undecided:
            return Judgement(.notMeasurable, measured: measured, reason: "more rounds are needed: \(reason)")
        }
    }
}
