// "The code of the checks presses on the instruction cache."
//
// Programs of the newest Go, as they are but on large first stacks, beside the same programs compiled without checks,
// in the same random orders of their functions. What misses is simulated, since virtual machines have no counters: one
// cache, whatever the processor, without a prefetcher. What one order of the functions of the program with checks
// changes against another is no finding: that is the null control. What the bytes of checks take in time is the
// difference between no-ops in their place and no bytes at all.
//
// Misses of one program differ by tens of per cent between orders of its functions, so that each program's number is
// the median over several of them. From fewer than seven nothing follows, as elsewhere from fewer than seven processes.

import Experiments
import GoBinary
import Measurement
import Processes
import Report
import Workloads

extension Metric {
    /// Lines of 64 bytes of code that a run touches.
    static let touchedLines = Metric("touched-lines", .count)
}

extension Figure {
    static let missesWithChecks = Figure("instruction cache misses, with checks to without", .ratio)
    static let missesOfAnotherLayout = Figure(
        "instruction cache misses with checks, in another order of the functions", .ratio)
    static let codeWithChecks = Figure("size of the code, with checks to without", .ratio)
    static let linesWithChecks = Figure("lines of code that a run touches, with checks to without", .ratio)
    static let timeOfBytes = Figure("time with no-ops instead of checks, to that without their bytes", .ratio)
}

public struct CodeSize: Claim {
    public init() {}

    public let identifier = "code-size"
    public let saidBy = "golang-nuts, November 2025"
    public let statement = "The code of stack checks presses on the instruction cache."
    public let claimed = [
        // Without a number: more misses with checks than without.
        ClaimedFigure(.missesWithChecks, low: 1, high: nil, isOurReading: true)
    ]
    public let experiments = [
        "Go's compiler, gofmt and programs of its benchmark suite, with equal checks on large first stacks and "
            + "compiled without checks, in the same random orders of their functions, eight in the full run: "
            + "the size of their code, and for a short run the lines that it touches and the misses of an instruction "
            + "cache of 32 KiB, simulated; beside it the misses with checks in one order against those in another",
        "the time of the same programs with no-ops in place of their checks against that without the bytes",
    ]

    public let plotted = PlottedNames(
        [.ratio],
        cases: [Self.programs, Self.size, Self.lines, Self.misses, Self.misses + CaseSuffix.otherLayout])

