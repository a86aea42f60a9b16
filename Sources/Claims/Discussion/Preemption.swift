// "A stack check does nothing but check the stack: removing it changes nothing else."
//
// It was not said in these words, but counting only the check's instructions takes it for granted. Go also preempts by
// it: the scheduler sets a goroutine's bound so high that its next check fails. What decides is how long a sleep and a
// collection take beside a goroutine that does not stop, on one processor, and how long a collection stops the world,
// on two, without checks and with them.

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
}

public struct Preemption: Claim {
    public init() {}

    public let identifier = "preemption"
    public let saidBy = "ours: what counting only the check's instructions takes for granted"
    public let statement = "A stack check does nothing but check the stack: removing it changes nothing else."
    public let claimed = [
        ClaimedFigure(.longestWait, low: nil, high: 1)
    ]
    public let experiments = [
        "on one processor, beside a goroutine that calls functions, iterates a map, or compares by reflection without "
            + "end: how long a sleep of 1 ms and a collection take; the same on two processors: how long a collection "
            + "stops the world",
        "for each version of Go (a quick run: the newest): the program as it is, without checks, and with those of the "
            + "runtime and of reflect kept",
    ]

    /// What others wait less than this many times longer is noise: the scheduler gives turns of 10 ms.
    static let noise = 2.0
    static let removed = StripOptions(initial: PatchedPrograms.initial)
    static let kept = StripOptions(initial: PatchedPrograms.initial, keepsRuntime: true)

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let toolchains = laboratory.isQuick ? Array(laboratory.go.suffix(1)) : laboratory.go
        return try toolchains.flatMap { toolchain in
            do {
                try laboratory.step("\(identifier): building with \(toolchain.version)")
                let original = try toolchain.program(.preemption)
                let patched = try PatchedPrograms()
                let variants =
                    try [("original", original)]
                    + [Self.removed, Self.kept].map { options in
                        (options.name, original.copy(at: try patched.copy(of: original.path, options)))
                    }
                return try records(toolchain.version, variants, laboratory)
            } catch let error as PeerUnavailable {
                laboratory.missing("\(toolchain.version) is not measured: \(error)")
            } catch let error as ProcessError {
                laboratory.missing("\(toolchain.version) is not measured: \(error)")
            }
            return []
        }
    }

    private func records(
        _ version: String, _ variants: [(name: String, program: PeerProgram)], _ laboratory: Laboratory
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
        let seconds = laboratory.isQuick ? 2.0 : 3.0
        for _ in 0..<(laboratory.isQuick ? 3 : 5) {
            for index in random.permutation(of: subjects.count) {
                let (wait, variant) = subjects[index]
                try laboratory.step("\(identifier): \(wait.name(version)), \(variants[variant].name)")
                samples[index].append(try wait.sample(variants[variant].program, seconds: seconds))
            }
        }
        let bootstrap = Bootstrap(resamples: laboratory.batches.resamples, seed: laboratory.seed)
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
                suite: identifier, version, variants[variant].name, samples[index],
                original: variant == 0 ? nil : original, bootstrap)
        }
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let removed = ratios(Self.removed, evidence)
        guard let longest = removed.max(by: { $0.median < $1.median }) else {
            throw MissingEvidence("no record of a wait without checks")
        }
        let kept = ratios(Self.kept, evidence)
        var measured = [MeasuredFigure(.longestWait, longest.estimate)]
        if let longest = kept.max(by: { $0.median < $1.median }) {
            measured.append(MeasuredFigure(.longestWaitWithRuntimesChecks, longest.estimate))
        }
        measured += removed.map { MeasuredFigure(Figure("\($0.name), no checks", .ratio), $0.estimate) }
        let slow = removed.filter { $0.low > Self.noise }
        guard !slow.isEmpty else {
            if removed.allSatisfy({ $0.high <= Self.noise }) {
                return Judgement(
                    .confirmed, measured: measured,
                    reason: "without checks no wait takes longer: \(Self.list([longest]))")
            }
            let open = removed.filter { $0.high > Self.noise }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "more rounds are needed to tell whether these take twice as long: \(Self.list(open))")
        }
        var reason = "without checks others wait longer beside \(Self.list(slow))"
        let even = removed.filter { $0.high <= Self.noise }
        if !even.isEmpty { reason += "; not beside \(even.map(\.name).joined(separator: ", "))" }
        return Judgement(.refuted, measured: measured, reason: reason + Self.cure(slow, kept))
    }

    /// Whether the waits that are slow are not where the runtime keeps its checks.
    private static func cure(_ slow: [Record], _ kept: [Record]) -> String {
        let same = kept.filter { record in slow.contains { $0.name == record.name } }
        guard !same.isEmpty else { return "" }
        let parts = [
            ("cures", same.filter { $0.high <= noise }), ("does not cure", same.filter { $0.low > noise }),
            ("may not cure", same.filter { $0.low <= noise && $0.high > noise }),
        ]
        let texts = parts.filter { !$0.1.isEmpty }.map { verb, records in "\(verb) \(list(records))" }
        return "; keeping the runtime's checks \(texts.joined(separator: ", "))"
    }

    private func ratios(_ options: StripOptions, _ evidence: Evidence) -> [Record] {
        evidence.all(metric: .ratio, where: [.variant: .string(options.name)])
    }

    private static func list(_ records: [Record]) -> String {
        records.map { record in
            let isBound = record.parameters[.unended] != nil
            return "\(record.name) \(isBound ? "at least " : "")\(record.median.text(decimals: 1)) times "
                + "[\(record.low.text(decimals: 1)), \(record.high.text(decimals: 1))]"
        }.joined(separator: ", ")
    }
}
