// "The cost of the checks is measurable but exaggerated; inlining amortizes it."
//
// Measurable: a check costs something where a call does little. Exaggerated: call-heavy programs, inlined as usual,
// lose less than the 3 % that the proposal begins with. Amortized: the cost falls with the size of functions and with
// inlining.

import Experiments
import Measurement
import Report
import Workloads

extension ParameterName {
    /// Of work in a call.
    static let instructions = ParameterName("instructions")
    /// How many sizes of functions are in a mean.
    static let sizes = ParameterName("sizes")
    /// A setting of the compiler.
    static let inlining = ParameterName("inlining")
}

extension Figure {
    static let timeOfSmallFunctions = Figure("time of small functions, with checks to without", .ratio)

    static func gainWithoutChecks(_ setting: CodeInlining) -> Figure {
        Figure("gain without checks, \(setting == .standard ? "inlined as usual" : "inlining \(setting)")", .ratio)
    }
}

public struct Inlining: Claim {
    public init() {}

    public let identifier = "inlining"
    public let saidBy = "Rob Pike, golang-nuts, November 2025"
    public let statement = "The cost of stack checks is measurable but exaggerated; inlining amortizes it."
    public let claimed = [
        // More than nothing.
        ClaimedFigure(.timeOfSmallFunctions, low: 1, high: nil),
        // Less than what the proposal names, which is what is called exaggerated.
        ClaimedFigure(.gainWithoutChecks(.standard), low: nil, high: 0.03),
    ]
    public let experiments = [
        "a function of 1 to 1,000 instructions called in a loop, with checks and without, in random layouts",
        "call-heavy programs compiled without inlining, as usual, and with four times the usual threshold, in random "
            + "layouts; their executed instructions",
    ]

    public let plotted = PlottedNames(
        [.ratio], [.instructions, .baseline, .inlining],
        cases: [Self.programs, CaseSuffix.padded, CaseSuffix.otherLayout, CaseSuffix.instructions],
        values: [CodeVariant.plain.rawValue] + Self.settings.map(\.rawValue))

    /// The case of all programs together.
    static let programs = "programs"
    /// The cases of all small and of all large functions, and how much work a call of them does, in instructions.
    static let small = "small functions"
    static let large = "large functions"
    static let maximumOfSmall = 10
    static let minimumOfLarge = 300
    /// What programs are compiled with, from none to as much as there is.
    static let settings = [CodeInlining.off, .standard, .aggressive]
    /// Programs whose functions call smaller ones that can be inlined. The large ones are for a full run.
    private static let callHeavy: Set = ["lua", "cmark", "trees"]
    private static let forFullRuns: Set = ["quickjs", "zstd"]

    public func measure(_ laboratory: Laboratory) throws -> [Record] {
        let bootstrap = Bootstrap(resamples: laboratory.batches.resamples, seed: laboratory.seed)
        var records = try sweep(bootstrap, laboratory)
        let names = laboratory.isQuick ? Self.callHeavy : Self.callHeavy.union(Self.forFullRuns)
        let subjects = CheckSubject.all(laboratory).filter { names.contains($0.name) }
        let counts = InstructionCounts(laboratory)
        for setting in Self.settings {
            records += try programs(subjects, setting, counts, bootstrap, laboratory)
        }
        return records
    }

    /// Calls of functions of each size, and the means over the small and over the large ones.
    private func sweep(_ bootstrap: Bootstrap, _ laboratory: Laboratory) throws -> [Record] {
        let measurement = LayoutMeasurement(
            layouts: LayoutMeasurement.seeds(laboratory.isQuick ? 16 : 64), rounds: laboratory.isQuick ? 3 : 7)
        var records: [Record] = []
        var results: [(size: Int, result: LayoutResult)] = []
        for size in CallSizeWorkload.sizes {
            let subject = CheckSubject(workload: CallSizeWorkload(instructions: size), kind: .kernel)
            do {
                let result = try measurement.run(subject, claim: identifier, laboratory)
                results.append((size, result))
                records += try result.records(
                    suite: identifier, subject: subject, bootstrap: bootstrap,
                    parameters: [.instructions: .int(size)])
            } catch let error as WorkloadError {
                laboratory.missing("calls of \(size) instructions are not measured: \(error)")
            }
        }
        for (name, sizes) in [(Self.small, 0...Self.maximumOfSmall), (Self.large, Self.minimumOfLarge...Int.max)] {
            let group = results.filter { sizes.contains($0.size) }.map(\.result)
            guard !group.isEmpty else { continue }
            for (baseline, series) in [
                (CodeVariant.plain, group.compactMap { $0.ratios[.checked] }), (.padded, group.map(\.overPadded)),
            ] {
                records.append(
                    ratio(
                        name, to: baseline, try bootstrap.geometricMean(ofRatios: series, rounds: .independent),
                        [.sizes: .int(group.count)]))
            }
        }
        return records
    }