    /// The case of all programs together.
    static let programs = "programs"
    /// What ratios are to.
    static let without = "compiled without"
    static let size = "-code-size"
    static let lines = "-lines"
    static let misses = "-misses"
    static let time = "-time"
    /// The case of the misses of programs with checks.
    static let checked = "with equal checks"
    /// Orders of the functions of each program that a verdict needs, and that a full run has.
    static let (fewestLayouts, layouts) = (7, 8)
    /// Fewer misses are those of starting.
    private static let fewest = 10_000.0
    /// Programs of the benchmark suite that are simulated: what is slow by itself takes minutes.
    private static let simulated: Set = ["go1-GoParse", "go1-JSONDecode", "go1-Template"]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        guard let counter = ProgramCounter() else {
            laboratory.missing("instruction caches are not simulated: install valgrind")
            return []
        }
        let counted = try GoSubject.withAll(claim: identifier, laboratory) { subjects in
            try records(of: subjects, counter, laboratory)
        }
        return try counted + time(laboratory)
    }

    private func records(
        of subjects: [GoSubject], _ counter: ProgramCounter, _ laboratory: Laboratory
    ) throws -> [Record] {
        var records: [Record] = []
        var sizes: [Double] = []
        var series: [Comparison: [[Double]]] = [:]
        for subject in subjects {
            let name = String(subject.name.prefix { $0 != " " })
            guard subject.kind.isReal, !subject.unchecked.isEmpty,
                let job = subject.counted ?? (Self.simulated.contains(name) ? subject.job : nil)
            else { continue }
            do {
                let measured = try measure(subject, job, counter, laboratory)
                var shared = subject.parameters
                shared[.work] = .string(job.work)
                shared[.countedBy] = .string(counter.version)
                // Of one binary, which has one size.
                shared[.layouts] = 1
                records.append(
                    ratio(subject.name + Self.size, to: Self.without, Estimate(exactly: measured.size), shared))
                sizes.append(measured.size)
                for (comparison, values) in measured.ratios.sorted(by: { $0.key.suffix < $1.key.suffix }) {
                    shared[.layouts] = .int(values.count)
                    shared[.nullControl] = comparison == .null ? true : nil
                    records.append(
                        ratio(
                            subject.name + comparison.suffix, to: comparison.baseline, try .median(of: values), shared))
                    series[comparison, default: []].append(values)
                }
            } catch let error as ProcessError {
                if laboratory.isAskedToStop { throw Interrupted() }
                laboratory.missing("the code of \(subject.name) is not measured: \(error)")
            }
        }
        guard !sizes.isEmpty else { return records }
        let shared: [ParameterName: ParameterValue] = [.countedBy: .string(counter.version)]
        func mean(_ suffix: String, to baseline: String, _ estimate: Estimate, of programs: Int, isNull: Bool) -> Record
        {
            var own = shared
            own[.programs] = .int(programs)
            if isNull { own[.nullControl] = true }
            return ratio(Self.programs + suffix, to: baseline, estimate, own)
        }
        let size = try Estimate.geometricMean(over: sizes.map { [$0] }).median
        records.append(mean(Self.size, to: Self.without, Estimate(exactly: size), of: sizes.count, isNull: false))
        for (comparison, values) in series.sorted(by: { $0.key.suffix < $1.key.suffix }) {
            records.append(
                mean(
                    comparison.suffix, to: comparison.baseline, try .geometricMean(over: values), of: values.count,
                    isNull: comparison == .null))
        }
        return records
    }

    /// What is compared in simulated runs.
    private struct Comparison: Hashable {
        let suffix: String
        let baseline: String

        static let lines = Comparison(suffix: CodeSize.lines, baseline: CodeSize.without)
        static let misses = Comparison(suffix: CodeSize.misses, baseline: CodeSize.without)
        /// The program with checks in two orders of its functions: what is no finding.
        static let null = Comparison(suffix: CodeSize.misses + CaseSuffix.otherLayout, baseline: CodeSize.checked)
    }

    /// The ratio of the sizes of one program, and ratios of what its runs do, layout by layout.
    private func measure(
        _ subject: GoSubject, _ job: GoJob, _ counter: ProgramCounter, _ laboratory: Laboratory
    ) throws -> (size: Double, ratios: [Comparison: [Double]]) {
        var size = 0.0
        var ratios: [Comparison: [Double]] = [:]
        func add(_ comparison: Comparison, _ value: Double, to base: Double) {
            guard base >= Self.fewest else { return }
            ratios[comparison, default: []].append(value / base)
        }
        func checked(_ layout: Int) throws -> Count {
            let equal = try PatchedPrograms().copy(
                of: subject.layouts[layout], StripOptions(initial: PatchedPrograms.initial, checks: .equal))
            return try count(equal, job, counter, laboratory)
        }
        var misses: [Double] = []
        for layout in subject.layouts.indices.prefix(laboratory.isQuick ? 2 : Self.layouts) {
            try laboratory.step("\(identifier): \(subject.name), layout \(layout + 1)")
            let (with, without) = try (
                checked(layout), count(subject.unchecked[layout], job, counter, laboratory)
            )
            if layout == 0 { size = with.bytes / without.bytes }
            add(.lines, with.lines, to: without.lines)
            add(.misses, with.misses, to: without.misses)
            misses.append(with.misses)
        }
        // Each order is in one pair: all against all the others would cancel.
        for layout in stride(from: 1, to: misses.count, by: 2) { add(.null, misses[layout], to: misses[layout - 1]) }
        return (size, ratios)
    }

    private struct Count {
        let bytes: Double
        let lines: Double
        let misses: Double
    }

    private func count(
        _ path: String, _ job: GoJob, _ counter: ProgramCounter, _ laboratory: Laboratory
    ) throws(ProcessError) -> Count {
        let counts = try counter.cacheCounts(
            path, job.arguments, environment: job.calmEnvironment, seconds: 300,
            isUnwanted: { laboratory.isAskedToStop })
        guard let lines = counts.instructionLines, let misses = counts.instructionCacheMisses else {
            throw ProcessError("valgrind simulated no cache")
        }
        return Count(bytes: Double(try GoTool.executable(path).textBytes), lines: lines, misses: misses)
    }

    /// What the bytes of no-ops take, from the times that `check-cost` has.
    private func time(_ laboratory: Laboratory) throws -> [Record] {
        let costs = try GoCosts.measured(laboratory, claim: identifier)
        let ratios = costs.products(CaseSuffix.equal, GoColumn.compiledWithout)
        let other = costs.ratios(isReal: true, CaseSuffix.otherLayout)
        guard let newest = costs.newest, !ratios.isEmpty else { return [] }
        let shared: [ParameterName: ParameterValue] = [.programs: .int(ratios.count), .peer: .string(newest)]
        // Two programs, and not one file twice: what is no finding is what another layout does.
        let null =
            try other.isEmpty
            ? []
            : [
                self.ratio(
                    Self.programs + Self.time + CaseSuffix.otherLayout, to: GoCost.original,
                    .geometricMean(over: other), shared.merging([.nullControl: true]) { $1 })
            ]
        return try null + [
            // The other way round: that of no-ops is the first number.
            ratio(
                Self.programs + Self.time, to: Self.without,
                .geometricMean(over: ratios.map { $0.map { 1 / $0 } }), shared)
        ]
    }

    // MARK: judging

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        func ratio(_ suffix: String) -> Estimate? {
            evidence.find(Self.programs + suffix, metric: .ratio, where: [.baseline: .string(Self.without)])
        }
        let misses = try evidence.ratio(Self.programs + Self.misses, to: Self.without)
        let null = try evidence.ratio(Self.programs + Self.misses + CaseSuffix.otherLayout, to: Self.checked)
        let programs = evidence.all(metric: .ratio, where: [.baseline: .string(Self.without)]).filter {
            $0.name.hasSuffix(Self.misses) && $0.name != Self.programs + Self.misses
        }
        // Of several runs it is the median of theirs.
        guard let layouts = programs.compactMap({ $0.parameters[.layouts]?.number }).min().map({ Int($0) }) else {
            throw MissingEvidence("no record of the misses of a program")
        }
        let isTold = misses.isDistinguishable(from: 1, null: null)
        var measured = [MeasuredFigure(.missesWithChecks, misses), MeasuredFigure(.missesOfAnotherLayout, null)]
        var text =
            "a simulated instruction cache is missed \(misses.text()) times as often with checks as without, and "
            + "\(null.text()) times with checks in another order of the functions"
            + (isTold || layouts < Self.fewestLayouts ? "" : ": that is not told from none")
        for (figure, suffix, words) in [
            (Figure.codeWithChecks, Self.size, "the code is"), (.linesWithChecks, Self.lines, "a run touches"),
        ] {
            guard let estimate = ratio(suffix) else { continue }
            measured.append(MeasuredFigure(figure, estimate))
            // Sizes were counted: they have no interval.
            let number = estimate.samples == 0 ? estimate.median.text() : estimate.text()
            text += "; \(words) \(number) times as \(suffix == Self.size ? "large" : "many lines")"
        }
        if let time = ratio(Self.time) {
            let null = evidence.find(Self.programs + Self.time + CaseSuffix.otherLayout, metric: .ratio)
            measured.append(MeasuredFigure(.timeOfBytes, time))
            text +=
                time.isDistinguishable(from: 1, null: null)
                ? "; the bytes alone, as no-ops, take \(time.gain.percent) of the time"
                : "; that the bytes alone, as no-ops, take time is not told from none (\(time.gain.percent))"
        }
        guard layouts >= Self.fewestLayouts else {
            return Judgement(
                .notMeasurable, measured: measured,
                reason: "\(layouts) layouts of each program, \(Self.fewestLayouts) are needed: \(text)")
        }
        guard isTold else { return Judgement(.notDistinguishable, measured: measured, reason: text) }
        let verdict: Verdict =
            switch misses.relation(to: claimed(.missesWithChecks)) {
            case .within: .confirmed
            case .below, .above: .refuted
            case .undecided: .notDistinguishable
            }
        return Judgement(verdict, measured: measured, reason: text)
    }
}
