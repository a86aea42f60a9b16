// "Removing the checks gains 3 to 5 % on real programs."
//
// The gain is 1 - plain / checked. What decides is its geometric mean over real programs, with the interval over
// layouts; kernels that do little but call are measured beside them and decide nothing.

import Experiments
import Measurement
import Report
import Workloads

extension ParameterName {
    /// How many of the programs were written by others, and how many of them in Go.
    static let byOthers = ParameterName("by-others")
    static let inGo = ParameterName("in-go")
}

extension Figure {
    static let gainOnRealPrograms = Figure("gain on real programs", .ratio)
    static let gainOnKernels = Figure("gain on kernels", .ratio)
    static let gainFromNoOps = Figure("gain from no-ops instead of checks", .ratio)
    static let gainFromAnotherLayout = Figure("gain from another layout", .ratio)
    static let gainOnGoPrograms = Figure("gain on Go programs", .ratio)
    static let gainOnGoProgramsFromChecks = Figure("gain on Go programs from checks alone", .ratio)
    static let gainOnGoProgramsFromLargeStacks = Figure("gain on Go programs from large stacks alone", .ratio)
    static let gainOnGoKernels = Figure("gain on kernels in Go", .ratio)
    static let gainOnGoKernelsFromChecks = Figure("gain on kernels in Go from checks alone", .ratio)
}

public struct CheckCost: Claim {
    public init() {}

    public let identifier = "check-cost"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "Removing the stack check from every prologue gains 3 to 5 % on real programs."
    public let claimed = [ClaimedFigure(.gainOnRealPrograms, low: 0.03, high: 0.05)]
    public let experiments = [
        "QuickJS, Lua, zstd, cmark, a JSON parser, a Scheme interpreter and a regex matcher in Swift, and seven "
            + "kernels in C: without checks, with checks, and with no-ops of the checks' length",
        "each linked in 24 random orders of its functions (8 in a quick run); the ratio within a layout, and plain "
            + "code in one layout against plain code in another",
        "for each version of Go: its compiler, gofmt, its benchmark suite, and three kernels, as they are, with no-ops "
            + "instead of checks on stacks that are large at once, and with equal checks on the same stacks",
        "executed instructions, counted",
    ]

    /// The cases of geometric means over real programs and over kernels; ``GoCosts`` has those of Go alone.
    static let programs = "programs"
    static let kernels = "kernels"

