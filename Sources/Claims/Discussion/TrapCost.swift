// "A fault handled by a signal takes at least four crossings and is far slower than Go's allocator."
//
// Crossings are counted by a tracer in a process that grows one stack; times are taken apart in this process. How they
// are to those of the newest Go is measured in several processes (`GrowthCostSampler`): with fresh memory on both
// sides, and with memory that is there on both. The growth in place decides in either; what growths by a move take with
// fresh memory stands beside it.

import CProbes
import Experiments
import Measurement
import Report

extension Metric {
    static let crossings = Metric("crossings", .count)
}

extension ParameterName {
    /// Whether it grows by a trap.
    static let trap = ParameterName("trap")
    static let freshMemory = ParameterName("fresh-memory")
    static let tracer = ParameterName("tracer")
}

extension Figure {
    static let crossingsOfGrowth = Figure("crossings of one growth", .count)
    static let growthAgainstGo = Figure("growth by a trap against Go's, memory there on both sides", .ratio)
    static let growthAgainstGoFresh = Figure("growth by a trap against Go's, fresh memory on both sides", .ratio)
    static let moveAgainstGoFresh = Figure("growth by a trap and a move against Go's, fresh memory", .ratio)
    static let remappingAgainstGoFresh = Figure("growth by a trap and by remapping against Go's, fresh memory", .ratio)
}

public struct TrapCost: Claim {
    public init() {}

    public let identifier = "trap-cost"
    public let saidBy = "Jason E. Aten, golang-nuts, November 2025"
    public let statement =
        "A fault handled by a signal takes at least four crossings between user and kernel and is far slower than Go's "
        + "allocator."
    public let claimed = [
        ClaimedFigure(.crossingsOfGrowth, low: 4, high: nil),
        // "Far slower" has no number: it says no less than "slow" does.
        ClaimedFigure(.growthAgainstGoFresh, low: ClaimedFigure.slow, high: nil, isOurReading: true),
        ClaimedFigure(.growthAgainstGo, low: ClaimedFigure.slow, high: nil, isOurReading: true),
    ]
    public let experiments = [
        "one growth of each kind in a traced process: entries and returns by occasion",
        "the same growths timed: exception and delivery, handler, system calls, signal return, demand fault, "
            + "remainder; beside: the kernel's demand fault, a failed check that moves the stack, newstack of every Go",
        "growth in place, by a move and by remapping against that of the newest Go, in several "
            + "processes: each stack in "
            + "fresh memory on both sides; in place also with memory that is there on both, a page that lost its "
            + "permissions and kept its memory",
    ]

    public let plotted = PlottedNames(
        [.time, .crossings] + GrowthPart.allCases.map(\.metric), [.liveBytes, .peer, .trap],
        cases: [GrowthKind.demand, Self.newstack, Self.coldNewstack])

    /// What begins the cases of Go's growth, with warm and with fresh memory.
    private static let newstack = "newstack"
    private static let coldNewstack = "newstack-fresh-memory"

