// "Stacks are served by mcache in about 1 ns, by mcentral in about 10, by mheap in about 100."
//
// Go's own allocator, by the tier that serves: free stacks of the processor (the article's mcache), the pool that
// processors share, from which Go built without the former takes every stack (in place of mcentral, which serves no
// stack), and spans of the heap, for stacks of 32 KiB and more. Batches are allocated and then freed, timed apart, and
// are no larger than what the tier has.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    static let timeOfFreeing = Metric("time-of-freeing", .nanoseconds)
}

extension ParameterName {
    /// Stacks that are allocated one after the other before any is freed.
    static let batch = ParameterName("batch")
}

extension Figure {
    static func tier(_ name: String) -> Figure { Figure("a stack from \(name)", .nanoseconds) }
}

public struct AllocatorTiers: Claim {
    public init() {}

    public let identifier = "allocator-tiers"
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public let statement = "mcache, mcentral and mheap serve a stack in about 1, 10 and 100 ns."
    public let claimed = [
        ClaimedFigure(.tier(Self.cache), 1), ClaimedFigure(.tier(Self.pool), 10), ClaimedFigure(.tier(Self.heap), 100),
    ]
    public let experiments = [
        "allocations of a batch of stacks, apart from freeing them: 8 of 2 KiB from the free stacks of a processor, 64 "
            + "from those that processors share, 16 of 64 KiB, which are spans of the heap; the newest Go, in a "
            + "process for each round",
        "beside them 2 of 8 KiB from the free stacks of a processor, 128 of 2 KiB, for which these are filled again, "
            + "and 4 of 1 MiB",
    ]

    public let plotted = PlottedNames(
        [.time], [.peer], cases: [Self.cache, Self.pool, Self.heap],
        figures: [Self.cache, Self.pool, Self.heap].map(Figure.tier))

    static let (cache, pool, heap) = ("the processor's cache", "the shared pool", "the heap")

    /// What else is measured: another size, and a processor whose free stacks run out.
    static let (cacheOf8KiB, emptyCache, heapOf1MiB) = (
        "the processor's cache, 8 KiB", "the processor's cache, filled again and again", "the heap, 1 MiB"
    )

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last, let usual = try laboratory.program(.stacks, toolchain),
            let uncached = try laboratory.program(.uncachedStacks, toolchain)
        else { return [] }
        let batches = laboratory.isQuick ? 2_000 : 10_000
        // A processor keeps up to 32 KiB of free stacks of a size and fills up to 16 KiB. Where spans are shared, the
        // reserve keeps each of them in use. Spans of the heap have no reserve.
        let tiers: [(name: String, program: PeerProgram, bytes: Int, batch: Int, reserve: Int)] = [
            (Self.cache, usual, 2 << 10, 8, 0), (Self.pool, uncached, 2 << 10, 64, 256),
            (Self.heap, usual, 64 << 10, 16, 0), (Self.cacheOf8KiB, usual, 8 << 10, 2, 0),
            (Self.emptyCache, usual, 2 << 10, 128, 256), (Self.heapOf1MiB, usual, 1 << 20, 4, 0),
        ]
        let subjects = tiers.map { tier in
            ProcessSubject(
                tier.name, tier.program, "stackalloc \(batches) \(tier.bytes) \(tier.batch) \(tier.reserve)",
                numbers: 2, [.bytes: .int(tier.bytes), .batch: .int(tier.batch)])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        return try [Metric.time, .timeOfFreeing].enumerated().flatMap { place, metric in
            try tiers.indices.compactMap { index in
                let times = rounds.samples(index) { $0[place] / Double(batches * tiers[index].batch) }
                guard !times.isEmpty else { return nil }
                return record(
                    tiers[index].name, metric, try Estimate.median(of: times), subjects[index].parameters)
            }
        }
    }

    /// "About": within a factor of two.
    private static let about = 2.0

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var measured: [MeasuredFigure] = []
        var statements: [Statement] = []
        for name in [Self.cache, Self.pool, Self.heap] {
            let time = try evidence.estimate(name, metric: .time)
            let due = claimed(.tier(name)).low!
            measured.append(MeasuredFigure(.tier(name), time))
            statements.append(
                Statement(
                    "\(name) allocates one in \(time.text(decimals: 1)) ns, claimed \(Int(due))", time,
                    is: ClaimedFigure(.tier(name), low: due / Self.about, high: due * Self.about)))
        }
        for name in [Self.cacheOf8KiB, Self.emptyCache, Self.heapOf1MiB] {
            guard let time = evidence.find(name, metric: .time) else { continue }
            measured.append(MeasuredFigure(.tier(name), time))
        }
        measured += evidence.all(metric: .timeOfFreeing).map {
            MeasuredFigure(Figure("freeing a stack of \($0.name)", .nanoseconds), $0.estimate)
        }
        return Judgement(Statement.conjunction(statements), measured: measured, reason: Statement.text(statements))
    }
}
