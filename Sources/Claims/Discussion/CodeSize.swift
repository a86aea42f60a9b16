// "The code of the checks presses on the instruction cache."
//
// Programs of the newest Go, as they are but on large first stacks, beside the same programs compiled without checks,
// in the same random orders of their functions. What misses is simulated, since virtual machines have no counters: one
// cache, whatever the processor, without a prefetcher. What the bytes of checks take in time is the difference between
// no-ops in their place and no bytes at all.

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
        ClaimedFigure(.missesWithChecks, low: 1, high: nil)
    ]
    public let experiments = [
        "Go's compiler, gofmt and programs of its benchmark suite, with equal checks on large first stacks and "
            + "compiled without checks, in the same random orders of their functions: the size of their code, and "
            + "for a short run the lines that it touches and the misses of an instruction cache of 32 KiB, simulated",
        "the time of the same programs with no-ops in place of their checks against that without the bytes",
    ]

    /// The case of all programs together.
    static let programs = "programs"
    /// What ratios are to.
    static let without = "compiled without"
    static let size = "-code-size"
    static let lines = "-lines"
    static let misses = "-misses"
    static let time = "-time"
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
        var series: [String: [[Double]]] = [:]
        for subject in subjects {
            let name = String(subject.name.prefix { $0 != " " })
            guard subject.kind.isReal, !subject.unchecked.isEmpty,
                let job = subject.counted ?? (Self.simulated.contains(name) ? subject.job : nil)
            else { continue }
            do {
                var ratios: [String: [Double]] = [:]
                for layout in subject.layouts.indices.prefix(laboratory.isQuick ? 2 : 3) {
                    try laboratory.step("\(identifier): \(subject.name), layout \(layout + 1)")
                    let equal = try PatchedPrograms().copy(
                        of: subject.layouts[layout], StripOptions(initial: PatchedPrograms.initial, checks: .equal))
                    let (with, without) = try (
                        count(equal, job, counter, laboratory),
                        count(subject.unchecked[layout], job, counter, laboratory)
                    )
                    for (suffix, value) in [
                        (Self.size, \Count.bytes), (Self.lines, \.lines), (Self.misses, \.misses),
                    ] where without[keyPath: value] >= Self.fewest {
                        ratios[suffix, default: []].append(with[keyPath: value] / without[keyPath: value])
                    }
                }
                var shared = subject.parameters
                shared[.work] = .string(job.work)
                shared[.countedBy] = .string(counter.version)
                shared[.layouts] = .int(ratios[Self.size]?.count ?? 0)
                for (suffix, values) in ratios.sorted(by: { $0.key < $1.key }) {
                    records.append(
                        ratio(subject.name + suffix, to: Self.without, try .median(of: values), shared))
                    series[suffix, default: []].append(values)
                }
            } catch let error as ProcessError {
                if laboratory.isAskedToStop { throw Interrupted() }
                laboratory.missing("the code of \(subject.name) is not measured: \(error)")
            }
        }
        for (suffix, values) in series.sorted(by: { $0.key < $1.key }) {
            records.append(
                ratio(
                    Self.programs + suffix, to: Self.without, try .geometricMean(over: values),
                    [.programs: .int(values.count), .countedBy: .string(counter.version)]))
        }
        return records
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
        var measured = [MeasuredFigure(.missesWithChecks, misses)]
        var text = "a simulated instruction cache is missed \(misses.text()) times as often with checks as without"
        for (figure, suffix, words) in [
            (Figure.codeWithChecks, Self.size, "the code is"), (.linesWithChecks, Self.lines, "a run touches"),
        ] {
            guard let estimate = ratio(suffix) else { continue }
            measured.append(MeasuredFigure(figure, estimate))
            text += "; \(words) \(estimate.text()) times as \(suffix == Self.size ? "large" : "many lines")"
        }
        if let time = ratio(Self.time) {
            let null = evidence.find(Self.programs + Self.time + CaseSuffix.otherLayout, metric: .ratio)
            measured.append(MeasuredFigure(.timeOfBytes, time))
            text +=
                time.isDistinguishable(from: 1, null: null)
                ? "; the bytes alone, as no-ops, take \(time.gain.percent) of the time"
                : "; that the bytes alone, as no-ops, take time is not told from none (\(time.gain.percent))"
        }
        let verdict: Verdict =
            switch misses.relation(to: claimed(.missesWithChecks)) {
            case .within: .confirmed
            case .below, .above: .refuted
            case .undecided: .notDistinguishable
            }
        return Judgement(verdict, measured: measured, reason: text)
    }
}
