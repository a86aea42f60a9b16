// What the checks of calls cost in Go: copies of one of our kernels without checks, and with equal ones, on the same
// stacks, in random layouts where the linker can. Several kernels are measured in the same layouts and rounds, so that
// they can be compared layout by layout, each of which says one number, the median of its rounds.

import GoBinary
import Measurement
import Peers
import Processes
import Report

/// Of one kernel.
package struct GoCallCost {
    /// The time with checks to that without, by layout, or by round where there is but one layout.
    package let ratios: [Double]
    /// The nanoseconds that a run with checks takes longer than one without, likewise.
    package let costs: [Double]
    /// Both of the copy with checks and itself; empty where that was not asked for.
    package let nullRatios: [Double]
    package let noise: [Double]

    /// How much is measured.
    package struct Settings {
        package var compilerFlags: [String] = []
        /// How many layouts there are, where the linker makes any.
        package var layouts: Int
        /// Whether each copy with checks has a null control.
        package var hasNullControl = false

        package init(layouts: Int, compilerFlags: [String] = [], hasNullControl: Bool = false) {
            (self.layouts, self.compilerFlags, self.hasNullControl) = (layouts, compilerFlags, hasNullControl)
        }
    }

    /// Builds, patches and measures.
    ///
    /// - Parameter kernels: For each an operation of the kernels, and what it is given.
    /// - Returns: One for each kernel.
    /// - Throws: ``PeerUnavailable``, `ProcessError` where a copy cannot be made; ``Interrupted``.
    package static func measure(
        _ kernels: [[String]], _ toolchain: GoToolchain, _ settings: Settings, claim: String, _ laboratory: Laboratory
    ) throws -> [GoCallCost] {
        let title =
            "\(claim): \(kernels.map { $0.joined(separator: " ") }.joined(separator: ", ")) \(toolchain.version)"
        let layouts: [Int?] = toolchain.hasRandomLayouts ? laboratory.layouts(settings.layouts).map { Int($0) } : [nil]
        let patched = try PatchedPrograms()
        var cases: [MeasurementCase] = []
        for layout in layouts {
            try laboratory.step("\(title): building")
            let path = try toolchain.program(.kernels, layout: layout, compilerFlags: settings.compilerFlags).path
            let copies = try [StripOptions.Checks.removed, .equal].map { checks in
                (checks, try patched.copy(of: path, StripOptions(initial: PatchedPrograms.initial, checks: checks)))
            }
            for kernel in kernels {
                let job = GoJob(
                    work: kernel.joined(separator: " "), arguments: kernel,
                    environment: GoJob.environment(toolchain))
                let expected = try job.run(path, laboratory)
                for (checks, copy) in copies {
                    cases.append(
                        job.measured(
                            name(kernel, checks, layout), copy, title: "\(title), \(checks)", expected: expected,
                            laboratory))
                }
                if settings.hasNullControl { cases.append(cases[cases.count - 1].nullControl()) }
            }
        }
        var repetitions = laboratory.repetitions(1)
        repetitions.rounds = laboratory.isQuick ? 2 : layouts.count > 1 ? 5 : 13
        repetitions.warmUpRounds = laboratory.isQuick ? 0 : 1
        repetitions.clock = .processTime
        let measured = try laboratory.measure(title, cases, repetitions)
        return try kernels.map { kernel in
            let (ratios, costs) = try (
                byLayout(layouts) {
                    try measured.ratios(of: name(kernel, .equal, $0), to: name(kernel, .removed, $0))
                },
                byLayout(layouts) {
                    try differences(measured, name(kernel, .equal, $0), name(kernel, .removed, $0))
                }
            )
            func null(_ compared: (_ again: String, _ original: String) throws -> [Double]) throws -> [Double] {
                guard settings.hasNullControl else { return [] }
                return try byLayout(layouts) { layout in
                    let original = name(kernel, .equal, layout)
                    let again = measured.cases.first { $0.isNullControlOf == original }
                    return try again.map { try compared($0.name, original) } ?? []
                }
            }
            return GoCallCost(
                ratios: ratios, costs: costs, nullRatios: try null { try measured.ratios(of: $0, to: $1) },
                noise: try null { try differences(measured, $0, $1) })
        }
    }

    private static func byLayout(_ layouts: [Int?], _ rounds: (Int?) throws -> [Double]) throws -> [Double] {
        let each = try layouts.map(rounds)
        return each.count == 1 ? each[0] : try each.map { try Statistics.median($0) }
    }

    private static func differences(
        _ result: MeasurementResult, _ name: String, _ baseline: String
    ) throws -> [Double] {
        zip(
            try result.samples(of: name).nanosecondsPerOperation,
            try result.samples(of: baseline).nanosecondsPerOperation
        ).map { $0 - $1 }
    }

    private static func name(_ kernel: [String], _ checks: StripOptions.Checks, _ layout: Int?) -> String {
        "\(kernel.joined(separator: " ")) \(checks) \(layout ?? 0)"
    }
}
