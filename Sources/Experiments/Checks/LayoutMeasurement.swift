// One program in many layouts: the same functions in another order, which moves times by more than a check costs. Each
// layout is measured in a process of its own (`LayoutSampler`), so that a sample is what one link in one address space
// says, and intervals tell what another link and another start would show.
//
// In each process the variants take turns. Their functions are in the same order, so that a ratio compares code that
// differs in its prologues. Two controls take their turns with them: the same file loaded once more, elsewhere in the
// address space, and plain code in an order that no other process has.

import Faultline
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
    /// Plain code against the same file loaded twice, by layout: what comparing shows where there is no difference.
    package let again: [Double]
    /// Plain code in another order against that of this layout: what layout alone does. No order occurs twice, so that
    /// nothing cancels.
    package let placement: [Double]
    /// Of each process.
    package let rounds: Int
    /// What else the machine did in the worst case; nil where that is not known.
    package let load: MachineLoad?

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

    /// - Parameters:
    ///   - layouts: Seeds that follow each other, one for each process.
    ///   - rounds: Of each process.
    package init(
        inlining: CodeInlining = .standard, variants: [CodeVariant] = Self.variants, layouts: [UInt32], rounds: Int
    ) {
        (self.inlining, self.variants, self.layouts, self.rounds) = (inlining, variants, layouts, rounds)
    }

    /// Builds what is not in the cache and measures.
    ///
    /// - Throws: `WorkloadError` when code cannot be built; ``MeasurementFailure`` when it gives a wrong result;
    ///   ``Interrupted``.
    package func run(_ subject: CheckSubject, claim: String, _ laboratory: Laboratory) throws -> LayoutResult {
        try laboratory.step("\(claim): \(subject.name): building")
        // In this process first: what is missing is said of the program.
        for variant in variants {
            _ = try CodeLoader().load(
                subject.workload, variant: variant, layoutSeed: layouts[0], inlining: inlining)
        }
        let samples = try laboratory.samples(
            of: LayoutSampler(),
            [
                "subject": subject.name, "inlining": inlining.rawValue, "first": "\(layouts[0])",
                "variants": variants.map(\.rawValue).joined(separator: ","), "rounds": "\(rounds)",
            ], processes: layouts.count)
        guard let samples else { throw WorkloadError("\(subject.name) has no code to measure") }
        let plain = CodeVariant.plain.rawValue
        var ratios: [CodeVariant: [Double]] = [:]
        for variant in variants where variant != .plain {
            ratios[variant] = try samples.ratios(of: variant.rawValue, to: plain)
        }
        return LayoutResult(
            plain: try samples.times(of: plain), ratios: ratios,
            overPadded: variants.contains(.padded)
                ? try samples.ratios(of: CodeVariant.checked.rawValue, to: CodeVariant.padded.rawValue) : [],
            again: try samples.ratios(of: LayoutSampler.again, to: plain),
            placement: try samples.ratios(of: LayoutSampler.other, to: plain), rounds: samples.rounds,
            load: samples.load)
    }
}

/// One layout in a process of its own.
struct LayoutSampler: Sampler {
    let name = "layout"

    static let again = "again"
    static let other = "other layout"
    /// Seeds of the orders that are compared with those of the processes begin here.
    private static let firstOther: UInt32 = 100_000

    func prepare(_ options: ExperimentOptions, _ laboratory: Laboratory) throws -> SampledCases {
        guard let subject = CheckSubject.named(options.text("subject") ?? "") else {
            throw MeasurementFailure("there is no program '\(options.text("subject") ?? "")'")
        }
        let inlining = try options.choice("inlining", or: CodeInlining.standard)
        let variants = (options.text("variants") ?? "").split(separator: ",").compactMap {
            CodeVariant(rawValue: String($0))
        }
        let layout = UInt32(try options.number("first", or: 1) + options.number("process", or: 0))
        let prepared = try ShortRuns.prepare(subject.workload, .timed)
        let loader = CodeLoader()
        var cases = try variants.map { variant in
            CheckSubject.measuredCase(
                variant.rawValue, prepared,
                try loader.load(subject.workload, variant: variant, layoutSeed: layout, inlining: inlining))
        }
        // Other hooks, which plain code never calls, make the loader open a copy of the file.
        let elsewhere = StackCheckHooks(
            morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace)
        cases += [
            CheckSubject.measuredCase(
                Self.again, prepared,
                try loader.load(
                    subject.workload, variant: .plain, hooks: elsewhere, layoutSeed: layout, inlining: inlining)),
            CheckSubject.measuredCase(
                Self.other, prepared,
                try loader.load(
                    subject.workload, variant: .plain, layoutSeed: Self.firstOther + layout, inlining: inlining)),
        ]
        var settings = laboratory.repetitions(1)
        settings.rounds = try options.number("rounds", or: 5) * options.number("processes", or: 1)
        // Programs only compute, and take long enough that others would get the processor meanwhile.
        settings.clock = .processTime
        return SampledCases(cases, settings)
    }
}

extension LayoutResult {
    /// The records of one program.
    package func records(
        suite: String, subject: CheckSubject, parameters: [ParameterName: ParameterValue] = [:]
    ) throws -> [Record] {
        var shared = subject.parameters.merging(parameters) { $1 }
        shared[.layouts] = .int(plain.count)
        shared[.processes] = .int(plain.count)
        shared[.rounds] = .int(rounds)
        shared[.othersProcessors] = load.flatMap(ParameterValue.disturbance)
        var control = shared
        control[.nullControl] = true
        func ratio(
            _ suffix: String, to baseline: CodeVariant, _ ratios: [Double], _ own: [ParameterName: ParameterValue]
        ) throws -> Record {
            .ratio(
                suite: suite, case: subject.name + suffix, baseline: baseline.rawValue,
                estimate: try .median(of: ratios), parameters: own)
        }
        var records = [
            Record(
                suite: suite, case: subject.name, metric: .time, estimate: try .median(of: plain), parameters: shared)
        ]
        for (variant, suffix) in [(CodeVariant.checked, ""), (.padded, CaseSuffix.padded)] {
            if let ratios = ratios[variant] { records.append(try ratio(suffix, to: .plain, ratios, shared)) }
        }
        if !overPadded.isEmpty { records.append(try ratio("", to: .padded, overPadded, shared)) }
        records += [
            try ratio(CaseSuffix.again, to: .plain, again, control),
            try ratio(CaseSuffix.otherLayout, to: .plain, placement, control),
            .ratio(
                suite: suite, case: "\(subject.name)-slowest-layout", baseline: "fastest layout",
                estimate: Estimate(exactly: spread), parameters: shared),
        ]
        return records
    }
}
