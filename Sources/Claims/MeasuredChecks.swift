// What checks cost programs in C and Swift, measured once in a run: `check-cost` says it, `break-even` weighs it.

import Experiments
import Measurement
import Report
import Workloads

/// Programs that were measured with and without checks.
struct MeasuredChecks {
    /// Like things, over which a mean is taken; what its case is called.
    enum Group: String, CaseIterable {
        /// Written in C by others.
        case c
        /// Written in Swift.
        case swift
        /// In C, and almost nothing but calls.
        case kernels

        func contains(_ kind: CheckSubject.Kind) -> Bool {
            switch self {
            case .c: kind == .foreign
            case .swift: kind == .own
            case .kernels: kind == .kernel
            }
        }
    }

    let results: [(subject: CheckSubject, result: LayoutResult)]

    /// Real programs.
    static func programs(_ laboratory: Laboratory, claim: String) throws -> MeasuredChecks {
        try laboratory.remembering("what checks of programs cost") {
            try MeasuredChecks(laboratory, claim: claim) { $0.isReal }
        }
    }

    /// Kernels, which decide nothing.
    static func kernels(_ laboratory: Laboratory, claim: String) throws -> MeasuredChecks {
        try MeasuredChecks(laboratory, claim: claim) { !$0.isReal }
    }

    private init(
        _ laboratory: Laboratory, claim: String, where isWanted: (CheckSubject.Kind) -> Bool
    ) throws {
        let measurement = LayoutMeasurement(
            layouts: laboratory.layouts(laboratory.isQuick ? 7 : 24), rounds: laboratory.isQuick ? 3 : 9)
        var results: [(subject: CheckSubject, result: LayoutResult)] = []
        for subject in CheckSubject.all(laboratory) where isWanted(subject.kind) {
            do {
                results.append((subject, try measurement.run(subject, claim: claim, laboratory)))
            } catch let error as WorkloadError {
                laboratory.missing("\(subject.name) is not measured: \(error)")
            }
        }
        self.results = results
    }

    /// Geometric means over the programs of each group.
    func means(suite: String) throws -> [Record] {
        try Group.allCases.flatMap { group -> [Record] in
            let own = results.filter { group.contains($0.subject.kind) }.map(\.result)
            guard let fewest = own.map(\.plain.count).min() else { return [] }
            let series: [(String, [[Double]], isControl: Bool)] = [
                ("", own.compactMap { $0.ratios[.checked] }, false),
                (CaseSuffix.padded, own.compactMap { $0.ratios[.padded] }, false),
                (CaseSuffix.again, own.map(\.again), true),
                (CaseSuffix.otherLayout, own.map(\.placement), true),
            ]
            return try series.filter { !$0.1.isEmpty }.map { suffix, ratios, isControl in
                var parameters: [ParameterName: ParameterValue] = [
                    .programs: .int(ratios.count), .layouts: .int(fewest),
                ]
                if isControl { parameters[.nullControl] = true }
                return .ratio(
                    suite: suite, case: group.rawValue + suffix, baseline: CodeVariant.plain.rawValue,
                    estimate: try .geometricMean(over: ratios), parameters: parameters)
            }
        }
    }
}