    public let plotted = PlottedNames(
        [.ratio], [.baseline, .kind, .layouts],
        cases: [
            Self.programs, Self.kernels, CaseSuffix.padded, CaseSuffix.otherLayout, CaseSuffix.instructions,
        ],
        values: [CodeVariant.plain.rawValue] + [CheckSubject.Kind.foreign, .own, .kernel].map(\.rawValue),
        figures: [.gainOnRealPrograms])

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let measurement = LayoutMeasurement(
            layouts: LayoutMeasurement.seeds(laboratory.isQuick ? 8 : 24), rounds: laboratory.isQuick ? 5 : 25)
        var results: [(subject: CheckSubject, result: LayoutResult)] = []
        for subject in CheckSubject.all(laboratory) {
            do {
                results.append((subject, try measurement.run(subject, claim: identifier, laboratory)))
            } catch let error as WorkloadError {
                laboratory.missing("\(subject.name) is not measured: \(error)")
            }
        }
        let bootstrap = Bootstrap(resamples: laboratory.batches.resamples, seed: laboratory.seed)
        var records = try results.flatMap { subject, result in
            try result.records(suite: identifier, subject: subject, bootstrap: bootstrap)
        }
        let go = try GoCosts(claim: identifier, laboratory)
        records += try means(results, go, bootstrap) + go.records(suite: identifier, bootstrap, laboratory)
        if let counts = InstructionCounts(laboratory) {
            for subject in results.map(\.subject) { records += try counted(subject, counts, laboratory) }
        }
        return records
    }

    /// Geometric means over real programs, those in Go among them, and over kernels. Each was measured by itself, in
    /// layouts of its own.
    private func means(
        _ results: [(subject: CheckSubject, result: LayoutResult)], _ go: GoCosts, _ bootstrap: Bootstrap
    ) throws -> [Record] {
        var records: [Record] = []
        for (name, isReal) in [(Self.programs, true), (Self.kernels, false)] {
            let group = results.filter { $0.subject.kind.isReal == isReal }
            let inGo = isReal ? go.ratios(isReal: true, \.original) : []
            let series = [
                (name, group.compactMap { $0.result.ratios[.checked] } + inGo, false),
                (name + CaseSuffix.padded, group.compactMap { $0.result.ratios[.padded] }, false),
                (name + CaseSuffix.otherLayout, group.map(\.result.placement), true),
            ]
            for (name, ratios, isControl) in series {
                guard !ratios.isEmpty else { continue }
                var parameters: [ParameterName: ParameterValue] = [
                    .programs: .int(ratios.count),
                    .byOthers: .int(group.filter { $0.subject.kind == .foreign }.count),
                ]
                parameters[.layouts] = group.first.map { .int($0.result.plain.count) }
                if isControl { parameters[.nullControl] = true }
                if name == Self.programs { parameters[.inGo] = .int(inGo.count) }
                records.append(
                    ratio(
                        name, to: .plain,
                        try bootstrap.geometricMean(ofRatios: ratios, rounds: .independent), parameters))
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

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let figure = claimed(.gainOnRealPrograms)
        let gain = try evidence.ratio(Self.programs, to: .plain).gain
        let measured = figures(gain, evidence)
        let programs = RealProgram.all(evidence)
        let text = summary(gain, evidence, programs)
        switch gain.relation(to: figure) {
        case .within:
            return Judgement(.confirmed, measured: measured, reason: "\(text): within \(Self.range(figure))")
        case .below, .above, .undecided:
            if let regime = Regime(programs, figure) {
                return Judgement(.depends, measured: measured, reason: "\(text); \(regime.text)")
            }
        }
        switch gain.relation(to: figure) {
        case .below:
            return Judgement(.refuted, measured: measured, reason: "\(text): less than \(Self.range(figure))")
        case .above:
            return Judgement(.refuted, measured: measured, reason: "\(text): more than \(Self.range(figure))")
        case .within, .undecided:
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "\(text): the interval contains an end of \(Self.range(figure)), and no program decides; "
                    + "more layouts are needed")
        }
    }

    private func figures(_ gain: Estimate, _ evidence: Evidence) -> [MeasuredFigure] {
        let plain = CodeVariant.plain.rawValue
        let others: [(Figure, String, String)] = [
            (.gainOnKernels, Self.kernels, plain),
            (.gainFromNoOps, Self.programs + CaseSuffix.padded, plain),
            (.gainFromAnotherLayout, Self.programs + CaseSuffix.otherLayout, plain),
            (.gainOnGoPrograms, GoCosts.programs, plain),
            (.gainOnGoProgramsFromChecks, GoCosts.programs + CaseSuffix.equal, plain),
            (.gainOnGoProgramsFromLargeStacks, GoCosts.programs + CaseSuffix.stacks, GoCost.equal),
            (.gainOnGoKernels, GoCosts.kernels, plain),
            (.gainOnGoKernelsFromChecks, GoCosts.kernels + CaseSuffix.equal, plain),
        ]
        return [MeasuredFigure(.gainOnRealPrograms, gain)]
            + others.compactMap { figure, name, baseline in
                (try? evidence.ratio(name, to: baseline)).map { MeasuredFigure(figure, $0.gain) }
            }
    }

    private func summary(_ gain: Estimate, _ evidence: Evidence, _ programs: [RealProgram]) -> String {
        var text = "gain \(gain.percent) over \(programs.count) real programs"
        if let mean = evidence.all(Self.programs, metric: .ratio).first {
            if let others = mean.parameters[.byOthers] { text += ", \(others) of them by others" }
            if let layouts = mean.parameters[.layouts] { text += ", in \(layouts) layouts" }
        }
        if let padded = try? evidence.ratio(Self.programs + CaseSuffix.padded, to: .plain) {
            text += "; no-ops of the same length cost \(padded.gain.percent)"
        }
        if let other = try? evidence.ratio(Self.programs + CaseSuffix.otherLayout, to: .plain) {
            text += ", another layout \(other.gain.percent)"
        }
        text += Self.inGo(evidence)
        let executed = programs.compactMap(\.instructions)
        if let minimum = executed.min(), let maximum = executed.max() {
            text +=
                "; checks are \(Estimate.percent(minimum)) to \(Estimate.percent(maximum)) % of executed instructions"
        }
        return text
    }

    /// What programs in Go gain, and of that what missing checks gain, and what stacks that are large at once.
    private static func inGo(_ evidence: Evidence) -> String {
        guard let go = try? evidence.ratio(GoCosts.programs, to: .plain) else { return "" }
        let count = evidence.all(GoCosts.programs, metric: .ratio).first?.parameters[.programs]
        var text = "; Go's alone \(go.gain.percent)" + (count.map { " over \($0) programs" } ?? "")
        if let checks = try? evidence.ratio(GoCosts.programs + CaseSuffix.equal, to: .plain),
            let stacks = try? evidence.ratio(GoCosts.programs + CaseSuffix.stacks, to: GoCost.equal)
        {
            text += " (missing checks gain \(checks.gain.percent), large stacks \(stacks.gain.percent))"
        }
        return text
    }

    private static func range(_ figure: ClaimedFigure) -> String {
        "\(Estimate.percent(figure.low ?? 0)) to \(Estimate.percent(figure.high ?? 1)) %"
    }
}

