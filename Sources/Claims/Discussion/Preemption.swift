// "A stack check does nothing but check the stack: removing it changes nothing else."
//
// It was not said in these words, but counting only the check's instructions takes it for granted. Go also preempts by
// it: the scheduler sets a goroutine's bound so high that its next check fails. What decides is how long a sleep and a
// collection take beside a goroutine that does not stop, on one processor, and how long a collection stops the world,
// on two, without checks and with them. Beside them the program whose checks are probes, which is what growth by faults
// makes of it.

import Experiments
import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Figure {
    static let longestWait = Figure("longest wait without checks", .ratio)
    static let longestWaitWithRuntimesChecks = Figure("longest wait with the runtime's checks", .ratio)
    static let longestWaitWithProbes = Figure("longest wait with probes", .ratio)
}

public struct Preemption: Claim {
    public init() {}

    public let identifier = "preemption"
    public let saidBy = "ours: what counting only the check's instructions takes for granted"
    public let statement = "A stack check does nothing but check the stack: removing it changes nothing else."
    public let claimed = [
        ClaimedFigure(.longestWait, low: nil, high: 1, isOurReading: true)
    ]
    public let experiments = [
        "on one processor, beside a goroutine that calls functions, iterates a map, compares by reflection, or "
            + "hashes in assembly, without end: how long a sleep of 1 ms and a collection take; the same on two "
            + "processors: how long a collection stops the world",
        "for each version of Go (a quick run: the newest): the program as it is, without checks, with those of the "
            + "runtime and of reflect kept, and with these kept and probes in place of the others",
    ]

