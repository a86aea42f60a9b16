// "a(4,5) exhausts any fixed stack."
//
// Ackermann's function of 4 and 5 has more digits than memory has atoms, so that no stack finishes it: what differs is
// where and how each ends. Every kind of stack gets the same limit and a process of its own. Those that do not grow
// decide; whether the others need no guess of their size is `no-size-guess`.

import Experiments
import Faultline
import Measurement
import Report

extension Figure {
    static let limitOfStacks = Figure("limit of each stack", .bytes)
}

public struct Ackermann: Claim {
    public init() {}

    public let identifier = "ackermann"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement = "a(4,5) exhausts any stack of fixed size."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "a(4,5) on every strategy, a thread and the newest Go, all with the same limit: depth, time, memory, "
            + "ending"
    ]

    public let plotted = PlottedNames(
        [.depth], [.ending, .limit], cases: [Recursion.Work.ackermann.prefix],
        values: Recursion.Ending.allCases.map(\.rawValue))

    private static let (m, n) = (4, 5)

    // MARK: measuring

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let limit = laboratory.isQuick ? 256 << 10 : 1 << 20
        let recursion = Recursion(claim: identifier, .ackermann, seconds: laboratory.isQuick ? 5 : 60, laboratory)
        let (m, n) = (Self.m, Self.n)
        var records = try StackStrategy.allCases.flatMap {
            try recursion.own($0, ["strategy=\($0.rawValue)", "m=\(m)", "n=\(n)"], limit: limit)
        }
        records += try recursion.thread(["\(limit)", "\(m)", "\(n)"], limit: limit)
        if let newest = laboratory.go.last {
            records += try recursion.go(newest, ["ackermann", "1", "\(m)", "\(n)", "\(limit)"], limit: limit)
        }
        return records
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let depths = evidence.all(metric: .depth).filter { $0.name.hasPrefix(Recursion.Work.ackermann.prefix) }
        let (growing, fixed) = (
            depths.filter { $0.parameters[.grows] == true }, depths.filter { $0.parameters[.grows] == false }
        )
        guard !fixed.isEmpty else { throw MissingEvidence("a(4,5) was not run on a stack that does not grow") }
        func count(_ records: [Record], _ ending: Recursion.Ending) -> Int {
            records.count { $0.parameters[.ending] == .string(ending.rawValue) }
        }
        let (finished, running) = (count(fixed, .finished), count(fixed, .running))
        let limit = depths[0].parameters[.limit]?.whole ?? 0
        let measured =
            depths.map { MeasuredFigure(Figure("depth of \($0.name)", .count), $0.estimate) }
            + [MeasuredFigure(.limitOfStacks, Estimate(exactly: Double(limit)))]
        let reason =
            "with \(ByteSize(bytes: limit)) \(count(fixed, .error)) of \(fixed.count) kinds of fixed stack "
            + "ended with an "
            + "error, \(count(fixed, .died)) with the process, \(finished) finished, \(running) were still running; of "
            + "\(growing.count) that grow to the same size \(count(growing, .finished)) finished; depths: "
            + depths.map { "\($0.name.dropFirst(Recursion.Work.ackermann.prefix.count)) \(Int($0.median))" }
            .joined(separator: ", ")
        if finished > 0 { return Judgement(.refuted, measured: measured, reason: reason) }
        return Judgement(running > 0 ? .notMeasurable : .confirmed, measured: measured, reason: reason)
    }
}
