// What prologue checks that never fail cost: the same program three times, with checks, without, and with no-ops of
// their length. All three run on the same stack, whose checks always pass.

import Experiments
import Faultline
import Measurement
import Report
import Workloads

public struct ChecksSuite: BenchSuite {
    public let name = "checks"
    public let summary = "each workload with prologue checks, without, and with no-ops of the same length"

    /// Large enough for every workload; only what is touched takes memory.
    private static let stack = StackConfiguration(strategy: .checkFixed, maximum: 256 << 20)

    /// Sizes that make one run take some milliseconds; workloads that are not listed use their own default.
    private static let sizes = [
        "ackermann": "8", "fib": "31", "tak": "8", "nqueens": "12", "trees": "13", "closures": "25", "sort": "40000",
    ]

    private struct Subject {
        let workload: any Workload
        let prepared: PreparedWorkload
        let codes: [CodeVariant: LoadedCode]
    }

    public func records(_ laboratory: Laboratory) throws -> [Record] {
        let subjects: [Subject]
        do throws(WorkloadError) {
            subjects = try Workloads.all.map { workload throws(WorkloadError) in
                laboratory.preparing(name, "building \(workload.name)")
                return try subject(workload)
            }
        } catch {
            laboratory.note(
                "checks is left out, because its code is built at run time by the Swift toolchain's clang: \(error)")
            return []
        }
        var records: [Record] = []
        var ratios: [[Double]] = []
        var paddedRatios: [[Double]] = []
        for subject in subjects {
            let workload = subject.workload.name
            let result = try laboratory.measure(
                "\(name): \(workload)", cases(of: subject), settings(laboratory))
            records += try Record.records(
                of: result, suite: name, comparisons: [(workload, "plain"), ("\(workload)-padded", "plain")],
                parameters: parameters(of: subject)
            ).map { record in
                // `plain` is one case of many measurements: as a time it bears its workload's name.
                var record = record
                if record.name == "plain" { record.name = "\(workload)-plain" }
                return record
            }
            ratios.append(try result.ratios(of: workload, to: "plain"))
            paddedRatios.append(try result.ratios(of: "\(workload)-padded", to: "plain"))
        }
        // Each workload was measured by itself, so that the rounds of one say nothing of another's.
        for (name, series) in [("geomean", ratios), ("geomean-padded", paddedRatios)] {
            records.append(
                .ratio(
                    suite: self.name, case: name, baseline: "plain",
                    estimate: try Estimate.geometricMean(over: series),
                    parameters: [ParameterName("workloads"): .int(series.count)]))
        }
        return records
    }

    private func settings(_ laboratory: Laboratory) -> InterleavedMeasurement.Settings {
        var settings = laboratory.repetitions(1, rounds: 61)
        if laboratory.isQuick { settings.rounds = 15 }
        settings.warmUpRounds = 2
        // Workloads only compute, and take long enough that others would get the processor meanwhile.
        settings.clock = .processTime
        return settings
    }

    private func subject(_ workload: any Workload) throws(WorkloadError) -> Subject {
        let loader = CodeLoader()
        var codes: [CodeVariant: LoadedCode] = [:]
        for variant in [CodeVariant.plain, .checked, .padded] {
            codes[variant] = try loader.load(workload, variant: variant)
        }
        let inputs = Self.sizes[workload.name].map { [$0] } ?? []
        return Subject(workload: workload, prepared: try workload.prepare(inputs: inputs), codes: codes)
    }

    private func cases(of subject: Subject) -> [MeasurementCase] {
        let names: [(CodeVariant, String)] = [
            (.plain, "plain"), (.checked, subject.workload.name), (.padded, "\(subject.workload.name)-padded"),
        ]
        return names.compactMap { variant, name in
            subject.codes[variant].map { code in
                MeasurementCase(name) { count in
                    for _ in 0..<count { _ = try withStack(Self.stack) { try subject.prepared.run(code) } }
                }
            }
        }
    }

    private func parameters(of subject: Subject) -> [ParameterName: ParameterValue] {
        var parameters: [ParameterName: ParameterValue] = [
            .language: .string(subject.workload.languages[0].rawValue), .strategy: "check-fixed",
            ParameterName("operations"): .int(Int(clamping: subject.prepared.operations)),
        ]
        parameters[.input] = Self.sizes[subject.workload.name].map { .string($0) }
        return parameters
    }
}
