// "Stacks are served by mcache in about 1 ns, by mcentral in about 10, by mheap in about 100."
//
// Three claims, one for each tier of Go's own allocator: free stacks of the processor (the article's mcache), the pool
// that processors share, from which Go built without the former takes every stack (in place of mcentral, which serves
// no stack), and spans of the heap, for stacks of 32 KiB and more. Batches are allocated and then freed, timed apart,
// and are no larger than what the tier has.

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

public struct AllocatorTier: Claim {
    /// What serves; the case of its records.
    public enum Tier: String, CaseIterable, Sendable {
        case cache = "the processor's cache"
        case pool = "the shared pool"
        case heap = "the heap"

        fileprivate var named: String { ["mcache", "mcentral", "mheap"][Self.allCases.firstIndex(of: self)!] }
        fileprivate var identifier: String { "allocator-\(self)" }
        fileprivate var due: Double { [1, 10, 100][Self.allCases.firstIndex(of: self)!] }

        /// What is allocated: the first decides. A processor keeps up to 32 KiB of free stacks of a size and fills up
        /// to 16 KiB. Where spans are shared, the reserve keeps each of them in use. Spans of the heap have no reserve.
        fileprivate var loads: [(name: String, bytes: Int, batch: Int, reserve: Int)] {
            switch self {
            case .cache:
                [
                    (rawValue, 2 << 10, 8, 0), ("\(rawValue), 8 KiB", 8 << 10, 2, 0),
                    (AllocatorTier.emptyCache, 2 << 10, 128, 256),
                ]
            case .pool: [(rawValue, 2 << 10, 64, 256)]
            case .heap: [(rawValue, 64 << 10, 16, 0), ("\(rawValue), 1 MiB", 1 << 20, 4, 0)]
            }
        }
    }

    /// A processor whose free stacks run out.
    static let emptyCache = "\(Tier.cache.rawValue), filled again and again"

    public let tier: Tier

    /// The claim about a tier.
    public init(_ tier: Tier) { self.tier = tier }

    public var identifier: String { tier.identifier }
    public let saidBy = "an article on runtime.stackalloc and Go 1.22"
    public var statement: String { "\(tier.named) serves a stack in about \(Int(tier.due)) ns." }
    public var claimed: [ClaimedFigure] { [ClaimedFigure(.tier(tier.rawValue), about: tier.due)] }
    public var experiments: [String] {
        [
            "allocations of a batch of stacks, apart from freeing them, in a process of the newest Go for each round: "
                + [
                    "8 of 2 KiB from the free stacks of a processor; beside them 2 of 8 KiB, and 128 of 2 KiB, for "
                        + "which these are filled again",
                    "64 of 2 KiB from those that processors share, by Go built without free stacks of a processor",
                    "16 of 64 KiB, which are spans of the heap; beside them 4 of 1 MiB",
                ][Tier.allCases.firstIndex(of: tier)!]
        ]
    }
    public var plotted: PlottedNames {
        PlottedNames([.time], [.peer], cases: [tier.rawValue], figures: [.tier(tier.rawValue)])
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last,
            let program = try laboratory.program(tier == .pool ? .uncachedStacks : .stacks, toolchain)
        else { return [] }
        let batches = laboratory.isQuick ? 2_000 : 10_000
        let loads = tier.loads
        let subjects = loads.map { load in
            ProcessSubject(
                load.name, program, "stackalloc \(batches) \(load.bytes) \(load.batch) \(load.reserve)", numbers: 2,
                [.bytes: .int(load.bytes), .batch: .int(load.batch)])
        }
        let rounds = try ProcessRounds(subjects, rounds: laboratory.processes, claim: identifier, laboratory)
        return try [Metric.time, .timeOfFreeing].enumerated().flatMap { place, metric in
            try loads.indices.compactMap { index in
                let times = rounds.samples(index) { $0[place] / Double(batches * loads[index].batch) }
                guard !times.isEmpty else { return nil }
                return record(
                    loads[index].name, metric, try Estimate.median(of: times), subjects[index].parameters)
            }
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let time = try evidence.estimate(tier.rawValue, metric: .time)
        let figure = Figure.tier(tier.rawValue)
        let others = evidence.all(metric: .time).filter { $0.name != tier.rawValue }.map {
            MeasuredFigure(.tier($0.name), $0.estimate)
        }
        let freeing = evidence.all(metric: .timeOfFreeing).map {
            MeasuredFigure(Figure("freeing a stack of \($0.name)", .nanoseconds), $0.estimate)
        }
        return Judgement(
            time.verdict(on: claimed(figure)), measured: [MeasuredFigure(figure, time)] + others + freeing,
            reason: "\(tier.rawValue) allocates a stack in \(time.text(decimals: 1)) ns; about \(Int(tier.due)) is "
                + "taken as half to twice that")
    }
}
