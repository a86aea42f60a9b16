// "Checks matter most in deep chains of calls and in indirect calls, which cannot be inlined."
//
// Chains of calls that no compiler inlines, of 10 and 1,000 calls, in random layouts: by a function's name, by a
// closure and by an interface in the newest Go, equal checks against none on the same stacks, and by a function's name
// and by a pointer in C, with checks and without. Compared are the nanoseconds that checks cost a call: a share of the
// time would be the smaller, the longer a call takes by itself. All chains of a language are measured in the same
// layouts, and a layout is a sample.
//
// Two claims on the same chains: indirect calls, and deep chains. Each is decided by one number: the mean over Go's
// kinds of calls, within a layout. What single kinds do, and calls in C, are figures: of a dozen intervals of 95 % one
// or the other misses by chance.

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
    static let furtherInIndirectCalls = Figure(
        "what checks cost an indirect call in Go, beyond one by name", .nanoseconds)
    static let furtherInDeepChains = Figure(
        "what checks cost a call in a chain of 1,000 in Go, beyond one of 10", .nanoseconds)
    /// The same of the copy with checks and itself.
    static func nullControl(of further: Figure) -> Figure {
        Figure("\(further.name), of a program and itself", further.unit)
    }
}

public struct IndirectCalls: Claim {
    /// What is said.
    public enum Part: CaseIterable, Sendable {
        case indirectCalls
        case deepChains
    }

    public let part: Part

    /// The claim about a part.
    public init(_ part: Part) { self.part = part }

    public var identifier: String { part == .indirectCalls ? "indirect-calls" : "deep-chains" }
    public let saidBy = "golang-nuts, November 2025"
    public var statement: String {
        part == .indirectCalls
            ? "Checks matter most in indirect calls, which cannot be inlined."
            : "Checks matter most in deep chains of calls that cannot be inlined."
    }
    var figure: Figure { part == .indirectCalls ? .furtherInIndirectCalls : .furtherInDeepChains }
    /// The same of one kind of calls, at one depth of indirect calls.
    func further(of kind: String, chains: Int?) -> Figure {
        let depth = chains.map { ", chains of \(Self.word($0))" } ?? ""
        return Figure(
            part == .indirectCalls
                ? "what checks cost a call by \(Self.word(kind))\(depth), beyond one by name"
                : "what checks cost a call by \(Self.word(kind)), in a chain of 1,000, beyond one of 10", .nanoseconds)
    }
    /// Without a number: more than in other calls.
    public var claimed: [ClaimedFigure] { [ClaimedFigure(figure, low: 0, high: nil, isOurReading: true)] }
    public var experiments: [String] {
        [
            "chains of 10 and 1,000 calls by name, by a closure and by an interface, in the newest "
                + "Go alone, with equal "
                + "checks and without, in random layouts: nanoseconds that checks cost a call, "
                + (part == .indirectCalls
                    ? "closures and interfaces each against names at equal depth"
                    : "chains of 1,000 against those of 10 of the same calls")
                + ", layout by layout, and the mean of these; beside it the copy with checks against itself",
            "the same in C, by name and by a pointer to a function, compiled with checks and without; beside it plain "
                + "code against the same file loaded twice",
        ]
    }

    public var plotted: PlottedNames {
        PlottedNames(
            [.checksPerCall, .furtherPerCall], [.depth, .kind], cases: Self.kinds + [Self.deepChains, Self.mean])
    }

