// The programs whose prologue checks are measured: real ones, by others and by us, and kernels that do little but call.

import Faultline
import Measurement
import Report
import Workloads

/// A program that exists without checks, with them, and with no-ops in their place.
package struct CheckSubject {
    /// What the program is an example of.
    package enum Kind: String, CaseIterable {
        /// Written by others, for use.
        case foreign
        /// A parser, an interpreter and a matcher of this package.
        case own
        /// Written in Go by others, for use.
        case go
        /// A kernel: almost nothing but calls.
        case kernel
        /// A kernel in Go.
        case goKernel = "go-kernel"

        /// Whether the word "real programs" means it.
        package var isReal: Bool { self != .kernel && self != .goKernel }
    }

    package let workload: any Workload
    package let kind: Kind

    package init(workload: any Workload, kind: Kind) {
        (self.workload, self.kind) = (workload, kind)
    }

    package var name: String { workload.name }

    /// All of them; those that were not fetched are reported as missing.
    package static func all(_ laboratory: Laboratory) -> [CheckSubject] {
        var subjects: [CheckSubject] = []
        let foreign = ForeignPrograms.all()
        let missing = foreign.filter { !$0.isFetched }.map(\.name)
        if !missing.isEmpty {
            laboratory.missing(
                "\(missing.joined(separator: ", ")) are not measured: fetch them with scripts/fetch-programs")
        }
        subjects += foreign.filter(\.isFetched).map { CheckSubject(workload: $0, kind: .foreign) }
        subjects += Workloads.all.map { workload in
            CheckSubject(workload: workload, kind: workload.languages[0] == .swift ? .own : .kernel)
        }
        return subjects
    }

    /// The program of that name, fetched or not.
    static func named(_ name: String) -> CheckSubject? {
        let made: [any Workload] =
            CallSizeWorkload.sizes.map { CallSizeWorkload(instructions: $0) } + CallChainWorkload.all
        if let foreign = ForeignPrograms.all().first(where: { $0.name == name }) {
            return CheckSubject(workload: foreign, kind: .foreign)
        }
        return (Workloads.all + made).first { $0.name == name }.map { workload in
            CheckSubject(workload: workload, kind: workload.languages[0] == .swift ? .own : .kernel)
        }
    }

    /// Large enough for every workload, so that no check fails; only what is touched takes memory.
    package static let stack = StackConfiguration(strategy: .checkFixed, maximum: 256 << 20)

    /// A case that runs `code` once for each iteration, on such a stack, and checks each result.
    static func measuredCase(_ name: String, _ prepared: PreparedWorkload, _ code: LoadedCode) -> MeasurementCase {
        MeasurementCase(name) { count in
            for _ in 0..<count { _ = try withStack(stack) { try prepared.run(code) } }
        }
    }

    /// What each record of this program says of it.
    package var parameters: [ParameterName: ParameterValue] {
        [
            .kind: .string(kind.rawValue), .language: .string(workload.languages[0].rawValue),
            .strategy: "check-fixed",
        ]
    }
}
