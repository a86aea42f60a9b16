// "Checks matter most in deep chains of calls and in indirect calls, which cannot be inlined."
//
// Chains of calls that no compiler inlines, of 10 and 1,000 calls, in random layouts: by a function's name, by a
// closure and by an interface in the newest Go, equal checks against none on the same stacks, and by a function's name
// and by a pointer in C, with checks and without. Compared are the nanoseconds that checks cost a call: a share of the
// time would be the smaller, the longer a call takes by itself. All chains of a language are measured in the same
// layouts, and a layout is a sample. Each kind is judged apart, at each depth: a mean over both would be of unlike
// calls.

import Experiments
import Measurement
import Peers
import Report
import Workloads

extension Metric {
    /// What checks cost one call.
    static let checksPerCall = Metric("checks-per-call", .nanoseconds)
    /// By how much that is more than in the call that it is compared with.
    static let furtherPerCall = Metric("further-per-call", .nanoseconds)
}

extension Figure {
    /// What checks cost an indirect call beyond one by name in a chain of the same length.
    static func furtherInIndirectCall(_ kind: String, depth: Int) -> Figure {
        Figure(
            "what checks cost a call by \(IndirectCalls.word(kind)), beyond one by name, chains of "
                + IndirectCalls.word(depth), .nanoseconds)
    }
    static func furtherInDeepChain(_ kind: String) -> Figure {
        Figure(
            "what checks cost a call by \(IndirectCalls.word(kind)) in a chain of "
                + "\(IndirectCalls.word(IndirectCalls.deep)), beyond one of \(IndirectCalls.word(IndirectCalls.flat))",
            .nanoseconds)
    }
    /// The same of the copy with checks and itself.
    static func nullControl(of further: Figure) -> Figure {
        Figure("\(further.name), of a program and itself", further.unit)
    }
}

public struct IndirectCalls: Claim {
    public init() {}

    public let identifier = "indirect-calls"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "Checks matter most in deep chains of calls and in indirect calls, which cannot be inlined."
    // Without numbers: more than in other calls.
    public let claimed =
        (Self.indirect.flatMap { kind in Self.depths.map { Figure.furtherInIndirectCall(kind, depth: $0) } }
        + Self.kinds.map { Figure.furtherInDeepChain($0) })
        .map { ClaimedFigure($0, low: 0, high: nil, isOurReading: true) }
    public let experiments = [
        "chains of 10 and 1,000 calls by name, by a closure and by an interface, in the newest Go alone, with equal "
            + "checks and without, in random layouts: nanoseconds that checks cost a call, closures and interfaces "
            + "each against names at equal depth, and chains of 1,000 against those of 10 of the same calls, layout by "
            + "layout; beside it the copy with checks against itself",
        "the same in C, by name and by a pointer to a function, compiled with checks and without; beside it plain "
            + "code against the same file loaded twice",
    ]

    public let plotted = PlottedNames(
        [.checksPerCall, .furtherPerCall], [.depth, .kind],
        cases: Self.kinds + [Self.deepChains])

    /// Kinds of calls in Go, and in C, and which of them cannot be inlined.
    static let (direct, pointers, names) = ("direct", "pointer", "name")
    static let kindsOfGo = [direct, "closure", "interface"]
    static let kindsOfC = [names, pointers]
    static let kinds = kindsOfGo + kindsOfC
    static let indirect = kinds.filter { $0 != direct && $0 != names }
    static let (flat, deep) = (10, 1_000)
    static let depths = [flat, deep]
    /// The case of what calls of a deep chain cost beyond those of a flat one, by their kind.
    static let deepChains = "deep chains"

    /// What a call is made by.
    static func word(_ kind: String) -> String {
        switch kind {
        case direct: "name"
        case names: "name in C"
        case pointers: "a pointer in C"
        default: "\(kind.hasPrefix("i") ? "an" : "a") \(kind)"
        }
    }

    /// The calls by name that a kind is compared with.
    private static func direct(of kind: String) -> String { kindsOfGo.contains(kind) ? direct : names }

    /// "1,000".
    static func word(_ depth: Int) -> String { QuantityFormatter.grouped(Double(depth), decimals: 0) }