    private func programs(
        _ subjects: [CheckSubject], _ setting: CodeInlining, _ counts: InstructionCounts?, _ bootstrap: Bootstrap,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.inlining: .string(setting.rawValue)]
        let measurement = LayoutMeasurement(
            inlining: setting, variants: [.plain, .checked],
            layouts: LayoutMeasurement.seeds(laboratory.isQuick ? 4 : 12), rounds: laboratory.isQuick ? 3 : 15)
        var records: [Record] = []
        var ratios: [[Double]] = []
        var executed: [[Double]] = []
        for subject in subjects {
            do {
                let result = try measurement.run(subject, claim: "\(identifier) \(setting)", laboratory)
                records += try result.records(
                    suite: identifier, subject: subject, bootstrap: bootstrap, parameters: shared)
                if let own = result.ratios[.checked] { ratios.append(own) }
                guard let counts else { continue }
                let pair = try counts.pair(subject, inlining: setting, claim: identifier, laboratory)
                let ratio = pair.checked.instructions / pair.plain.instructions
                executed.append([ratio])
                records.append(
                    self.ratio(
                        subject.name + CaseSuffix.instructions, to: .plain, Estimate(exactly: ratio),
                        shared.merging(subject.parameters) { $1 }))
            } catch let error as WorkloadError {
                laboratory.missing("\(subject.name) is not measured with inlining '\(setting)': \(error)")
            }
        }
        for (name, series) in [(Self.programs, ratios), (Self.programs + CaseSuffix.instructions, executed)]
        where !series.isEmpty {
            records.append(
                ratio(
                    name, to: .plain, try bootstrap.geometricMean(ofRatios: series, rounds: .independent),
                    shared.merging([.programs: .int(series.count)]) { $1 }))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let small = try evidence.ratio(Self.small, to: .plain)
        let large = try evidence.ratio(Self.large, to: .plain)
        let standard = try ratio(Self.programs, .standard, evidence)
        var measured = [
            MeasuredFigure(.timeOfSmallFunctions, small),
            MeasuredFigure(.gainWithoutChecks(.standard), standard.gain),
            MeasuredFigure(Figure("time of large functions, with checks to without", .ratio), large),
        ]
        let statements = [
            measurable(small, evidence), exaggerated(standard.gain), fallsWithSize(small, large, evidence),
            try fallsWithInlining(evidence, standard, &measured),
        ]
        return Judgement(Statement.verdict(statements), measured: measured, reason: Statement.text(statements))
    }

    private func measurable(_ small: Estimate, _ evidence: Evidence) -> Statement {
        let relation = small.relation(to: claimed(.timeOfSmallFunctions))
        var text =
            "a measurable cost, \(small.gain.percent) of functions "
            + "with at most \(Self.maximumOfSmall) instructions of work"
        if let padded = try? evidence.ratio(Self.small, to: .padded) {
            text += " (\(padded.gain.percent) against no-ops in their place)"
        }
        return Statement(text, holds: relation == .undecided ? nil : relation == .within)
    }

    /// Whether large functions lose less than small ones, and from which size on it is below one in a hundred.
    private func fallsWithSize(_ small: Estimate, _ large: Estimate, _ evidence: Evidence) -> Statement {
        var text =
            "a cost that falls with the size of functions, to \(large.gain.percent) from \(Self.minimumOfLarge) on"
        let sizes = evidence.all(metric: .ratio, where: [.baseline: .string(CodeVariant.plain.rawValue)])
            .compactMap { record -> (size: Int, ratio: Estimate)? in
                guard let size = record.parameters[.instructions]?.whole,
                    record.name == CallSizeWorkload(instructions: size).name
                else { return nil }
                return (size, record.estimate)
            }.sorted { $0.size > $1.size }
        if let first = sizes.prefix(while: { $0.ratio.high < 1.01 }).last {
            text += ", and below 1 % from \(first.size) on"
        }
        let isApart = small.low > large.high || small.high < large.low
        return Statement(text, holds: isApart ? small.low > large.high : nil)
    }

    private func exaggerated(_ gain: Estimate) -> Statement {
        let relation = gain.relation(to: claimed(.gainWithoutChecks(.standard)))
        return Statement(
            "an exaggeration, \(gain.percent) of call-heavy programs inlined as usual instead of 3 % and more",
            holds: relation == .undecided ? nil : relation == .within)
    }

    /// Instructions decide where they were counted: they have no noise, and inlining moves code as no layout does.
    private func fallsWithInlining(
        _ evidence: Evidence, _ standard: Estimate, _ measured: inout [MeasuredFigure]
    ) throws(MissingEvidence) -> Statement {
        var times: [String] = []
        var shares: [Double] = []
        for setting in Self.settings {
            let time = setting == .standard ? standard : try ratio(Self.programs, setting, evidence)
            times.append("\(time.gain.percent) with inlining \(setting)")
            if setting != .standard {
                measured.append(MeasuredFigure(.gainWithoutChecks(setting), time.gain))
            }
            if let executed = try? ratio(Self.programs + CaseSuffix.instructions, setting, evidence) {
                shares.append(executed.gain.median)
            }
        }
        let text = "a cost that falls with inlining, \(times.joined(separator: ", "))"
        guard shares.count == Self.settings.count else {
            let off = try ratio(Self.programs, .off, evidence)
            let isApart = off.low > standard.high || off.high < standard.low
            return Statement(text, holds: isApart ? off.low > standard.high : nil)
        }
        return Statement(
            "\(text); checks are \(shares.map { "\(Estimate.percent($0)) %" }.joined(separator: ", ")) of executed "
                + "instructions",
            holds: shares[0] > shares[1] && shares[1] >= shares[2])
    }

    private func ratio(
        _ name: String, _ setting: CodeInlining, _ evidence: Evidence
    ) throws(MissingEvidence) -> Estimate {
        try evidence.estimate(
            name, metric: .ratio,
            where: [.inlining: .string(setting.rawValue), .baseline: .string(CodeVariant.plain.rawValue)])
    }
}
