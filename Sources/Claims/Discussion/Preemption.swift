// "A stack check does nothing but check the stack: removing it changes nothing else."
//
// It was not said in these words, but counting only the check's instructions takes it for granted. Go also preempts by
// it: the scheduler sets a goroutine's bound so high that its next check fails. One wait decides: how long a collection
// stops the world on two processors beside a goroutine that iterates a map, which is the runtime's own code, where no
// signal stops it. It is the same with the runtime's checks kept and with probes beside these, which is what growth by
// faults makes of the program. Sleeps and collections beside other work are figures that decide nothing.
//
// The wait was named after first runs, which showed it as the longest of twelve in the newest Go. Those runs say
// nothing for it; the runs since, in which no other one can decide, are its test.

import Experiments
import GoBinary
import Measurement
import Peers
import Processes
import Report
import Workloads

extension Figure {
    static let pauseWithoutChecks = Figure("pause of a collection without checks", .ratio)
    static let pauseWithRuntimesChecks = Figure("pause of a collection with the runtime's checks", .ratio)
    static let pauseWithProbes = Figure("pause of a collection with probes", .ratio)
    static let pauseAgain = Figure("pause of a collection with all checks, again", .ratio)
}

public struct Preemption: Claim {
    public init() {}

    public let identifier = "preemption"
    public let saidBy = "ours: what counting only the check's instructions takes for granted"
    public let statement = "A stack check does nothing but check the stack: removing it changes nothing else."
    public let claimed = [
        ClaimedFigure(.pauseWithoutChecks, low: nil, high: 2, isOurReading: true)
    ]
    public let experiments = [
        "on one processor, beside a goroutine that calls functions, iterates a map, compares by reflection, or "
            + "hashes in assembly, without end: how long a sleep of 1 ms and a collection take; the same on two "
            + "processors: how long a collection stops the world, which beside the map decides: first runs showed it "
            + "as the longest of these twelve, so that new runs are the test of it",
        "for each version of Go (a quick run: the newest): the program as it is, without checks, with those of the "
            + "runtime and of reflect kept, and with these kept and probes in place of the others",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.operation, .work, .variant, .peer, .atLeast],
        values: ["pause", PreemptionProbe.works[Self.judged.work]]
            + [Self.removed, Self.kept, Self.probes].map(\.name),
        figures: [.pauseWithoutChecks])

    /// The wait that decides, whatever else takes longer: the one that first runs showed as the longest, so that those
    /// after them test it.
    static let judged = PreemptionProbe(operation: "pause", count: 15, work: 1, processors: 2)
    /// The original measured once more: what a pause varies by itself.
    static let again = "original" + CaseSuffix.again
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
                    + [(Self.again, nil, original)]
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
                PreemptionProbe(operation: "pause", count: Self.judged.count, work: work, processors: 2),
            ]
        }
        // Signals preempt what calls functions: of that a quick run asks one thing.
        .filter { !laboratory.isQuick || $0.work > 0 || $0.operation == "sleep" }
        let subjects = waits.flatMap { wait in
            variants.indices.filter { variants[$0].name != Self.again || Self.isJudged(wait) }
                .map { (wait: wait, variant: $0) }
        }
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
            let name = variants[variant].name
            return try wait.records(
                suite: identifier, version, name, initial: variants[variant].initial, samples[index],
                original: variant == 0 ? nil : original
            ).map { record in
                var record = record
                if name == Self.again { record.parameters[.nullControl] = true }
                return record
            }
        }
    }

    private static func isJudged(_ wait: PreemptionProbe) -> Bool {
        wait.operation == judged.operation && wait.work == judged.work
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let all = ratios(Self.removed.name, evidence)
        let removed = all.ofNewestGo.isEmpty ? all : all.ofNewestGo
        guard let pause = Self.judgedOne(removed) else {
            throw MissingEvidence("no record of the pause of a collection without checks")
        }
        func same(_ variant: String) -> Record? {
            Self.judgedOne(ratios(variant, evidence).filter { $0.goVersion == pause.goVersion })
        }
        let null = same(Self.again)
        let beside: [(Figure, Record?)] = [
            (.pauseWithRuntimesChecks, same(Self.kept.name)), (.pauseWithProbes, same(Self.probes.name)),
            (.pauseAgain, null),
        ]
        var measured = [Self.figure(.pauseWithoutChecks, pause)]
        measured += beside.compactMap { figure, record in record.map { Self.figure(figure, $0) } }
        // The newest first.
        measured += (removed + all.filter { $0.goVersion != pause.goVersion }).map {
            Self.figure(Figure("\(Self.title($0)), without checks", .ratio), $0)
        }
        let texts =
            [("without checks", pause)]
            + zip(
                ["with the runtime's checks", "with probes beside these", "with all checks again"], beside
            ).compactMap { what, pair in pair.1.map { (what, $0) } }
        let reason =
            "beside a goroutine that iterates a map a collection pauses, against the original, "
            + texts.map { what, record in
                "\(what) \(record.isAtLeast ? "at least " : "")\(record.estimate.text(decimals: 1)) times"
            }.joined(separator: ", ")
        return Judgement(Self.verdict(pause, null, claimed(.pauseWithoutChecks)), measured: measured, reason: reason)
    }

    /// A bound from below can refute, and confirm nothing; a pause that the original shows as well neither.
    private static func verdict(_ pause: Record, _ null: Record?, _ claimed: ClaimedFigure) -> Verdict {
        let relation = pause.estimate.relation(to: claimed)
        if relation == .within, !pause.isAtLeast { return .confirmed }
        if let null, null.low <= pause.median, pause.median <= null.high { return .notDistinguishable }
        return relation == .above ? .refuted : .notMeasurable
    }

    /// "pause of a collection beside iterating a map, go1.27.3".
    private static func title(_ record: Record) -> String {
        func word(_ name: ParameterName, _ words: [String: String]) -> String {
            let text = record.parameters[name]?.text ?? "?"
            return words[text] ?? text
        }
        let waits = ["sleep": "sleep of 1 ms", "collect": "collection", "pause": "pause of a collection"]
        let works = [
            "calls": "calling functions", "maps": "iterating a map", "reflection": "comparing by reflection",
            "assembly": "hashing in assembly",
        ]
        return "\(word(.operation, waits)) beside \(word(.work, works)), \(record.goVersion ?? "Go")"
    }

    private static func figure(_ figure: Figure, _ record: Record) -> MeasuredFigure {
        MeasuredFigure(figure, record.estimate, isAtLeast: record.isAtLeast)
    }

    private static func judgedOne(_ records: [Record]) -> Record? {
        records.first {
            $0.parameters[.operation]?.text == judged.operation
                && $0.parameters[.work]?.text == PreemptionProbe.works[judged.work]
        }
    }

    private func ratios(_ variant: String, _ evidence: Evidence) -> [Record] {
        evidence.all(metric: .ratio, where: [.variant: .string(variant)])
    }
}
