// What the checks of all Go programs cost together, and what part of their instructions checks are.

import Measurement
import Processes
import Report
import Workloads

/// What was measured of all of them.
package struct GoCosts {
    /// The cases of geometric means over real programs in Go, and over kernels in Go.
    package static let programs = "go"
    package static let kernels = "go-kernels"

    private typealias Cost = (subject: GoSubject, cost: GoCost, execution: GoCheckExecution?)
    private let costs: [Cost]

    /// Measures every Go program that can be measured, once for all claims of a run.
    package static func measured(_ laboratory: Laboratory, claim: String) throws -> GoCosts {
        try laboratory.remembering("what checks of Go programs cost") { try GoCosts(claim: claim, laboratory) }
    }

    private init(claim: String, _ laboratory: Laboratory) throws {
        costs = try GoSubject.withAll(claim: claim, laboratory) { subjects in
            try subjects.compactMap { subject in
                do {
                    return (
                        subject, try GoCost(subject, claim: claim, laboratory),
                        try Self.execution(of: subject, claim: claim, laboratory)
                    )
                } catch let error as ProcessError {
                    laboratory.missing("\(subject.name) is not measured: \(error)")
                    return nil
                }
            }
        }
    }

    /// The newest version of Go that was measured: what a claim about Go is about. Means are over its programs alone.
    package var newest: String? { costs.last?.subject.version }

    /// The ratios of the real programs of the newest version, or of its kernels, by the suffix of their case.
    package func ratios(isReal: Bool, _ suffix: String) -> [[Double]] {
        costs.filter { $0.subject.version == newest && $0.subject.kind.isReal == isReal }.compactMap { _, cost, _ in
            cost.series.first { $0.suffix == suffix }?.ratios
        }
    }

    /// For each real program of the newest version that has both, the products of two ratios, by layout: what the first
    /// is to the baseline of the second.
    package func products(_ first: String, _ second: String) -> [[Double]] {
        costs.filter { $0.subject.version == newest && $0.subject.kind.isReal }.compactMap { _, cost, _ in
            func ratios(_ suffix: String) -> [Double]? { cost.series.first { $0.suffix == suffix }?.ratios }
            guard let first = ratios(first), let second = ratios(second) else { return nil }
            return zip(first, second).map { $0 * $1 }
        }
    }

    /// The records of each and of all together.
    package func records(suite: String) throws -> [Record] {
        try costs.flatMap { try $0.cost.records(suite: suite, $0.subject) } + means(suite: suite)
            + costs.flatMap { subject, _, execution in
                execution.map { Self.records(of: $0, subject, suite: suite) } ?? []
            }
    }

    /// How often the real programs of the newest version grow their stacks, where that was counted.
    package func growths(suite: String) -> [Record] {
        costs.filter { $0.subject.version == newest && $0.subject.kind.isReal }.flatMap { subject, cost, _ in
            cost.growthRecords(suite: suite, subject)
        }
    }

    /// Geometric means over the real programs of the newest version and over its kernels.
    package func means(suite: String) throws -> [Record] {
        guard let newest else { return [] }
        var records: [Record] = []
        for (name, isReal) in [(Self.programs, true), (Self.kernels, false)] {
            let group = costs.filter { $0.subject.version == newest && $0.subject.kind.isReal == isReal }
            for (suffix, baseline, _) in group.first?.cost.series ?? [] {
                let ratios = ratios(isReal: isReal, suffix)
                var parameters: [ParameterName: ParameterValue] = [
                    .programs: .int(ratios.count), .peer: .string(newest), .language: "go",
                ]
                if GoCost.controls.contains(suffix) { parameters[.nullControl] = true }
                records.append(
                    .ratio(
                        suite: suite, case: name + suffix, baseline: baseline,
                        estimate: try .geometricMean(over: ratios), parameters: parameters))
            }
        }
        return records
    }

    /// What checks are of the instructions of a program; nil where they are not counted, which is said where they
    /// should be.
    private static func execution(
        of subject: GoSubject, claim: String, _ laboratory: Laboratory
    ) throws -> GoCheckExecution? {
        guard let job = subject.counted else { return nil }
        try laboratory.step("\(claim): \(subject.name): counting instructions")
        do throws(ProcessError) {
            let count = try GoCheckExecution.count(of: subject.layouts[0], job, laboratory)
            guard count.passes > 0 else { throw ProcessError("valgrind saw no check pass") }
            return count
        } catch {
            laboratory.missing("instructions of \(subject.name) are not counted: \(error)")
            return nil
        }
    }

    private static func records(of count: GoCheckExecution, _ subject: GoSubject, suite: String) -> [Record] {
        var shared = subject.parameters
        shared[.work] = subject.counted.map { .string($0.work) }
        shared[.countedBy] = .string(InstructionCounting.valgrind.rawValue)
        let plain = count.total - count.checks
        return [
            .ratio(
                suite: suite, case: subject.name + CaseSuffix.instructions, baseline: CodeVariant.plain.rawValue,
                estimate: Estimate(exactly: count.total / plain), parameters: shared),
            Record(
                suite: suite, case: subject.name, metric: .instructionsPerCheck, exactly: plain / count.passes,
                parameters: shared),
        ]
    }
}