    /// What others wait less than this many times longer is noise: the scheduler gives turns of 10 ms.
    static let noise = 2.0
    static let removed = StripOptions(initial: PatchedPrograms.initial)
    static let kept = StripOptions(initial: PatchedPrograms.initial, keepsRuntime: true)
    static let probes = StripOptions(growth: .fault)
    /// Processes for each, from which intervals are taken; older versions are rows that decide nothing.
    private static func rounds(_ version: String, _ laboratory: Laboratory) -> Int {
        laboratory.isQuick || version != laboratory.go.last?.version ? 3 : laboratory.processes / 2
    }

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let toolchains = laboratory.isQuick ? Array(laboratory.go.suffix(1)) : laboratory.go
        return try toolchains.flatMap { toolchain in
            try laboratory.unlessMissing("\(toolchain.version) is not measured") {
                try laboratory.step("\(identifier): building with \(toolchain.version)")
                let original = try toolchain.program(.preemption)
                let patched = try PatchedPrograms()
                let variants: [Variant] =
                    try [("original", nil, original)]
                    + [Self.removed, Self.kept, Self.probes].filter {
                        $0.growth == .none || GrowthSupport.refusal == nil
                    }.map { options in
                        let copy = original.copy(at: try patched.copy(of: original.path, options))
                        return (options.name, options.growth == .none ? options.initial : nil, copy)
                    }
                return try records(toolchain.version, variants, laboratory)
            } ?? []
        }
    }

    /// A form of the program; the size of its goroutines' stacks where they do not grow.
    private typealias Variant = (name: String, initial: Int?, program: PeerProgram)

    private func records(
        _ version: String, _ variants: [Variant], _ laboratory: Laboratory
    ) throws -> [Record] {
        let waits = PreemptionProbe.works.indices.flatMap { work in
            [
                PreemptionProbe(operation: "sleep", count: laboratory.isQuick ? 3 : 5, work: work),
                PreemptionProbe(operation: "collect", count: 1, work: work),
                PreemptionProbe(operation: "pause", count: 15, work: work, processors: 2),
            ]
        }
        // Signals preempt what calls functions: of that a quick run asks one thing.
        .filter { !laboratory.isQuick || $0.work > 0 || $0.operation == "sleep" }
        let subjects = waits.flatMap { wait in variants.indices.map { (wait: wait, variant: $0) } }
        var samples = Array(repeating: [PreemptionProbe.Sample](), count: subjects.count)
        var random = SeededGenerator(seed: laboratory.seed)
        let seconds = 2.0
        for _ in 0..<Self.rounds(version, laboratory) {
            for index in random.permutation(of: subjects.count) {
                let (wait, variant) = subjects[index]
                try laboratory.step("\(identifier): \(wait.name(version)), \(variants[variant].name)")
                samples[index].append(try wait.sample(variants[variant].program, seconds: seconds))
            }
        }
        return try subjects.indices.flatMap { index -> [Record] in
            let (wait, variant) = subjects[index]
            // The original is the first variant of its wait.
            let original = samples[index - variant]
            guard original.allSatisfy(\.hasEnded) else {
                laboratory.missing(
                    "\(wait.name(version)) is not compared: with its checks it took more than \(seconds) s; "
                        + "leave the machine idle")
                return []
            }
            return try wait.records(
                suite: identifier, version, variants[variant].name, initial: variants[variant].initial,
                samples[index], original: variant == 0 ? nil : original)
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = ratios(Self.removed, evidence)
        let removed = all.ofNewestGo.isEmpty ? all : all.ofNewestGo
        guard let longest = removed.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of a wait without checks")
        }
        let others = [Self.kept, Self.probes].map { options in
            ratios(options, evidence).filter { $0.goVersion == longest.goVersion }
        }
        let longestFigures = zip(
            [Figure.longestWait, .longestWaitWithRuntimesChecks, .longestWaitWithProbes], [removed] + others)
        var measured = longestFigures.compactMap { figure, records in
            records.max { $0.median < $1.median }.map { longest in
                // One that was stopped may have been the longest.
                MeasuredFigure(figure, longest.estimate, isAtLeast: records.contains(where: \.isAtLeast))
            }
        }
        // The newest first.
        let older = all.filter { $0.goVersion != longest.goVersion }
        measured += (removed + older).map {
            MeasuredFigure(Figure("\($0.name), no checks", .ratio), $0.estimate, isAtLeast: $0.isAtLeast)
        }
        let slow = removed.filter { $0.low > Self.noise }
        guard !slow.isEmpty else {
            if removed.allSatisfy(Self.isEven) {
                return Judgement(
                    .confirmed, measured: measured,
                    reason: "without checks no wait takes longer: \(Self.list([longest]))")
            }
            let open = removed.filter { !Self.isEven($0) }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "more rounds are needed to tell whether these take twice as long: \(Self.list(open))")
        }
        var reason = "without checks others wait longer beside \(Self.list(slow))"
        let even = removed.filter(Self.isEven)
        if !even.isEmpty { reason += "; not beside \(even.map(\.name).joined(separator: ", "))" }
        return Judgement(.refuted, measured: measured, reason: reason + Self.cure(slow, others[0], others[1]))
    }

    /// Whether others wait as long as they did: no bound from below tells that.
    private static func isEven(_ record: Record) -> Bool { record.high <= noise && !record.isAtLeast }

    /// Whether the waits that are slow are not where the runtime keeps its checks, by itself and beside probes.
    private static func cure(_ slow: [Record], _ kept: [Record], _ probes: [Record]) -> String {
        [("keeping the runtime's checks", kept), ("keeping them beside probes", probes)].map { what, records in
            let same = records.filter { record in slow.contains { $0.name == record.name } }
            let parts = [
                ("cures", same.filter(isEven)), ("does not cure", same.filter { $0.low > noise }),
                ("may not cure", same.filter { $0.low <= noise && !isEven($0) }),
            ]
            let texts = parts.filter { !$0.1.isEmpty }.map { verb, records in "\(verb) \(list(records))" }
            return texts.isEmpty ? "" : "; \(what) \(texts.joined(separator: ", "))"
        }.joined()
    }

    private func ratios(_ options: StripOptions, _ evidence: Evidence) -> [Record] {
        evidence.all(metric: .ratio, where: [.variant: .string(options.name)])
    }

    private static func list(_ records: [Record]) -> String {
        records.map { record in
            "\(record.name) \(record.isAtLeast ? "at least " : "")\(record.median.text(decimals: 1)) times "
                + "[\(record.low.text(decimals: 1)), \(record.high.text(decimals: 1))]"
        }.joined(separator: ", ")
    }
}
