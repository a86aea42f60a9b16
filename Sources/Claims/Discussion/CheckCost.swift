// "Removing the checks gains 3 to 5 % on real programs."
//
// The gain is 1 - plain / checked. The claim is about Go, so that the verdict is that of the newest Go: what the
// missing checks alone give, against copies with equal checks on the same stacks, as the mean over its programs, beside
// the same programs against themselves. Programs in C and in Swift are rows of their own; nothing is pooled over
// languages.

import Experiments
import Measurement
import Report
import Workloads

extension Figure {
    static let gainOnRealPrograms = Figure("gain on real programs", .ratio)
    /// Of the same programs against themselves.
    static let gainFromNothing = Figure("gain of Go programs against themselves", .ratio)
    static let gainOnGoPrograms = Figure("gain on Go programs, with large first stacks", .ratio)
    static let gainFromLargeStacks = Figure("gain on Go programs from large first stacks alone", .ratio)
    static let gainCompiledWithout = Figure("gain on Go programs compiled without checks, on the same stacks", .ratio)
    static let gainFromProbes = Figure("gain on Go programs from probes instead of checks", .ratio)
    static let gainFromAnotherLayoutInGo = Figure("gain on Go programs from another layout", .ratio)
    static let gainOnCPrograms = Figure("gain on programs in C", .ratio)
    static let gainOnSwiftPrograms = Figure("gain on programs in Swift", .ratio)
    static let gainOnKernels = Figure("gain on kernels in C", .ratio)
    static let gainOnGoKernels = Figure("gain on kernels in Go", .ratio)
    static let gainFromNoOps = Figure("gain on programs in C from no-ops instead of checks", .ratio)
    static let gainFromAnotherLayout = Figure("gain on programs in C from another layout", .ratio)
}

public struct CheckCost: Claim {
    public init() {}

