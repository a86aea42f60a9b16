// "Since Go 1.17 the closure that a goroutine runs stays on the stack: 24 bytes of heap become 0."
//
// The article's program: goroutines that run a closure. What the heap gives for one is counted by the runtime. A
// closure that is called instead of started shows that the count can be 0.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    /// Of the heap, for one.
    static let heapBytes = Metric("heap-bytes", .bytes)
}

extension Figure {
    static let closureOfGoroutine = Figure("heap for the closure of a goroutine", .bytes)
    static let closureThatIsCalled = Figure("heap for a closure that is called", .bytes)
}

public struct Escape: Claim {
    public init() {}

    public let identifier = "escape"
    public let saidBy =
        "an article on start-up and the loading of stacks; Dave Cheney, Five things that make Go fast, 2014"
    public let statement =
        "Since Go 1.17 the closure that a goroutine runs stays on the stack: 0 bytes of heap, not 24."
    public let claimed = [ClaimedFigure(.closureOfGoroutine, 0)]
    public let experiments = [
        "start 1,000 goroutines with a closure, one after the other, and call as many closures: bytes that the "
            + "heap gave, "
            + "counted by the runtime of every version of Go that is installed (a quick run: the oldest and the newest)"
    ]

    public let plotted = PlottedNames(
        [.heapBytes], [.peer], cases: [Self.started, Self.called], figures: [.closureOfGoroutine])

    static let (started, called) = ("started", "called")
    private static let count = 1_000

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        var subjects: [ProcessSubject] = []
        for toolchain in laboratory.isQuick ? laboratory.go : laboratory.everyGo {
            guard let program = try laboratory.program(.articles, toolchain) else { continue }
            subjects += [(Self.started, 0), (Self.called, 1)].map {
                ProcessSubject($0, program, "closures \(Self.count) \($1)", numbers: 3)
            }
        }
        let rounds = try ProcessRounds(subjects, rounds: 3, claim: identifier, laboratory)
        return try rounds.records(suite: identifier, .heapBytes) { $0[1] / Double(Self.count) }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let started = evidence.all(Self.started, metric: .heapBytes).filter { $0.goVersion != nil }
        guard let newest = started.ofNewestGo.first else {
            throw MissingEvidence("no closure of a goroutine was counted")
        }
        var measured = [MeasuredFigure(.closureOfGoroutine, newest.estimate)]
        measured += evidence.all(Self.called, metric: .heapBytes).ofNewestGo.map {
            MeasuredFigure(.closureThatIsCalled, $0.estimate)
        }
        measured += started.filter { $0 != newest }.map {
            MeasuredFigure(Figure("heap for the closure of a goroutine, \($0.goVersion!)", .bytes), $0.estimate)
        }
        let reason =
            "heap for the closure of a goroutine: "
            + started.map { "\($0.goVersion!) \(QuantityFormatter.string($0.median, .bytes))" }.joined(separator: ", ")
        // Every version that was counted is a later one.
        let isNone = started.allSatisfy { $0.high < 1 }
        return Judgement(isNone ? .confirmed : .refuted, measured: measured, reason: reason)
    }
}