    private struct Chain: Hashable {
        let kind: String
        let depth: Int
    }

    /// What the checks of a call cost in each layout.
    private typealias PerCall = [Chain: [Double]]

    public func measure(_ laboratory: Laboratory) throws -> [Record] { try go(laboratory) + c(laboratory) }

    private func go(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last else { return [] }
        let calls = 20_000_000
        let chains = Self.kindsOfGo.flatMap { kind in
            Self.depths.map { Chain(kind: kind, depth: $0) }
        }
        let measured = try laboratory.unlessMissing("chains of calls are not measured") {
            try GoCallCost.measure(
                chains.map { [$0.kind, "\(calls)", "\($0.depth)"] }, toolchain,
                .init(layouts: laboratory.processes, hasNullControl: true), claim: identifier, laboratory)
        }
        guard let costs = measured else { return [] }
        func perCall(_ value: (GoCallCost) -> [Double]) -> PerCall {
            Dictionary(uniqueKeysWithValues: zip(chains, costs.map { value($0).map { $0 / Double(calls) } }))
        }
        let shared: [ParameterName: ParameterValue] = [.peer: .string(toolchain.version)]
        return try records(perCall(\.costs), chains, shared)
            + records(perCall(\.noise), chains, shared.merging([.nullControl: true]) { $1 })
    }

    private func c(_ laboratory: Laboratory) throws -> [Record] {
        let measurement = LayoutMeasurement(
            variants: [.plain, .checked], layouts: laboratory.layouts(laboratory.processes),
            rounds: laboratory.isQuick ? 3 : 15)
        var (costs, noise): (PerCall, PerCall) = ([:], [:])
        var chains: [Chain] = []
        for workload in CallChainWorkload.all {
            let chain = Chain(kind: workload.kind == .name ? Self.names : Self.pointers, depth: workload.depth)
            do {
                let calls = Double(try ShortRuns.prepare(workload, .timed).operations)
                let result = try measurement.run(
                    CheckSubject(workload: workload, kind: .kernel), claim: identifier, laboratory)
                func perCall(_ ratios: [Double]) -> [Double] { zip(result.plain, ratios).map { $0 * ($1 - 1) / calls } }
                costs[chain] = perCall(result.ratios[.checked] ?? [])
                noise[chain] = perCall(result.again)
                chains.append(chain)
            } catch let error as WorkloadError {
                laboratory.missing("chains of calls in C are not measured: \(error)")
                return []
            }
        }
        return try records(costs, chains, [:]) + records(noise, chains, [.nullControl: true])
    }

    /// What each chain costs, and what it costs beyond the one that it is compared with, layout by layout.
    private func records(
        _ perCall: PerCall, _ chains: [Chain], _ shared: [ParameterName: ParameterValue]
    ) throws -> [Record] {
        func further(_ chain: Chain, _ other: Chain) -> [Double] { zip(perCall[chain]!, perCall[other]!).map(-) }
        func single(_ metric: Metric, _ chain: Chain, _ samples: [Double]) throws -> Record {
            record(
                chain.kind, metric, try Estimate.median(of: samples),
                shared.merging([.depth: .int(chain.depth)]) { $1 })
        }
        let indirect = chains.filter { Self.indirect.contains($0.kind) }.map {
            ($0, further($0, Chain(kind: Self.direct(of: $0.kind), depth: $0.depth)))
        }
        let deep = chains.filter { $0.depth == Self.deep }.map {
            ($0.kind, further($0, Chain(kind: $0.kind, depth: Self.flat)))
        }
        return try chains.map { try single(.checksPerCall, $0, perCall[$0]!) }
            + indirect.map { try single(.furtherPerCall, $0, $1) }
            + deep.map { kind, samples in
                record(
                    Self.deepChains, .furtherPerCall, try Estimate.median(of: samples),
                    shared.merging([.kind: .string(kind)]) { $1 })
            }
    }

    // MARK: judging