    /// The stack from which goroutines grow here: their first.
    private static let goStack = 2048

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let kinds = try GrowthKind.all.filter { kind in
            if try kind.isOffered() { return true }
            laboratory.note("\(identifier) / \(kind.name) is left out: this kernel does not offer it")
            return false
        }
        return try crossings(of: kinds, laboratory) + times(of: kinds, laboratory) + comparisons(laboratory)
    }

    // MARK: measuring

    private func crossings(of kinds: [GrowthKind], _ laboratory: Laboratory) throws -> [Record] {
        var records: [Record] = []
        for kind in kinds {
            try laboratory.step("\(identifier): tracing \(kind.name)")
            let trace: GrowthTrace
            do {
                trace = try kind.trace()
            } catch let refusal as TracingRefused {
                laboratory.missing(
                    "crossings are not counted: ptrace is refused (\(refusal.reason)); permit it to this user")
                return []
            }
            var parameters = kind.parameters
            parameters[.tracer] = "ptrace"
            records.append(record(kind.name, .crossings, exactly: Double(trace.crossings), parameters))
            let occasions = [
                ("fault", trace.fault), ("delivery", trace.delivery), ("system-calls", trace.systemCalls),
                ("signal-return", trace.signalReturn), ("demand-faults", trace.demandFaults),
            ]
            records += occasions.map { occasion, count in
                record(
                    kind.name, Metric("\(Metric.crossings.name)-\(occasion)", .count), exactly: Double(count),
                    parameters)
            }
        }
        return records
    }

    private func times(of kinds: [GrowthKind], _ laboratory: Laboratory) throws -> [Record] {
        let recorders = kinds.map(GrowthPartsRecorder.init)
        var cases = kinds.map { kind in
            MeasurementCase(selfTimed: kind.name) { count in
                var took: UInt64 = 0
                for _ in 0..<count { took += try kind.perform(.timed).parts.total }
                return took
            }
        }
        cases += recorders.filter { $0.kind.mechanism != .demand }.map(\.measurementCase)
        cases.append(MeasurementCase(selfTimed: "signal-return") { fl_probe_signal_returns(UInt64($0)) })
        if let first = kinds.firstIndex(where: { $0.mechanism == .trap }) { cases.append(cases[first].nullControl()) }
        var peers: [(name: String, version: String, isCold: Bool)] = []
        for toolchain in laboratory.go {
            guard let driver = try GoGrowth.start(toolchain, laboratory) else { continue }
            for isCold in [false, true] {
                let name = "\(isCold ? Self.coldNewstack : Self.newstack) \(driver.version)"
                peers.append((name, driver.version, isCold))
                cases.append(driver.growth(name, from: Self.goStack, isCold: isCold))
            }
        }
        let settings = laboratory.repetitions(laboratory.isQuick ? 4 : 16)
        let result = try laboratory.measure(identifier, cases, settings)
        return try self.records(of: result, kinds, peers, laboratory)
            + parts(of: result, recorders, settings)
    }

    private func records(
        of result: MeasurementResult, _ kinds: [GrowthKind], _ peers: [(name: String, version: String, isCold: Bool)],
        _ laboratory: Laboratory
    ) throws -> [Record] {
        let traps = kinds.filter { $0.mechanism == .trap }
        let growing = kinds.filter { $0.mechanism != .demand }
        let comparisons = growing.map { (case: $0.name, baseline: GrowthKind.demand) }
        let records = try Record.records(of: result, suite: identifier, comparisons: comparisons)
        return records.compactMap { record in
            // The cases that were run for their parts appear as parts only.
            guard !record.name.hasSuffix(" in parts") else { return nil }
            var record = record
            if let kind = kinds.first(where: { $0.name == record.name }) {
                record.parameters.merge(kind.parameters) { first, _ in first }
                record.parameters[.trap] = .bool(traps.contains { $0.name == kind.name })
            }
            record.parameters[.clock] = record.parameters[.strategy] == nil ? .clock(.monotonic) : .timeStampCounter
            if let peer = peers.first(where: { $0.name == record.name }) {
                record.parameters[.peer] = .string(peer.version)
                record.parameters[.freshMemory] = .bool(peer.isCold)
            }
            return record
        }
    }

    /// Growths by a trap to those of the newest Go, paired within a process.
    private func comparisons(_ laboratory: Laboratory) throws -> [Record] {
        guard let samples = try GrowthCostSampler.measured(laboratory) else { return [] }
        var shared: [ParameterName: ParameterValue] = [.processes: .int(samples.processes.count)]
        shared[.peer] = samples.texts[GrowthCostSampler.version].map { .string($0) }
        return try GrowthCostSampler.comparisons(samples).map { compared in
            ratio(
                compared.way, to: compared.baseline, try .median(of: zip(compared.own, compared.go).map { $0 / $1 }),
                shared.merging([.freshMemory: .bool(compared.isFresh)]) { $1 })
        }
    }

    private func parts(
        of result: MeasurementResult, _ recorders: [GrowthPartsRecorder], _ settings: InterleavedMeasurement.Settings
    ) throws -> [Record] {
        let signalReturn = try result.time(of: "signal-return")
        let demandFault = try result.time(of: GrowthKind.demand)
        return try recorders.filter { $0.kind.mechanism != .demand }.flatMap { recorder in
            try recorder.records(
                suite: identifier, rounds: settings.rounds, signalReturn: signalReturn, demandFault: demandFault)
        }
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let traps = evidence.all(metric: .time, where: [.trap: true]).map(\.name)
        guard !traps.isEmpty else { throw MissingEvidence("no growth by a trap was timed") }
        let crossings = traps.flatMap { evidence.all($0, metric: .crossings) }
        guard let fewest = crossings.min(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no crossings were counted")
        }
        let counted = "\(Int(fewest.median)) crossings at least (\(fewest.name))"
        var measured = [MeasuredFigure(.crossingsOfGrowth, fewest.estimate)]
        var statements = [
            Statement(counted, holds: fewest.estimate.relation(to: claimed(.crossingsOfGrowth)) != .below)
        ]
        var texts = [counted]
        let sides: [(figure: Figure, way: String, isFresh: Bool, decides: Bool)] = [
            (.growthAgainstGoFresh, GrowthCostSampler.inPlace, true, true),
            (.growthAgainstGo, GrowthCostSampler.inPlace, false, true),
            (.moveAgainstGoFresh, GrowthCostSampler.byMove, true, false),
            (.remappingAgainstGoFresh, GrowthCostSampler.byRemapping, true, false),
        ]
        for (figure, way, isFresh, decides) in sides {
            guard
                let record = evidence.all(way, metric: .ratio, where: [.freshMemory: .bool(isFresh)]).first
            else { continue }
            measured.append(MeasuredFigure(figure, record.estimate))
            let text =
                "\(way) it takes \(record.estimate.text()) times as long as "
                + "\(record.parameters[.peer]?.description ?? "Go")'s growth, with "
                + (isFresh ? "fresh memory" : "memory that is there") + " on both sides"
            texts.append(text)
            guard decides else { continue }
            let relation = record.estimate.relation(to: claimed(figure))
            statements.append(Statement(text, holds: relation == .undecided ? nil : relation == .within))
        }
        guard statements.count > 1 else { throw MissingEvidence("no growth was measured beside Go's") }
        let verdict = Statement.conjunction(statements)
        return Judgement(
            verdict, measured: measured,
            reason: (verdict == .notMeasurable ? "an interval contains \(ClaimedFigure.slow): " : "")
                + texts.joined(separator: "; "))
    }
}
