// "runtime.Stack in 512 goroutines takes 12 µs with GOMAXPROCS 1, 42 µs with 8, and 189 µs with 64."
//
// Exactly that, for each version of Go. A call's time ends when its goroutine goes on, so that it holds what the
// goroutine waited for a processor; the processor time of a call, beside it, does not. What grows in the first only is
// no contention.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    static let processorTimeOfCall = Metric("processor-time-of-call", .nanoseconds)
}

extension Figure {
    static func dump(_ processors: Int) -> Figure { Figure("a call with GOMAXPROCS \(processors)", .nanoseconds) }
    static func dumpAgainstOne(_ processors: Int) -> Figure {
        Figure("a call with GOMAXPROCS \(processors) against 1", .ratio)
    }
    static func processorTimeOfDump(_ processors: Int) -> Figure {
        Figure("processor time of a call, GOMAXPROCS \(processors)", .nanoseconds)
    }
}

public struct StackDump: Claim {
    public init() {}

    public let identifier = "stack-dump"
    public let saidBy = "an article on start-up and the loading of stacks"
    public let statement =
        "runtime.Stack in 512 goroutines takes 12 µs with GOMAXPROCS 1, 42 µs with 8, and 189 µs with 64."
    public let claimed = [
        ClaimedFigure(.dump(1), about: Self.alone), ClaimedFigure(.dump(8), 42_000, tolerance: Self.tolerance),
        ClaimedFigure(.dump(64), 189_000, tolerance: Self.tolerance),
    ]
    private static let alone = 12_000.0
    public let experiments = [
        "512 goroutines call runtime.Stack with GOMAXPROCS 1, 8 and 64, in a process for each round: mean and "
            + "median time "
            + "of a call, and its processor time; every version of Go that is installed (a quick run: the newest)"
    ]

    public let plotted = PlottedNames(
        [.time, .processorTimeOfCall], [.peer, .gomaxprocs], figures: Self.processors.map(Figure.dump))

    static let processors = [1, 8, 64]
    private static let goroutines = 512
    private static let name = "runtime.Stack"

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let calls = laboratory.isQuick ? 20 : 100
        let toolchains = laboratory.isQuick ? Array(laboratory.go.suffix(1)) : laboratory.everyGo
        var subjects: [ProcessSubject] = []
        for toolchain in toolchains {
            guard let program = try laboratory.program(.articles, toolchain) else { continue }
            subjects += Self.processors.map {
                ProcessSubject(
                    Self.name, program, "dump \(calls) \(Self.goroutines) \($0)", numbers: 3,
                    [.gomaxprocs: .int($0), .processors: .int(ContendingGrowth.processors)])
            }
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        let each = Double(calls)
        return try rounds.records(suite: identifier, .time) { $0[2] / each }
            + rounds.records(suite: identifier, .p50) { $0[0] / each }
            + rounds.records(suite: identifier, .processorTimeOfCall) { $0[1] / each }
            + rounds.ratios(suite: identifier, to: { $0 - $0 % Self.processors.count }, of: { $0[2] })
    }

    /// The claimed times are those of a machine, which others have by a factor of two; how they grow carries over, give
    /// or take a third.
    private static let tolerance = 1.0 / 3

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let newest = Evidence(evidence.records.ofNewestGo)
        func which(_ processors: Int) -> [ParameterName: ParameterValue] { [.gomaxprocs: .int(processors)] }
        let times = try Self.processors.map { processors throws(MissingEvidence) in
            try newest.estimate(Self.name, metric: .time, where: which(processors))
        }
        var measured = zip(Self.processors, times).map { MeasuredFigure(.dump($0), $1) }
        // More of Go's processors than the machine has take turns, which is another thing than many at once.
        let there = newest.records.compactMap { $0.parameters[.processors]?.whole }.min()
        var statements = [
            Statement(
                "with GOMAXPROCS 1 a call takes \(QuantityFormatter.string(times[0].median, .nanoseconds)), claimed "
                    + QuantityFormatter.string(Self.alone, .nanoseconds),
                times[0], is: claimed(.dump(1)))
        ]
        var beyond: [String] = []
        for processors in Self.processors.dropFirst() {
            let ratio = try newest.estimate(Self.name, metric: .ratio, where: which(processors))
            let due = claimed(.dump(processors)).high! / Self.alone
            measured.append(MeasuredFigure(.dumpAgainstOne(processors), ratio))
            guard let there, processors <= there else {
                beyond.append("\(processors) take \(ratio.text()) times as long as 1")
                continue
            }
            statements.append(
                Statement(
                    "\(processors) processors take \(ratio.text()) times as long as 1, claimed "
                        + "\(due.text(decimals: 1))",
                    ratio, is: ClaimedFigure(.dumpAgainstOne(processors), due, tolerance: Self.tolerance)))
        }
        for processors in Self.processors {
            guard let time = newest.find(Self.name, metric: .processorTimeOfCall, where: which(processors)) else {
                continue
            }
            measured.append(MeasuredFigure(.processorTimeOfDump(processors), time))
        }
        let version = newest.records.first?.goVersion ?? "Go"
        let machine =
            there.map { "this machine has \($0) processor\($0 == 1 ? "" : "s")" }
            ?? "how many processors the machine has is not recorded"
        let reason =
            beyond.isEmpty
            ? Statement.text(statements)
            : (statements.isEmpty ? "" : "\(Statement.text(statements)); ")
                + "\(machine), so that what GOMAXPROCS beyond "
                + "it does, does not decide: \(beyond.joined(separator: ", "))"
        let decided = Statement.conjunction(statements)
        return Judgement(
            // What is confirmed of some of the numbers is not confirmed of all.
            statements.isEmpty || decided == .confirmed && !beyond.isEmpty ? .notMeasurable : decided,
            measured: measured, reason: "\(version): \(reason)")
    }
}
