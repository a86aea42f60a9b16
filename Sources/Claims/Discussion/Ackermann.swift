// "a(4,5) exhausts any fixed stack."
//
// Ackermann's function of 4 and 5 has more digits than memory has atoms, so that no stack finishes it: what differs is
// where and how each ends. Every kind of stack gets the same limits and a process of its own. Those that do not grow
// decide, at each of several sizes: "any size" is borne out where none finishes and the depth at the end is in
// proportion to the size, for then the depth that the function needs is beyond any. Whether the others need no guess of
// their size is `no-size-guess`.

import Experiments
import Faultline
import Measurement
import Report

extension Figure {
    static let limitOfStacks = Figure("limit of each stack, the largest", .bytes)
    /// Of the kind whose depth is least in proportion to the limit.
    static let depthByLimit = Figure("depth of fixed stacks at the largest limit against the smallest", .ratio)
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
        // How the depth at the largest limit is to that at the smallest, against how the limits are, of each kind.
        let kinds = Set(fixed.map(\.name)).sorted()
        let growths = kinds.compactMap { kind -> (depth: Double, size: Double)? in
            let own = fixed.filter { $0.name == kind && $0.median > 0 }.sorted { limit($0) < limit($1) }
            guard let first = own.first, let last = own.last, limit(first) < limit(last) else { return nil }
            return (last.median / first.median, Double(limit(last)) / Double(limit(first)))
        }
        let furthest = growths.max { abs($0.depth / $0.size - 1) < abs($1.depth / $1.size - 1) }
        let measured =
            depths.filter { limit($0) == largest }.map {
                MeasuredFigure(Figure("depth of \($0.name)", .count), $0.estimate)
            } + [MeasuredFigure(.limitOfStacks, Estimate(exactly: Double(largest)))]
            + (furthest.map { [MeasuredFigure(.depthByLimit, Estimate(exactly: $0.depth))] } ?? [])
        let sizes = Set(fixed.map(limit)).sorted().map { ByteSize(bytes: $0).description }.joined(separator: ", ")
        let reason =
            "with \(sizes) \(count(fixed, .error)) of \(fixed.count) fixed stacks ended with an error, "
            + "\(count(fixed, .died)) with the process, \(finished) finished, \(running) were still running; of "
            + "\(growing.count) that grow to the same size \(count(growing, .finished)) finished; "
            + (furthest.map { "a stack \($0.size.text()) times as large gets \($0.depth.text()) times as deep" }
                ?? "of one size alone nothing follows for any")
            + "; depths: "
            + depths.map {
                "\($0.name.dropFirst(Recursion.Work.ackermann.prefix.count)) \(Int($0.median)) in "
                    + "\(ByteSize(bytes: limit($0)))"
            }.joined(separator: ", ")
        if finished > 0 { return Judgement(.refuted, measured: measured, reason: reason) }
        // Every kind is needed, at two sizes at least.
        let isInProportion =
            growths.count == kinds.count && running == 0
            && growths.allSatisfy { abs($0.depth / $0.size - 1) <= Self.proportion }
        return Judgement(isInProportion ? .confirmed : .notMeasurable, measured: measured, reason: reason)
    }

    /// What a program has on its stack besides the recursion, of the smallest, at most.
    private static let proportion = 0.25
}