    /// By how much checks cost a call more than another one.
    private struct Further {
        let kind: String
        /// What calls these are.
        let title: String
        let estimate: Estimate
        let statement: Statement
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        var measured: [MeasuredFigure] = []
        func further(
            _ name: String, _ parameters: [ParameterName: ParameterValue], _ kind: String, _ title: String,
            beyond other: String, _ figure: Figure
        ) throws(MissingEvidence) -> Further {
            let all = evidence.all(name, metric: .furtherPerCall, where: parameters)
            guard let further = all.first(where: { $0.parameters[.nullControl] == nil })?.estimate else {
                throw MissingEvidence("no record of what checks cost calls \(title), beyond \(other)")
            }
            guard let null = all.first(where: { $0.parameters[.nullControl] == true })?.estimate else {
                throw MissingEvidence("no null control of what checks cost calls \(title), beyond \(other)")
            }
            measured += [MeasuredFigure(figure, further), MeasuredFigure(.nullControl(of: figure), null)]
            return Further(
                kind: kind, title: title, estimate: further,
                statement: Statement(
                    "checks cost calls \(title), beyond \(other), \(further.text(decimals: 3)) ns (the null control "
                        + "\(null.text(decimals: 3)))",
                    holds: further.median > 0, isWithinNull: !further.isDistinguishable(from: 0, null: null)))
        }
        var (indirect, deep): ([Further], [Further]) = ([], [])
        // What was measured before there were chains in C says nothing of them.
        let hasC = !evidence.all(Self.pointers, metric: .furtherPerCall).isEmpty
        let kinds = hasC ? Self.kinds : Self.kindsOfGo
        for kind in Self.indirect where kinds.contains(kind) {
            for depth in Self.depths {
                indirect.append(
                    try further(
                        kind, [.depth: .int(depth)], kind,
                        "by \(Self.word(kind)) in chains of \(Self.word(depth))",
                        beyond: "those by \(Self.word(Self.direct(of: kind)))",
                        .furtherInIndirectCall(kind, depth: depth)))
            }
        }
        for kind in kinds {
            deep.append(
                try further(
                    Self.deepChains, [.kind: .string(kind)], kind,
                    "by \(Self.word(kind)) in chains of \(Self.word(Self.deep))",
                    beyond: "those of \(Self.word(Self.flat))", .furtherInDeepChain(kind)))
        }
        measured += evidence.all(metric: .checksPerCall).filter { $0.parameters[.nullControl] == nil }.map {
            MeasuredFigure(
                Figure(
                    "what checks cost a call by \(Self.word($0.name)), chains of "
                        + "\($0.parameters[.depth]?.description ?? "?")",
                    .nanoseconds), $0.estimate)
        }
        let parts = [indirect, deep].map(Self.judgement)
        let text = Statement.text((indirect + deep).map(\.statement))
        let reason =
            (parts.compactMap(\.difference) + [text + (hasC ? "" : "; calls in C were not measured")])
            .joined(separator: ". ")
        // Both must hold: what is beyond decides before what depends, and that before what is open.
        let verdict: Verdict =
            [.refuted, .depends, .notDistinguishable, .notMeasurable].first { parts.map(\.verdict).contains($0) }
            ?? .confirmed
        return Judgement(verdict, measured: measured, reason: reason)
    }

    /// What becomes of one of the two things that the claim says, and where calls differ, between which.
    private static func judgement(_ part: [Further]) -> (verdict: Verdict, difference: String?) {
        let more = part.filter { $0.statement.holds == true }
        // What cannot be told from none is less than the others all the same, where their intervals lie apart.
        let others = part.filter { call in
            call.statement.holds == false
                || call.statement.holds == nil && more.allSatisfy { call.estimate.high < $0.estimate.low }
        }
        guard !more.isEmpty, !others.isEmpty,
            others.contains(where: { $0.statement.holds == false }) || more.count + others.count == part.count
        else { return (Statement.conjunction(part.map(\.statement)), nil) }
        func list(_ calls: [Further]) -> String {
            calls.map { "\($0.title) \($0.estimate.median.text(decimals: 3)) ns" }.joined(separator: ", ")
        }
        let isOfKinds = Set(more.map(\.kind)).isDisjoint(with: others.map(\.kind))
        return (
            .depends,
            "it depends on the kind of call\(isOfKinds ? "" : " and the length of its chain"): "
                + "more \(list(more)), not more \(list(others))"
        )
    }
}