    /// Kinds of calls in Go, and in C, and which of them cannot be inlined.
    static let (direct, pointers, names) = ("direct", "pointer", "name")
    static let closure = "closure"
    static let kindsOfGo = [direct, closure, "interface"]
    static let kindsOfC = [names, pointers]
    static let kinds = kindsOfGo + kindsOfC
    static let indirect = kinds.filter { $0 != direct && $0 != names }
    static let (flat, deep) = (10, 1_000)
    static let depths = [flat, deep]
    /// The case of what calls of a deep chain cost beyond those of a flat one, by their kind.
    static let deepChains = "deep chains"
    /// The case of the mean over Go's kinds of calls, which decides.
    static let mean = "mean of Go's kinds"

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

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let measured = try laboratory.remembering("chains of calls") {
            try Self.go(laboratory) + Self.c(laboratory)
        }
        return try measured.flatMap(records)
    }

    /// Chains of a language.
    private struct Measured {
        let chains: [Chain]
        let costs: PerCall
        let noise: PerCall
        let parameters: [ParameterName: ParameterValue]
    }

    private static func go(_ laboratory: Laboratory) throws -> [Measured] {
        guard let toolchain = laboratory.go.last else { return [] }
        let calls = 20_000_000
        let chains = kindsOfGo.flatMap { kind in
            depths.map { Chain(kind: kind, depth: $0) }
        }
        let measured = try laboratory.unlessMissing("chains of calls are not measured") {
            try GoCallCost.measure(
                chains.map { [$0.kind, "\(calls)", "\($0.depth)"] }, toolchain,
                .init(layouts: laboratory.processes, hasNullControl: true), claim: "chains of calls", laboratory)
        }
        guard let costs = measured else { return [] }
        func perCall(_ value: (GoCallCost) -> [Double]) -> PerCall {
            Dictionary(uniqueKeysWithValues: zip(chains, costs.map { value($0).map { $0 / Double(calls) } }))
        }
        return [
            Measured(
                chains: chains, costs: perCall(\.costs), noise: perCall(\.noise),
                parameters: [.peer: .string(toolchain.version)])
        ]
    }

    private static func c(_ laboratory: Laboratory) throws -> [Measured] {
        let measurement = LayoutMeasurement(
            variants: [.plain, .checked], layouts: laboratory.layouts(laboratory.processes),
            rounds: laboratory.isQuick ? 2 : 15)
        var (costs, noise): (PerCall, PerCall) = ([:], [:])
        var chains: [Chain] = []
        for workload in CallChainWorkload.all {
            let chain = Chain(kind: workload.kind == .name ? names : pointers, depth: workload.depth)
            do {
                let calls = Double(try ShortRuns.prepare(workload, .timed).operations)
                let result = try measurement.run(
                    CheckSubject(workload: workload, kind: .kernel), claim: "chains of calls", laboratory)
                func perCall(_ ratios: [Double]) -> [Double] { zip(result.plain, ratios).map { $0 * ($1 - 1) / calls } }
                costs[chain] = perCall(result.ratios[.checked] ?? [])
                noise[chain] = perCall(result.again)
                chains.append(chain)
            } catch let error as WorkloadError {
                laboratory.missing("chains of calls in C are not measured: \(error)")
                return []
            }
        }
        return [Measured(chains: chains, costs: costs, noise: noise, parameters: [:])]
    }

    private func records(_ measured: Measured) throws -> [Record] {
        try records(measured.costs, measured.chains, measured.parameters)
            + records(measured.noise, measured.chains, measured.parameters.merging([.nullControl: true]) { $1 })
    }

    /// What each chain costs, what it costs beyond the one that it is compared with, layout by layout, and in Go the
    /// mean of these.
    private func records(
        _ perCall: PerCall, _ chains: [Chain], _ shared: [ParameterName: ParameterValue]
    ) throws -> [Record] {
        func further(_ chain: Chain, _ other: Chain) -> [Double] { zip(perCall[chain]!, perCall[other]!).map(-) }
        func single(
            _ name: String, _ metric: Metric, _ samples: [Double], _ own: [ParameterName: ParameterValue]
        ) throws -> Record {
            record(name, metric, try Estimate.median(of: samples), shared.merging(own) { $1 })
        }
        let costs = try chains.map {
            try single($0.kind, .checksPerCall, perCall[$0]!, [.depth: .int($0.depth)])
        }
        let compared: [(name: String, own: [ParameterName: ParameterValue], samples: [Double])] =
            switch part {
            case .indirectCalls:
                chains.filter { Self.indirect.contains($0.kind) }.map {
                    let other = Chain(kind: Self.direct(of: $0.kind), depth: $0.depth)
                    return ($0.kind, [.depth: .int($0.depth)], further($0, other))
                }
            case .deepChains:
                chains.filter { $0.depth == Self.deep }.map {
                    let other = Chain(kind: $0.kind, depth: Self.flat)
                    return (Self.deepChains, [.kind: .string($0.kind)], further($0, other))
                }
            }
        var records = try costs + compared.map { try single($0.name, .furtherPerCall, $0.samples, $0.own) }
        if shared[.peer] != nil, let first = compared.first {
            let means = first.samples.indices.map { layout in
                compared.reduce(0) { $0 + $1.samples[layout] } / Double(compared.count)
            }
            records.append(try single(Self.mean, .furtherPerCall, means, [:]))
        }
        return records
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func isNull(_ record: Record) -> Bool { record.parameters[.nullControl] == true }
        let all = evidence.all(metric: .furtherPerCall)
        let means = all.filter { $0.name == Self.mean }
        guard let further = means.first(where: { !isNull($0) })?.estimate else {
            throw MissingEvidence("no record of \(figure.name)")
        }
        guard let null = means.first(where: isNull)?.estimate else {
            throw MissingEvidence("no null control of \(figure.name)")
        }
        let single = all.filter { $0.name != Self.mean && !isNull($0) }.map { record in
            let kind = record.parameters[.kind]?.text ?? record.name
            return MeasuredFigure(self.further(of: kind, chains: record.parameters[.depth]?.whole), record.estimate)
        }
        let costs = evidence.all(metric: .checksPerCall).filter { !isNull($0) }.map {
            MeasuredFigure(
                Figure(
                    "what checks cost a call by \(Self.word($0.name)), chains of "
                        + ($0.parameters[.depth]?.whole.map(Self.word) ?? "?"),
                    .nanoseconds), $0.estimate)
        }
        let reason =
            "\(figure.name), mean of Go's kinds: \(further.text(decimals: 3)) ns (the null control "
            + "\(null.text(decimals: 3)))"
        let verdict: Verdict =
            if !further.isDistinguishable(from: 0, null: null) {
                .notDistinguishable
            } else {
                further.median > 0 ? .confirmed : .refuted
            }
        return Judgement(
            verdict,
            measured: [MeasuredFigure(figure, further), MeasuredFigure(.nullControl(of: figure), null)]
                + single + costs, reason: reason)
    }
}
