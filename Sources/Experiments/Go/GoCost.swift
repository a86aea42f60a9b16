// What the checks of a Go program cost: the program as it is beside copies of it, the runs interleaved. "Plain" is the
// copy whose checks are no-ops and whose goroutines begin on a stack large enough. Of the copy with equal checks the
// stacks are the same, so that its ratio to plain is the checks' alone, and the ratio of the original to it is that of
// stacks which begin small and grow.

import GoBinary
import Measurement
import Report
import Workloads

/// What was measured of one Go program.
package struct GoCost {
    /// The baseline of ratios that are not to plain.
    package static let equal = "equal"
    private static let original = "original"
    private static let plain = CodeVariant.plain.rawValue

    /// Ratios to plain: over layouts, each the median of its rounds, or over the rounds of the only layout.
    package let original: [Double]
    package let equal: [Double]
    /// Ratios of the original to the copy with equal checks.
    package let stacks: [Double]
    /// The original against itself.
    package let noise: Estimate
    /// Nanoseconds of plain, in each layout.
    package let plain: [Double]
    package let rounds: Int

    /// The name of a case of one layout.
    private static func name(_ kind: String, _ layout: Int) -> String { "\(kind) \(layout)" }

    /// Makes the copies and measures.
    ///
    /// - Throws: `ProcessError` where a program cannot be patched; ``MeasurementFailure`` where a copy does not do what
    ///   the original does; ``Interrupted``.
    package init(_ subject: GoSubject, claim: String, _ laboratory: Laboratory) throws {
        let programs = try PatchedPrograms()
        var cases: [MeasurementCase] = []
        for (layout, path) in subject.layouts.enumerated() {
            try laboratory.step("\(claim): \(subject.name): patching")
            let expected = try subject.job.run(path, laboratory)
            func add(_ kind: String, _ executable: String) {
                cases.append(
                    MeasurementCase(selfTimed: Self.name(kind, layout)) { count in
                        var time = 0.0
                        for _ in 0..<count {
                            let outcome = try subject.job.run(executable, laboratory)
                            guard outcome.isEqual(expected) else {
                                throw MeasurementFailure("\(subject.name), \(kind): its output is another")
                            }
                            time += outcome.time
                        }
                        return UInt64(time)
                    })
            }
            add(Self.original, path)
            for (kind, checks) in [(Self.plain, StripOptions.Checks.removed), (Self.equal, .equal)] {
                let options = StripOptions(initial: PatchedPrograms.initial, checks: checks)
                add(kind, try programs.copy(of: path, options))
            }
        }
        cases.append(cases[0].nullControl())
        var settings = laboratory.repetitions(1)
        rounds = subject.layouts.count > 1 ? (laboratory.isQuick ? 3 : 5) : (laboratory.isQuick ? 7 : 13)
        settings.rounds = rounds
        settings.warmUpRounds = laboratory.isQuick ? 0 : 1
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
        noise = try measured.ratio(of: cases[cases.count - 1].name, to: cases[0].name)
        plain = try subject.layouts.indices.map {
            try Statistics.median(measured.samples(of: Self.name(Self.plain, $0)).nanosecondsPerOperation)
        }
    }

    /// The records of `subject`.
    package func records(suite: String, _ subject: GoSubject, _ bootstrap: Bootstrap) throws -> [Record] {
        var shared = subject.parameters
        shared[.rounds] = .int(rounds)
        shared[.clock] = .clock(.processTime)
        let control = shared.merging([.nullControl: true]) { $1 }
        return [
            Record(
                suite: suite, case: subject.name, metric: .time, estimate: try bootstrap.median(of: plain),
                parameters: shared),
            .ratio(
                suite: suite, case: subject.name, baseline: Self.plain, estimate: try bootstrap.median(of: original),
                parameters: shared),
            .ratio(
                suite: suite, case: subject.name + CaseSuffix.equal, baseline: Self.plain,
                estimate: try bootstrap.median(of: equal), parameters: shared),
            .ratio(
                suite: suite, case: subject.name + CaseSuffix.stacks, baseline: Self.equal,
                estimate: try bootstrap.median(of: stacks), parameters: shared),
            .ratio(
                suite: suite, case: "\(subject.name)-itself", baseline: Self.original, estimate: noise,
                parameters: control),
        ]
    }
}
