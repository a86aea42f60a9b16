// "Checks matter most in deep chains of calls and in indirect calls, which cannot be inlined."
//
// Chains of calls that no compiler inlines, by a function's name, by a closure and by an interface, of 10 and 1,000
// calls, in the newest Go: equal checks against none on the same stacks, in random layouts. Compared are the
// nanoseconds that checks cost a call: a share of the time would be the smaller, the longer a call takes by itself. All
// chains are measured in the same layouts, and a layout is a sample.

import Experiments
import Measurement
import Peers
import Report

extension Metric {
    /// What checks cost one call.
    static let checksPerCall = Metric("checks-per-call", .nanoseconds)
    /// By how much that is more than in the call that it is compared with.
    static let furtherPerCall = Metric("further-per-call", .nanoseconds)
}

extension Figure {
    static let furtherInIndirectCalls = Figure(
        "what checks cost an indirect call, beyond a direct one of the same depth", .nanoseconds)
    static let furtherInDeepChains = Figure(
        "what checks cost a call of a chain of 1,000, beyond one of a chain of 10", .nanoseconds)
}

public struct IndirectCalls: Claim {
    public init() {}

    public let identifier = "indirect-calls"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "Checks matter most in deep chains of calls and in indirect calls, which cannot be inlined."
    public let claimed = [
        // Without numbers: more than in other calls.
        ClaimedFigure(.furtherInIndirectCalls, low: 0, high: nil, isOurReading: true),
        ClaimedFigure(.furtherInDeepChains, low: 0, high: nil, isOurReading: true),
    ]
    public let experiments = [
        "chains of 10 and 1,000 calls by name, by a closure and by an interface, in the newest Go alone, with equal "
            + "checks and without, in random layouts: nanoseconds that checks cost a call, closures and interfaces "
            + "against names at equal depth, and chains of 1,000 against those of 10, layout by layout; beside it the "
            + "copy with checks against itself"
    ]

    public let plotted = PlottedNames(
        [.checksPerCall, .furtherPerCall], [.depth],
        cases: [Self.direct] + Self.indirect + [Self.indirectCalls, Self.deepChains])

    static let (direct, indirect) = ("direct", ["closure", "interface"])
    static let (flat, deep) = (10, 1_000)
    /// The cases of means over all indirect chains, and over all deep ones.
    static let (indirectCalls, deepChains) = ("indirect calls", "deep chains")

    private struct Chain: Hashable {
        let kind: String
        let depth: Int
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last else { return [] }
        let calls = 20_000_000
        let chains = ([Self.direct] + Self.indirect).flatMap { kind in
            [Self.flat, Self.deep].map { Chain(kind: kind, depth: $0) }
        }
        let measured = try laboratory.unlessMissing("chains of calls are not measured") {
            try GoCallCost.measure(
                chains.map { [$0.kind, "\(calls)", "\($0.depth)"] }, toolchain,
                .init(layouts: laboratory.processes, hasNullControl: true), claim: identifier, laboratory)
        }
        guard let costs = measured else { return [] }
        func perCall(_ value: (GoCallCost) -> [Double]) -> [Chain: [Double]] {
            Dictionary(uniqueKeysWithValues: zip(chains, costs.map { value($0).map { $0 / Double(calls) } }))
        }
        let shared: [ParameterName: ParameterValue] = [.peer: .string(toolchain.version)]
        return try records(perCall(\.costs), chains, shared)
            + records(perCall(\.noise), chains, shared.merging([.nullControl: true]) { $1 })
    }

    /// What each chain costs, and what it costs beyond the one that it is compared with, layout by layout.
    private func records(
        _ perCall: [Chain: [Double]], _ chains: [Chain], _ shared: [ParameterName: ParameterValue]
    ) throws -> [Record] {
        func further(_ chain: Chain, _ other: Chain) -> [Double] { zip(perCall[chain]!, perCall[other]!).map(-) }
        func mean(_ series: [[Double]]) -> [Double] {
            series[0].indices.map { layout in series.reduce(0) { $0 + $1[layout] } / Double(series.count) }
        }
        func single(_ metric: Metric, _ chain: Chain, _ samples: [Double]) throws -> Record {
            record(
                chain.kind, metric, try Estimate.median(of: samples),
                shared.merging([.depth: .int(chain.depth)]) { $1 })
        }
        let indirect = chains.filter { $0.kind != Self.direct }.map {
            ($0, further($0, Chain(kind: Self.direct, depth: $0.depth)))
        }
        let deep = chains.filter { $0.depth == Self.deep }.map { further($0, Chain(kind: $0.kind, depth: Self.flat)) }
        return try chains.map { try single(.checksPerCall, $0, perCall[$0]!) }
            + indirect.map { try single(.furtherPerCall, $0, $1) }
            + [
                record(Self.indirectCalls, .furtherPerCall, try Estimate.median(of: mean(indirect.map(\.1))), shared),
                record(Self.deepChains, .furtherPerCall, try Estimate.median(of: mean(deep)), shared),
            ]
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let means = [
            (Self.indirectCalls, Figure.furtherInIndirectCalls, "indirect calls beyond direct ones"),
            (Self.deepChains, .furtherInDeepChains, "calls of chains of \(Self.deep) beyond those of \(Self.flat)"),
        ]
        var statements: [Statement] = []
        var measured: [MeasuredFigure] = []
        for (name, figure, text) in means {
            let all = evidence.all(name, metric: .furtherPerCall)
            guard let further = all.first(where: { $0.parameters[.nullControl] == nil })?.estimate else {
                throw MissingEvidence("no record of '\(name)'")
            }
            guard let null = all.first(where: { $0.parameters[.nullControl] == true })?.estimate else {
                throw MissingEvidence("no null control of '\(name)'")
            }
            statements.append(
                Statement(
                    "checks cost \(text) \(further.text(decimals: 3)) ns (the null control \(null.text(decimals: 3)))",
                    holds: further.median > 0, isWithinNull: !further.isDistinguishable(from: 0, null: null)))
            measured.append(MeasuredFigure(figure, further))
        }
        measured += evidence.all(metric: .checksPerCall).filter { $0.parameters[.nullControl] == nil }.map {
            MeasuredFigure(
                Figure(
                    "what checks cost a call, \($0.name), chains of \($0.parameters[.depth]?.description ?? "?")",
                    .nanoseconds), $0.estimate)
        }
        return Judgement(Statement.conjunction(statements), measured: measured, reason: Statement.text(statements))
    }
}
