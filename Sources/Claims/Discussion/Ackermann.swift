// "a(4,5) exhausts any fixed stack."
//
// Ackermann's function of 4 and 5 has more digits than memory has atoms, so that no stack finishes it: what differs is
// where and how each ends. Every kind of stack gets the same limits and a process of its own. Those that do not grow
// decide, at each of three sizes: "any size" is borne out where none finishes and the depth at the end rises in
// proportion to the size, for then the depth that the function needs is beyond any. Whether the others need no guess of
// their size is `no-size-guess`.

import Experiments
import Faultline
import Measurement
import Report

extension Figure {
    static let limitOfStacks = Figure("limit of each stack, the largest", .bytes)
    /// Of the kind for which that is furthest from 1.
    static let callsOfFurtherBytes = Figure(
        "calls in a further KiB of a large fixed stack, against a small one", .ratio)
}

public struct Ackermann: Claim {
    public init() {}

    public let identifier = "ackermann"
    public let saidBy = "CloudFlare, How stacks are handled in Go, 2014"
    public let statement = "a(4,5) exhausts any stack of fixed size."
    public let claimed: [ClaimedFigure] = []
    public let experiments = [
        "a(4,5) on every strategy, a thread and the newest Go, all with the same limit: depth, time, memory, "
            + "ending; on stacks that do not grow with a quarter and a half of the limit, too"
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
        var records: [Record] = []
        for share in [1, 2, 4] {
            let limit = limit / share
            for strategy in StackStrategy.allCases where share == 1 || !strategy.grows {
                records += try recursion.own(
                    strategy, ["strategy=\(strategy.rawValue)", "m=\(m)", "n=\(n)"], limit: limit)
            }
            records += try recursion.thread(["\(limit)", "\(m)", "\(n)"], limit: limit)
        }
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
        func limit(_ record: Record) -> Int { record.parameters[.limit]?.whole ?? 0 }
        let largest = depths.map(limit).max() ?? 0
        // Calls in each further byte between the larger two limits, against those between the smaller two, of each
        // kind: what a program has on its stack besides the recursion is in neither.
        let kinds = Set(fixed.map(\.name)).sorted()
        let growths = kinds.compactMap { kind -> Double? in
            let own = fixed.filter { $0.name == kind && $0.median > 0 }.sorted { limit($0) < limit($1) }
            guard own.count > 2 else { return nil }
            let slopes = zip(own, own.dropFirst()).map { less, more in
                (more.median - less.median) / Double(limit(more) - limit(less))
            }
            return slopes[0] > 0 ? slopes[slopes.count - 1] / slopes[0] : nil
        }
        let furthest = growths.max { abs($0 - 1) < abs($1 - 1) }
        let measured =
            depths.filter { limit($0) == largest }.map {
                MeasuredFigure(Figure("depth of \($0.name)", .count), $0.estimate)
            } + [MeasuredFigure(.limitOfStacks, Estimate(exactly: Double(largest)))]
            + (furthest.map { [MeasuredFigure(.callsOfFurtherBytes, Estimate(exactly: $0))] } ?? [])
        let sizes = Set(fixed.map(limit)).sorted().map { ByteSize(bytes: $0).description }.joined(separator: ", ")
        let reason =
            "with \(sizes) \(count(fixed, .error)) of \(fixed.count) fixed stacks ended with an error, "
            + "\(count(fixed, .died)) with the process, \(finished) finished, \(running) were still running; of "
            + "\(growing.count) that grow to the same size \(count(growing, .finished)) finished; "
            + (furthest.map {
                "a further KiB of a large stack holds \($0.text()) times as many calls as of a small one"
            }
                ?? "of fewer than three sizes nothing follows for any")
            + "; depths: "
            + depths.map {
                "\($0.name.dropFirst(Recursion.Work.ackermann.prefix.count)) \(Int($0.median)) in "
                    + "\(ByteSize(bytes: limit($0)))"
            }.joined(separator: ", ")
        if finished > 0 { return Judgement(.refuted, measured: measured, reason: reason) }
        // Every kind is needed, at three sizes.
        let isInProportion =
            growths.count == kinds.count && running == 0
            && growths.allSatisfy { abs($0 - 1) <= Self.proportion }
        return Judgement(isInProportion ? .confirmed : .notMeasurable, measured: measured, reason: reason)
    }

    /// The ends of stacks are found to a page or a call.
    private static let proportion = 0.1
}
