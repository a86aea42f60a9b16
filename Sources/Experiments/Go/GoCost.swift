// What the checks of a Go program cost: the program as it is beside copies of it, the runs interleaved. "Plain" is the
// copy whose checks are no-ops and whose goroutines begin on a stack large enough. Of the copy with equal checks the
// stacks are the same, so that its ratio to plain is the checks' alone, and the ratio of the original to it is that of
// stacks which begin small and grow. The original takes its turn a second time, as itself.
//
// Every run is a process of its own. Where the program exists in several layouts, a sample is what one of them says;
// where it exists in one, a sample is a round.

import GoBinary
import Measurement
import Report
import Workloads

/// What was measured of one Go program.
package struct GoCost {
    /// The baseline of ratios that are not to plain.
    package static let equal = "equal"
    package static let original = "original"
    private static let again = "again"
    private static let plain = CodeVariant.plain.rawValue

    /// Ratios to plain: over layouts, each the median of its rounds, or over the rounds of the only layout.
    package let original: [Double]
    package let equal: [Double]
    /// Ratios of the original to the copy with equal checks.
    package let stacks: [Double]
    /// The original against itself.
    package let again: [Double]
    /// The original in one layout against itself in another; each layout is in one of these ratios. Empty where there
    /// is one layout.
    private let otherLayout: [Double]
    /// The ratios of each further form that there is.
    private let further: [(column: GoColumn, ratios: [Double])]
    /// How often the program grows a stack where growths are counted, in a second of its processor time.
    package let growths: GoColumn.Growths?
    /// Nanoseconds of plain, in each layout.
    package let plain: [Double]
    package let rounds: Int
    package let load: MachineLoad?

    /// What shows how far equal things differ: one file run twice, one program in two layouts.
    static let controls: Set = [CaseSuffix.again, CaseSuffix.otherLayout]

    /// The name of a case of one layout.
    private static func name(_ kind: String, _ layout: Int) -> String { "\(kind) \(layout)" }

    /// Makes the copies and measures.
    ///
    /// - Throws: `ProcessError` where a program cannot be patched; ``MeasurementFailure`` where a copy does not do what
    ///   the original does; ``Interrupted``.
    package init(_ subject: GoSubject, claim: String, _ laboratory: Laboratory) throws {
        let programs = try PatchedPrograms()
        var cases: [MeasurementCase] = []
        var columns = GoColumn.all
        for (layout, path) in subject.layouts.enumerated() {
            try laboratory.step("\(claim): \(subject.name): patching")
            let expected = try subject.job.run(path, laboratory)
            func add(_ kind: String, _ executable: String) {
                cases.append(
                    subject.job.measured(
                        Self.name(kind, layout), executable, title: "\(subject.name), \(kind)", expected: expected,
                        laboratory))
            }
            add(Self.original, path)
            add(Self.again, path)
            for (kind, checks) in [(Self.plain, StripOptions.Checks.removed), (Self.equal, .equal)] {
                let options = StripOptions(initial: PatchedPrograms.initial, checks: checks)
                add(kind, try programs.copy(of: path, options))
            }
            columns = try columns.filter { column in
                guard let executable = try column.make(subject, layout, laboratory) else { return false }
                add(column.suffix, executable)
                return true
            }
        }
        var settings = laboratory.repetitions(1)
        rounds = subject.layouts.count > 1 ? (laboratory.isQuick ? 1 : 3) : (laboratory.isQuick ? 7 : 15)
        settings.rounds = rounds
        // Of several layouts each has just been run or written.
        settings.warmUpRounds = laboratory.isQuick || subject.layouts.count > 1 ? 0 : 1
        settings.clock = .processTime
        let measured = try laboratory.measure("\(claim): \(subject.name)", cases, settings)
        func ratios(_ kind: String, to baseline: String) throws -> [Double] {
            let each = try subject.layouts.indices.map {
                try measured.ratios(of: Self.name(kind, $0), to: Self.name(baseline, $0))
            }
            return each.count == 1 ? each[0] : try each.map { try Statistics.median($0) }
        }
        original = try ratios(Self.original, to: Self.plain)
        equal = try ratios(Self.equal, to: Self.plain)
        stacks = try ratios(Self.original, to: Self.equal)
        again = try ratios(Self.again, to: Self.original)
        otherLayout = try stride(from: 1, to: subject.layouts.count, by: 2).map { layout in
            try Statistics.median(
                measured.ratios(of: Self.name(Self.original, layout - 1), to: Self.name(Self.original, layout)))
        }
        further = try columns.map { ($0, try ratios($0.suffix, to: $0.baseline)) }
        plain = try subject.layouts.indices.map {
            try Statistics.median(measured.samples(of: Self.name(Self.plain, $0)).nanosecondsPerOperation)
        }
        load = measured.load
        growths = try columns.lazy.compactMap { try $0.growths(of: subject, laboratory) }.first
    }

    /// What is compared, as it is named in records: what ends the case, the baseline, the ratios.
    package var series: [(suffix: String, baseline: String, ratios: [Double])] {
        [
            ("", Self.plain, original), (CaseSuffix.equal, Self.plain, equal),
            (CaseSuffix.stacks, Self.equal, stacks), (CaseSuffix.again, Self.original, again),
        ] + (otherLayout.isEmpty ? [] : [(CaseSuffix.otherLayout, Self.original, otherLayout)])
            + further.map { ($0.column.suffix, $0.column.baseline, $0.ratios) }
    }

    /// The records of `subject`.
    package func records(suite: String, _ subject: GoSubject) throws -> [Record] {
        var shared = subject.parameters
        shared[.rounds] = .int(rounds)
        shared[.clock] = .clock(.processTime)
        shared[.othersProcessors] = load.flatMap(ParameterValue.disturbance)
        let control = shared.merging([.nullControl: true]) { $1 }
        let time = Record(
            suite: suite, case: subject.name, metric: .time, estimate: try .median(of: plain), parameters: shared)
        return try [time] + growthRecords(suite: suite, subject)
            + series.map { suffix, baseline, ratios in
                .ratio(
                    suite: suite, case: subject.name + suffix, baseline: baseline, estimate: try .median(of: ratios),
                    parameters: Self.controls.contains(suffix) ? control : shared)
            }
    }

    /// How often `subject` grows its stacks; none where that was not counted.
    package func growthRecords(suite: String, _ subject: GoSubject) -> [Record] {
        guard let growths else { return [] }
        var parameters = subject.parameters
        parameters[.growths] = .int(growths.count)
        return [
            Record(
                suite: suite, case: subject.name, metric: .growthsPerSecond,
                exactly: Double(growths.count) / growths.seconds, parameters: parameters)
        ]
    }
}