/// What is known of one real program.
private struct RealProgram {
    let name: String
    let gain: Estimate
    /// The share of checks in the instructions that checked code executes.
    let instructions: Double?
    /// Instructions for each check.
    let distance: Double?

    static func all(_ evidence: Evidence) -> [RealProgram] {
        evidence.all(metric: .ratio, where: [.baseline: .string(CodeVariant.plain.rawValue)]).compactMap { record in
            guard let kind = record.parameters[.kind]?.text, CheckSubject.Kind(rawValue: kind)?.isReal == true,
                evidence.find(record.name, metric: .time) != nil
            else { return nil }
            return RealProgram(
                name: record.name, gain: record.estimate.gain,
                instructions: try? evidence.ratio(record.name + CaseSuffix.instructions, to: .plain).gain.median,
                distance: evidence.find(record.name, metric: .instructionsPerCheck)?.median)
        }
    }
}

/// Programs that gain less than claimed beside programs that gain as much or more, and what tells them apart.
private struct Regime {
    let text: String

    /// Nil unless programs lie on both sides.
    init?(_ programs: [RealProgram], _ figure: ClaimedFigure) {
        let minimum = figure.low ?? 0
        let little = programs.filter { $0.gain.high < minimum }
        let much = programs.filter { $0.gain.low >= minimum }
        guard !little.isEmpty, !much.isEmpty else { return nil }
        func list(_ programs: [RealProgram]) -> String {
            programs.map { "\($0.name) \($0.gain.percent)" }.joined(separator: ", ")
        }
        var text =
            "\(Estimate.percent(minimum)) % and more: \(list(much)); less: \(list(little))"
        let known = (little.map { ($0, false) } + much.map { ($0, true) })
            .compactMap { program, gains in program.distance.map { (distance: $0, gains: gains) } }
            .sorted { $0.distance < $1.distance }
        // The cut with the fewest programs on the wrong side; call-heavy programs are those below it.
        let cuts = known.indices.dropFirst().map { cut in
            (
                cut: cut,
                right: known[..<cut].filter(\.gains).count + known[cut...].filter { !$0.gains }.count
            )
        }
        if let best = cuts.max(by: { $0.right < $1.right }) {
            let threshold = (known[best.cut - 1].distance * known[best.cut].distance).squareRoot()
            text +=
                "; it flips at \(Int(threshold.rounded())) instructions a check, below which programs gain "
                + "(\(best.right) of \(known.count) programs lie on their side)"
        }
        self.text = text
    }
}