    public let identifier = "check-cost"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "Removing the stack check from every prologue gains 3 to 5 % on real programs."
    public let claimed = [ClaimedFigure(.gainOnRealPrograms, low: 0.03, high: 0.05)]
    public let experiments = [
        "for each version of Go: its compiler, gofmt and its benchmark suite, as they are, with no-ops instead of "
            + "checks on stacks that are large at once, equal checks on the same stacks, and once more as they are; of "
            + "the newest also compiled without checks, and with probes",
        "QuickJS, Lua, zstd and cmark in C, a JSON parser, a Scheme interpreter and a regex matcher in Swift: without "
            + "checks, with checks, with no-ops of the checks' length, and without checks once more",
        "Go programs run on one processor without collections, so that each run does the same",
        "each in random orders of its functions where there is a linker for it, one process for each; the ratio within "
            + "a layout, and plain code in one layout against plain code in another",
        "kernels in C and in Go that do little but call, and executed instructions, counted",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.baseline, .kind, .layouts, .programs],
        cases: MeasuredChecks.Group.allCases.map(\.rawValue) + [GoCosts.programs, GoCosts.kernels] + [
            CaseSuffix.padded, CaseSuffix.again, CaseSuffix.otherLayout, CaseSuffix.instructions, CaseSuffix.equal,
        ],
        values: [CodeVariant.plain.rawValue] + CheckSubject.Kind.allCases.map(\.rawValue),
        figures: [.gainOnRealPrograms])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let programs = try MeasuredChecks.programs(laboratory, claim: identifier)
        let kernels = try MeasuredChecks.kernels(laboratory, claim: identifier)
        let go = try GoCosts.measured(laboratory, claim: identifier)
        var records = try (programs.results + kernels.results).flatMap { subject, result in
            try result.records(suite: identifier, subject: subject)
        }
        records += try programs.means(suite: identifier) + kernels.means(suite: identifier)
        records += try go.records(suite: identifier)
        if let counts = InstructionCounts(laboratory) {
            for subject in (programs.results + kernels.results).map(\.subject) {
                records += try counted(subject, counts, laboratory)
            }
        }
        return records
    }

    private func counted(
        _ subject: CheckSubject, _ counts: InstructionCounts, _ laboratory: Laboratory
    ) throws -> [Record] {
        let (plain, checked): (Double, Double)
        do {
            let pair = try counts.pair(subject, claim: identifier, laboratory)
            (plain, checked) = (pair.plain.instructions, pair.checked.instructions)
        } catch let error as WorkloadError {
            laboratory.missing("instructions of \(subject.name) are not counted: \(error)")
            return []
        }
        var shared = subject.parameters
        shared[.countedBy] = .string(counts.counting.rawValue)
        var records = [(CodeVariant.plain, plain), (.checked, checked)].map { variant, count in
            record(
                subject.name, .instructions, exactly: count,
                shared.merging([.variant: .string(variant.rawValue)]) { $1 })
        }
        records.append(
            ratio(
                subject.name + CaseSuffix.instructions, to: .plain,
                Estimate(exactly: checked / plain), shared))
        if checked > plain {
            // A check that passes is a compare and a jump.
            records.append(
                record(subject.name, .instructionsPerCheck, exactly: plain / ((checked - plain) / 2), shared))
        }
        return records
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let figure = claimed(.gainOnRealPrograms)
        let measured = figures(evidence)
        guard let record = evidence.all(GoCosts.programs + CaseSuffix.equal, metric: .ratio).first else {
            guard !measured.isEmpty else { throw MissingEvidence("no program was measured") }
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "the claim is about Go, of which no program was measured\(others(evidence))")
        }
        let gain = record.estimate.gain
        let null = evidence.find(GoCosts.programs + CaseSuffix.again, metric: .ratio)?.gain
        let beside = null.map { " (the same programs against themselves \($0.percent))" } ?? ""
        let version = record.parameters[.peer]?.text ?? "Go"
        var text = "missing checks alone give programs of \(version) \(gain.percent) of their time\(beside)"
        let range = "\(Estimate.percent(figure.low ?? 0)) to \(Estimate.percent(figure.high ?? 1)) %"
        let verdict: Verdict
        if !gain.isDistinguishable(from: 0, null: null) {
            verdict = .notDistinguishable
            // What programs differ from themselves bounds what can be excluded.
            let noise = null.map { max(abs($0.low), abs($0.high)) } ?? 0
            text +=
                noise < figure.low ?? 0
                ? ": not told from none, and at most \(Estimate.percent(gain.high)) % where \(range) are claimed"
                : ": not told from none; as much as the \(range) that are claimed is not told from none here either"
        } else {
            switch gain.relation(to: figure) {
            case .within: (verdict, text) = (.confirmed, "\(text): within \(range)")
            case .below: (verdict, text) = (.refuted, "\(text): less than \(range)")
            case .above: (verdict, text) = (.refuted, "\(text): more than \(range)")
            case .undecided:
                verdict = .notMeasurable
                text += ": the interval contains an end of \(range); more programs or layouts are needed"
            }
        }
        return Judgement(verdict, measured: measured, reason: text + others(evidence))
    }

    private func figures(_ evidence: Evidence) -> [MeasuredFigure] {
        let plain = CodeVariant.plain.rawValue
        let (c, swift, kernels) = (MeasuredChecks.Group.c, MeasuredChecks.Group.swift, MeasuredChecks.Group.kernels)
        let ratios: [(Figure, String, String)] = [
            (.gainOnRealPrograms, GoCosts.programs + CaseSuffix.equal, plain),
            (.gainFromNothing, GoCosts.programs + CaseSuffix.again, GoCost.original),
            (.gainOnGoPrograms, GoCosts.programs, plain),
            (.gainFromLargeStacks, GoCosts.programs + CaseSuffix.stacks, GoCost.equal),
            (.gainOnCPrograms, c.rawValue, plain),
            (.gainFromNoOps, c.rawValue + CaseSuffix.padded, plain),
            (.gainFromAnotherLayout, c.rawValue + CaseSuffix.otherLayout, plain),
            (.gainOnSwiftPrograms, swift.rawValue, plain),
            (.gainOnKernels, kernels.rawValue, plain),
            (.gainOnGoKernels, GoCosts.kernels + CaseSuffix.equal, plain),
        ]
        let measured = ratios.compactMap { figure, name, baseline in
            (try? evidence.ratio(name, to: baseline)).map { MeasuredFigure(figure, $0.gain) }
        }
        // These are ratios of the new form to the old.
        let forms: [(Figure, String)] = [
            (.gainCompiledWithout, GoColumn.compiledWithout), (.gainFromProbes, GoColumn.probes),
            (.gainFromAnotherLayoutInGo, CaseSuffix.otherLayout),
        ]
        return measured
            + forms.compactMap { figure, suffix in
                evidence.find(GoCosts.programs + suffix, metric: .ratio).map { MeasuredFigure(figure, $0.saving) }
            }
    }

    /// What else was measured of Go and what other languages give, each beside its own null.
    private func others(_ evidence: Evidence) -> String {
        let plain = CodeVariant.plain.rawValue
        var texts: [String] = []
        if let stacks = try? evidence.ratio(GoCosts.programs + CaseSuffix.stacks, to: GoCost.equal).gain {
            texts.append("first stacks that are large give them \(stacks.percent)")
        }
        for (form, suffix) in [
            ("being compiled without checks, on the same stacks, gives", GoColumn.compiledWithout),
            ("probes give", GoColumn.probes),
        ] {
            guard let ratio = evidence.find(GoCosts.programs + suffix, metric: .ratio) else { continue }
            let null = evidence.find(GoCosts.programs + CaseSuffix.otherLayout, metric: .ratio)?.saving
            texts.append(
                "\(form) them \(ratio.saving.percent)"
                    + (null.map { " (in another layout \($0.percent))" } ?? ""))
        }
        for (language, group) in [("C", MeasuredChecks.Group.c), ("Swift", .swift)] {
            guard let gain = try? evidence.ratio(group.rawValue, to: plain).gain else { continue }
            let null = evidence.find(group.rawValue + CaseSuffix.again, metric: .ratio)?.gain
            let layouts = evidence.all(group.rawValue, metric: .ratio).first?.parameters[.layouts]
            texts.append(
                "programs in \(language) gain \(gain.percent)"
                    + (null.map { " (against themselves \($0.percent))" } ?? "")
                    + (layouts.map { " in \($0) layouts each" } ?? ""))
        }
        return texts.map { "; \($0)" }.joined()
    }
}
