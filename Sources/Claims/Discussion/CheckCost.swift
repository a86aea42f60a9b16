// "Removing the checks gains 3 to 5 % on real programs."
//
// The gain is 1 - plain / checked. What decides is its geometric mean over real programs, with the interval over
// layouts; kernels that do little but call are measured beside them and decide nothing.

import Experiments
import Measurement
import Report
import Workloads

public struct CheckCost: Claim {
    public init() {}

    public let identifier = "check-cost"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "Removing the stack check from every prologue gains 3 to 5 % on real programs."
    public let claimed = [ClaimedFigure("gain on real programs", low: 0.03, high: 0.05, unit: .ratio)]
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
    /// The figure of Go's programs alone.
    static let goFigure = "gain on Go programs"

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
                ("\(name)-padded", group.compactMap { $0.result.ratios[.padded] }, false),
                ("\(name)-other-layout", group.map(\.result.placement), true),
            ]
            for (name, ratios, isControl) in series {
                guard !ratios.isEmpty else { continue }
                var parameters: [String: ParameterValue] = [
                    "programs": .int(ratios.count),
                    "by-others": .int(group.filter { $0.subject.kind == .foreign }.count),
                ]
                parameters["layouts"] = group.first.map { .int($0.result.plain.count) }
                if isControl { parameters[Record.nullControlParameter] = true }
                if name == Self.programs { parameters["in-go"] = .int(inGo.count) }
                records.append(
                    .ratio(
                        suite: identifier, case: name, baseline: "plain",
                        estimate: try bootstrap.geometricMean(ofRatios: ratios, rounds: .independent),
                        parameters: parameters))
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
        shared[InstructionCounts.parameter] = .string(counts.counting.rawValue)
        var records = [(CodeVariant.plain, plain), (.checked, checked)].map { variant, count in
            Record(
                suite: identifier, case: subject.name, metric: "instructions", unit: .instructions, exactly: count,
                parameters: shared.merging(["variant": .string(variant.rawValue)]) { $1 })
        }
        records.append(
            .ratio(
                suite: identifier, case: "\(subject.name)-instructions", baseline: "plain",
                estimate: Estimate(exactly: checked / plain), parameters: shared))
        if checked > plain {
            // A check that passes is a compare and a jump.
            records.append(
                Record(
                    suite: identifier, case: subject.name, metric: InstructionCounts.distanceMetric,
                    unit: .instructions,
                    exactly: plain / ((checked - plain) / 2), parameters: shared))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let figure = figure("gain on real programs")
        let gain = try evidence.ratio(Self.programs, to: "plain").gain
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
        var figures = [MeasuredFigure(claimed[0].name, gain, unit: .ratio)]
        for (name, record, baseline) in [
            ("gain on kernels", Self.kernels, "plain"),
            ("gain from no-ops instead of checks", "\(Self.programs)-padded", "plain"),
            ("gain from another layout", "\(Self.programs)-other-layout", "plain"),
            (Self.goFigure, GoCosts.programs, "plain"),
            ("gain on Go programs from checks alone", "\(GoCosts.programs)-equal", "plain"),
            ("gain on Go programs from large stacks alone", "\(GoCosts.programs)-stacks", "equal"),
            ("gain on kernels in Go", GoCosts.kernels, "plain"),
            ("gain on kernels in Go from checks alone", "\(GoCosts.kernels)-equal", "plain"),
        ] {
            if let ratio = try? evidence.ratio(record, to: baseline) {
                figures.append(MeasuredFigure(name, ratio.gain, unit: .ratio))
            }
        }
        return figures
    }

    private func summary(_ gain: Estimate, _ evidence: Evidence, _ programs: [RealProgram]) -> String {
        var text = "gain \(gain.percent) over \(programs.count) real programs"
        if let mean = evidence.all(Self.programs, metric: Record.ratioMetric).first {
            if let others = mean.parameters["by-others"] { text += ", \(others) of them by others" }
            if let layouts = mean.parameters["layouts"] { text += ", in \(layouts) layouts" }
        }
        if let padded = try? evidence.ratio("\(Self.programs)-padded", to: "plain") {
            text += "; no-ops of the same length cost \(padded.gain.percent)"
        }
        if let other = try? evidence.ratio("\(Self.programs)-other-layout", to: "plain") {
            text += ", another layout \(other.gain.percent)"
        }
        text += Self.inGo(evidence)
        let executed = programs.compactMap(\.instructions)
        if let least = executed.min(), let most = executed.max() {
            text += "; checks are \(Estimate.percent(least)) to \(Estimate.percent(most)) % of executed instructions"
        }
        return text
    }

    /// What programs in Go gain, and of that what missing checks gain, and what stacks that are large at once.
    private static func inGo(_ evidence: Evidence) -> String {
        guard let go = try? evidence.ratio(GoCosts.programs, to: "plain") else { return "" }
        let count = evidence.all(GoCosts.programs, metric: Record.ratioMetric).first?.parameters["programs"]
        var text = "; Go's alone \(go.gain.percent)" + (count.map { " over \($0) programs" } ?? "")
        if let checks = try? evidence.ratio("\(GoCosts.programs)-equal", to: "plain"),
            let stacks = try? evidence.ratio("\(GoCosts.programs)-stacks", to: "equal")
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
        evidence.all(metric: Record.ratioMetric, where: [Record.baselineParameter: "plain"]).compactMap { record in
            guard case .string(let kind)? = record.parameters[CheckSubject.kindParameter],
                CheckSubject.Kind(rawValue: kind)?.isReal == true,
                evidence.find(record.name, metric: "time") != nil
            else { return nil }
            return RealProgram(
                name: record.name, gain: record.estimate.gain,
                instructions: try? evidence.ratio("\(record.name)-instructions", to: "plain").gain.median,
                distance: evidence.find(record.name, metric: InstructionCounts.distanceMetric)?.median)
        }
    }
}

/// Programs that gain less than claimed beside programs that gain as much or more, and what tells them apart.
private struct Regime {
    let text: String

    /// Nil unless programs lie on both sides.
    init?(_ programs: [RealProgram], _ figure: ClaimedFigure) {
        let least = figure.low ?? 0
        let little = programs.filter { $0.gain.high < least }
        let much = programs.filter { $0.gain.low >= least }
        guard !little.isEmpty, !much.isEmpty else { return nil }
        func list(_ programs: [RealProgram]) -> String {
            programs.map { "\($0.name) \($0.gain.percent)" }.joined(separator: ", ")
        }
        var text =
            "\(Estimate.percent(least)) % and more: \(list(much)); less: \(list(little))"
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
