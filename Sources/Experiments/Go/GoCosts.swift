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

    private let costs: [(subject: GoSubject, cost: GoCost)]

    /// Measures every Go program that can be measured.
    package init(claim: String, _ laboratory: Laboratory) throws {
        let cache = try ContentCache(preferring: CodeEnvironment().cacheFolder)
        // The folder of lists and objects goes when all is measured; what is thrown in it is thrown again outside.
        let outcome = try cache.withWorkFolder { folder in
            Result { try Self.measured(in: folder, claim: claim, laboratory) }
        }
        costs = try outcome.get()
    }

    private static func measured(
        in folder: String, claim: String, _ laboratory: Laboratory
    ) throws -> [(subject: GoSubject, cost: GoCost)] {
        var costs: [(GoSubject, GoCost)] = []
        for subject in try GoSubject.all(in: folder, claim: claim, laboratory) {
            do {
                costs.append((subject, try GoCost(subject, claim: claim, laboratory)))
            } catch let error as ProcessError {
                laboratory.missing("\(subject.name) is not measured: \(error)")
            }
        }
        return costs
    }

    /// The ratios to plain of the real programs, or of the kernels.
    package func ratios(isReal: Bool, _ part: (GoCost) -> [Double]) -> [[Double]] {
        costs.filter { $0.subject.kind.isReal == isReal }.map { part($0.cost) }
    }

    /// The records of each and of all together.
    package func records(suite: String, _ bootstrap: Bootstrap, _ laboratory: Laboratory) throws -> [Record] {
        try costs.flatMap { try $0.cost.records(suite: suite, $0.subject, bootstrap) } + means(suite: suite, bootstrap)
            + costs.flatMap { try Self.counted($0.subject, suite: suite, laboratory) }
    }

    private func means(suite: String, _ bootstrap: Bootstrap) throws -> [Record] {
        var records: [Record] = []
        let plain = CodeVariant.plain.rawValue
        for (name, isReal) in [(Self.programs, true), (Self.kernels, false)] {
            let series = [
                (name, plain, ratios(isReal: isReal, \.original)),
                (name + CaseSuffix.equal, plain, ratios(isReal: isReal, \.equal)),
                (name + CaseSuffix.stacks, GoCost.equal, ratios(isReal: isReal, \.stacks)),
            ]
            for (name, baseline, ratios) in series where !ratios.isEmpty {
                records.append(
                    .ratio(
                        suite: suite, case: name, baseline: baseline,
                        estimate: try bootstrap.geometricMean(ofRatios: ratios, rounds: .independent),
                        parameters: [.programs: .int(ratios.count)]))
            }
        }
        return records
    }

    /// What checks are of the instructions of a program.
    private static func counted(
        _ subject: GoSubject, suite: String, _ laboratory: Laboratory
    ) throws -> [Record] {
        guard let job = subject.counted else { return [] }
        try laboratory.step("\(suite): \(subject.name): counting instructions")
        do throws(ProcessError) {
            let count = try GoCheckExecution.count(of: subject.layouts[0], job, laboratory)
            guard count.passes > 0 else { throw ProcessError("valgrind saw no check pass") }
            var shared = subject.parameters
            shared[.work] = .string(job.work)
            shared[.countedBy] = .string(InstructionCounting.valgrind.rawValue)
            let plain = count.total - count.checks
            return [
                .ratio(
                    suite: suite, case: subject.name + CaseSuffix.instructions, baseline: CodeVariant.plain.rawValue,
                    estimate: Estimate(exactly: count.total / plain), parameters: shared),
                Record(
                    suite: suite, case: subject.name, metric: .instructionsPerCheck,
                    exactly: plain / count.passes, parameters: shared),
            ]
        } catch {
            laboratory.missing("instructions of \(subject.name) are not counted: \(error)")
            return []
        }
    }
}
