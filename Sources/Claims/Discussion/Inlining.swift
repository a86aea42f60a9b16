// "Inlining amortizes the cost of the checks."
//
// Time decides: call-heavy programs gain less without checks where they were inlined as usual than where nothing was.
// Counted instructions, and calls of functions of every size, are beside it. Whether 3 % and more is an exaggeration
// says `check-cost`.

import Experiments
import Glibc
import Measurement
import Peers
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
    static let inliningSaves = Figure("cost of checks without inlining, to that with it", .ratio)
    static let inliningSavesInGo = Figure("the same of kernels in Go", .ratio)
    static let timeOfSmallFunctions = Figure("time of small functions, with checks to without", .ratio)

    static func gainWithoutChecks(_ setting: CodeInlining) -> Figure {
        Figure("gain without checks, \(setting == .standard ? "inlined as usual" : "inlining \(setting)")", .ratio)
    }
}

public struct Inlining: Claim {
    public init() {}

    public let identifier = "inlining"
    public let saidBy = "Rob Pike, golang-nuts, November 2025; Dave Cheney, Five things that make Go fast, 2014"
    public let statement = "Inlining amortizes the cost of stack checks."
    public let claimed = [
        // Without a number: what is saved without inlining is more than what is saved with it.
        ClaimedFigure(.inliningSaves, low: 1, high: nil, isOurReading: true)
    ]
    public let experiments = [
        "a function of 1 to 1,000 instructions called in a loop, with checks and without, in random layouts",
        "call-heavy programs compiled without inlining, as usual, and with four times the usual threshold, in random "
            + "layouts; their executed instructions",
        "kernels of the newest Go without inlining (-l) and as usual: equal checks against none, in random layouts",
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
        var records = try sweep(laboratory)
        let names = laboratory.isQuick ? Self.callHeavy : Self.callHeavy.union(Self.forFullRuns)
        let subjects = CheckSubject.all(laboratory).filter { names.contains($0.name) }
        let counts = InstructionCounts(laboratory)
        for setting in Self.settings {
            records += try programs(subjects, setting, counts, laboratory)
        }
        return try records + go(laboratory)
    }

    /// The case of all kernels in Go together, and theirs.
    static let goKernels = "go"
    /// What they cost without inlining, to what they cost with it.
    static let goNotInlined = "go-not-inlined"
    private static let kernels = [["fib", "32"], ["trees", "15"], ["interface", "20000000", "10"]]

    /// What checks cost kernels of the newest Go. The kernels are what they are and no choice among others, so that a
    /// layout is the sample: the mean over them in each.
    private func go(_ laboratory: Laboratory) throws -> [Record] {
        guard let toolchain = laboratory.go.last else { return [] }
        var records: [Record] = []
        var means: [[Double]] = []
        var nullMeans: [[Double]] = []
        for (setting, flags) in [(CodeInlining.off, ["-l"]), (.standard, [])] {
            let shared: [ParameterName: ParameterValue] = [
                .inlining: .string(setting.rawValue), .peer: .string(toolchain.version),
            ]
            let measured = try laboratory.unlessMissing("kernels in Go are not measured") {
                try GoCallCost.measure(
                    Self.kernels, toolchain,
                    .init(layouts: laboratory.processes, compilerFlags: flags, hasNullControl: true),
                    claim: identifier, laboratory)
            }
            guard let costs = measured else { return [] }
            for (kernel, cost) in zip(Self.kernels, costs) {
                records.append(
                    ratio(
                        "\(kernel[0]) \(toolchain.version)", to: .plain, try Estimate.median(of: cost.ratios), shared))
            }
            func mean(_ ratios: (GoCallCost) -> [Double]) -> [Double] {
                ratios(costs[0]).indices.map { layout in
                    exp(costs.reduce(0) { $0 + log(ratios($1)[layout]) } / Double(costs.count))
                }
            }
            let each = mean(\.ratios)
            means.append(each)
            nullMeans.append(mean(\.nullRatios))
            records.append(
                ratio(
                    Self.goKernels, to: .plain, try Estimate.median(of: each),
                    shared.merging([.programs: .int(costs.count)]) { $1 }))
        }
        func notInlined(
            _ means: [[Double]], _ parameters: [ParameterName: ParameterValue] = [:]
        ) throws -> Record {
            ratio(
                Self.goNotInlined, to: Self.goKernels,
                try Estimate.median(of: zip(means[0], means[1]).map { $0 / $1 }),
                parameters.merging([.peer: .string(toolchain.version)]) { $1 })
        }
        return try records + [notInlined(means), notInlined(nullMeans, [.nullControl: true])]
    }

