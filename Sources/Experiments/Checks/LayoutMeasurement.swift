// One program in many layouts: the same functions in another order, which moves times by more than a check costs. A
// sample is what one layout says; intervals are taken by resampling layouts, so that they tell what another link would
// show.
//
// All variants and layouts take turns in one measurement. In each layout the variants have their functions in the same
// order, so that a ratio within it compares code that differs in its prologues.

import Measurement
import Report
import Workloads

/// What a program took in each layout.
package struct LayoutResult {
    /// Nanoseconds of a run without checks, the median of the rounds, by layout.
    package let plain: [Double]
    /// For each other variant, the median over the rounds of its ratio to plain code in the same layout, by layout.
    package let ratios: [CodeVariant: [Double]]
    /// Checked code against no-ops of the checks' length: without what their bytes move. Empty if nothing was padded.
    package let overPadded: [Double]
    /// Plain code in one layout against plain code in the next: what layout alone does.
    package let placement: [Double]
    /// Plain code against itself in the first layout, by round: what noise alone does.
    package let noise: Estimate
    package let rounds: Int

    /// The slowest layout of plain code against the fastest.
    var spread: Double { (plain.max() ?? 1) / (plain.min() ?? 1) }
}

package struct LayoutMeasurement {
    /// What layouts are compared in, plain code first.
    package static let variants = [CodeVariant.plain, .checked, .padded]

    package let inlining: CodeInlining
    package let variants: [CodeVariant]
    package let layouts: [UInt32]
    package let rounds: Int

    package init(
        inlining: CodeInlining = .standard, variants: [CodeVariant] = Self.variants, layouts: [UInt32], rounds: Int
    ) {
        (self.inlining, self.variants, self.layouts, self.rounds) = (inlining, variants, layouts, rounds)
    }

    /// Seeds of `count` layouts. 1 and up: the linker takes 0 for "another order in every link".
    package static func seeds(_ count: Int) -> [UInt32] { (1...UInt32(count)).map { $0 } }

    /// Builds what is not in the cache and measures.
    ///
    /// - Throws: `WorkloadError` when code cannot be built or gives a wrong result; ``Interrupted``.
    package func run(_ subject: CheckSubject, claim: String, _ laboratory: Laboratory) throws -> LayoutResult {
        let prepared = try ShortRuns.prepare(subject.workload, .timed)
        let loader = CodeLoader()
        var cases: [MeasurementCase] = []
        for layout in layouts {
            try laboratory.step("\(claim): \(subject.name): linking layout \(layout)")
            for variant in variants {
                let code = try loader.load(
                    subject.workload, variant: variant, layoutSeed: layout, inlining: inlining)
                cases.append(CheckSubject.measuredCase(Self.name(variant, layout), prepared, code))
            }
        }
        cases.append(cases[0].nullControl())
        var settings = laboratory.repetitions(1)
        settings.rounds = rounds
        settings.warmUpRounds = 1
        // Programs only compute, and take long enough that others would get the processor meanwhile.
        settings.clock = .processTime
        return try result(
            laboratory.measure("\(claim): \(subject.name)", cases, settings), control: cases[cases.count - 1].name)
    }

    private static func name(_ variant: CodeVariant, _ layout: UInt32) -> String { "\(variant) \(layout)" }

    private func result(_ measured: MeasurementResult, control: String) throws -> LayoutResult {
        func ratio(_ name: String, _ baseline: String) throws -> Double {
            try Statistics.median(measured.ratios(of: name, to: baseline))
        }
        var ratios: [CodeVariant: [Double]] = [:]
        for variant in variants where variant != .plain {
            ratios[variant] = try layouts.map { try ratio(Self.name(variant, $0), Self.name(.plain, $0)) }
        }
        let next = layouts.dropFirst() + layouts.prefix(1)
        return LayoutResult(
            plain: try layouts.map {
                try Statistics.median(measured.samples(of: Self.name(.plain, $0)).nanosecondsPerOperation)
            },
            ratios: ratios,
            overPadded: variants.contains(.padded)
                ? try layouts.map { try ratio(Self.name(.checked, $0), Self.name(.padded, $0)) } : [],
            placement: try zip(layouts, next).map { try ratio(Self.name(.plain, $0), Self.name(.plain, $1)) },
            noise: try measured.ratio(of: control, to: Self.name(.plain, layouts[0])), rounds: rounds)
    }
}

extension LayoutResult {
    /// The records of one program.
    package func records(
        suite: String, subject: CheckSubject, bootstrap: Bootstrap, parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> [Record] {
        var shared = subject.parameters.merging(parameters) { $1 }
        shared[.layouts] = .int(plain.count)
        shared[.rounds] = .int(rounds)
        var control = shared
        control[.nullControl] = true
        var records = [
            Record(
                suite: suite, case: subject.name, metric: .time, estimate: try bootstrap.median(of: plain),
                parameters: shared)
        ]
        for (variant, name) in [(CodeVariant.checked, subject.name), (.padded, subject.name + CaseSuffix.padded)] {
            guard let ratios = ratios[variant] else { continue }
            records.append(
                .ratio(
                    suite: suite, case: name, baseline: CodeVariant.plain.rawValue,
                    estimate: try bootstrap.median(of: ratios),
                    parameters: shared))
        }
        if !overPadded.isEmpty {
            records.append(
                .ratio(
                    suite: suite, case: subject.name, baseline: CodeVariant.padded.rawValue,
                    estimate: try bootstrap.median(of: overPadded), parameters: shared))
        }
        records.append(
            .ratio(
                suite: suite, case: subject.name + CaseSuffix.otherLayout, baseline: CodeVariant.plain.rawValue,
                estimate: try bootstrap.median(of: placement), parameters: control))
        records.append(
            .ratio(
                suite: suite, case: "\(subject.name)-same-layout", baseline: CodeVariant.plain.rawValue,
                estimate: noise,
                parameters: control))
        records.append(
            .ratio(
                suite: suite, case: "\(subject.name)-slowest-layout", baseline: "fastest layout",
                estimate: Estimate(exactly: spread), parameters: shared))
        return records
    }
}