    /// Calls of functions of each size, and the means over the small and over the large ones.
    private func sweep(_ laboratory: Laboratory) throws -> [Record] {
        let measurement = LayoutMeasurement(
            layouts: laboratory.layouts(laboratory.isQuick ? 7 : 64), rounds: laboratory.isQuick ? 2 : 7)
        var records: [Record] = []
        var results: [(size: Int, result: LayoutResult)] = []
        for size in CallSizeWorkload.sizes {
            let subject = CheckSubject(workload: CallSizeWorkload(instructions: size), kind: .kernel)
            do {
                let result = try measurement.run(subject, claim: identifier, laboratory)
                results.append((size, result))
                records += try result.records(
                    suite: identifier, subject: subject,
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
                        name, to: baseline, try Estimate.geometricMean(over: series),
                        [.sizes: .int(group.count)]))
            }
        }
        return records
    }

    private func programs(
        _ subjects: [CheckSubject], _ setting: CodeInlining, _ counts: InstructionCounts?,
        _ laboratory: Laboratory
    ) throws -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.inlining: .string(setting.rawValue)]
        let measurement = LayoutMeasurement(
            inlining: setting, variants: [.plain, .checked],
            layouts: laboratory.layouts(laboratory.isQuick ? 4 : 12), rounds: laboratory.isQuick ? 3 : 15)
        var records: [Record] = []
        var ratios: [[Double]] = []
        var executed: [[Double]] = []
        for subject in subjects {
            do {
                let result = try measurement.run(subject, claim: "\(identifier) \(setting)", laboratory)
                records += try result.records(
                    suite: identifier, subject: subject, parameters: shared)
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
                    name, to: .plain, try Estimate.geometricMean(over: series),
                    shared.merging([.programs: .int(series.count)]) { $1 }))
        }
        return records
    }

    public func judge(_ evidence: Evidence) throws(MissingEvidence) -> Judgement {
        let small = try evidence.ratio(Self.small, to: .plain)
        let large = try evidence.ratio(Self.large, to: .plain)
        var measured: [MeasuredFigure] = []
        var statements: [Statement] = []
        var text: [String] = []
        for (name, title) in [(Self.programs, "call-heavy programs"), (Self.goKernels, "kernels in Go")] {
            guard name == Self.programs || !evidence.all(name, metric: .ratio).isEmpty else { continue }
            let (off, standard) = (try ratio(name, .off, evidence), try ratio(name, .standard, evidence))
            let isGo = name == Self.goKernels
            let saved = saved(evidence, isGo: isGo)
            let null = self.saved(evidence, isGo: isGo, suffix: CaseSuffix.otherLayout)
            if let saved {
                measured.append(
                    MeasuredFigure(isGo ? .inliningSavesInGo : .inliningSaves, saved))
            }
            let relation = saved?.relation(to: claimed(.inliningSaves)) ?? .undecided
            let each =
                saved.map {
                    ": \(isGo ? "layout by layout" : "program by program") \($0.text(decimals: 3)) times as much"
                }
                ?? ", and fewer than two programs were measured both ways"
            let control = isGo ? "programs and themselves have" : "plain code in other layouts has"
            let beside = null.map { ", where \(control) \($0.text(decimals: 3))" } ?? ""
            statements.append(
                Statement(
                    "\(title) gain \(off.gain.percent) without checks where nothing is inlined, "
                        + "\(standard.gain.percent) inlined as usual\(each)\(beside)",
                    holds: relation == .undecided ? nil : relation == .within,
                    isWithinNull: null != nil && saved?.isDistinguishable(from: 1, null: null) == false))
        }
        for setting in Self.settings {
            guard let time = try? ratio(Self.programs, setting, evidence) else { continue }
            measured.append(MeasuredFigure(.gainWithoutChecks(setting), time.gain))
            guard let executed = try? ratio(Self.programs + CaseSuffix.instructions, setting, evidence) else {
                continue
            }
            text.append("\(Estimate.percent(executed.gain.median)) % with inlining \(setting)")
        }
        measured += [
            MeasuredFigure(.timeOfSmallFunctions, small),
            MeasuredFigure(Figure("time of large functions, with checks to without", .ratio), large),
        ]
        let reason =
            Statement.text(statements)
            + (text.isEmpty ? "" : "; of executed instructions checks are \(text.joined(separator: ", "))")
            + "; calls of functions with at most \(Self.maximumOfSmall) instructions of work gain "
            + "\(small.gain.percent), from "
            + "\(Self.minimumOfLarge) on \(large.gain.percent)"
        return Judgement(Statement.conjunction(statements), measured: measured, reason: reason)
    }

    /// How much checks cost without inlining, in what they cost with it: of each program that was measured both ways,
    /// and then the mean over programs, because the programs of both sides are the same. Nil of fewer than two.
    private func saved(_ evidence: Evidence, isGo: Bool, suffix: String = "") -> Estimate? {
        if isGo {
            return evidence.all(Self.goNotInlined, metric: .ratio)
                .first { ($0.parameters[.nullControl] == true) != suffix.isEmpty }?.estimate
        }
        func ratios(_ setting: CodeInlining) -> [String: Double] {
            let own = evidence.all(
                metric: .ratio,
                where: [.inlining: .string(setting.rawValue), .baseline: .string(CodeVariant.plain.rawValue)])
            let those = own.filter { record in
                guard record.goVersion == nil, record.parameters[.programs] == nil else { return false }
                guard suffix.isEmpty else { return record.name.hasSuffix(suffix) }
                return record.parameters[.nullControl] == nil && !record.name.hasSuffix(CaseSuffix.instructions)
            }
            return Dictionary(those.map { ($0.name, $0.median) }) { first, _ in first }
        }
        let (off, standard) = (ratios(.off), ratios(.standard))
        let each = off.keys.sorted().compactMap { name in standard[name].map { [off[name]! / $0] } }
        return each.count < 2 ? nil : try? Estimate.geometricMean(over: each)
    }

    private func ratio(
        _ name: String, _ setting: CodeInlining, _ evidence: Evidence
    ) throws(MissingEvidence) -> Estimate {
        try evidence.estimate(
            name, metric: .ratio,
            where: [.inlining: .string(setting.rawValue), .baseline: .string(CodeVariant.plain.rawValue)])
    }
}
