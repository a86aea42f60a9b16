// Descents on stacks of a strategy: where a stack is full, and what it costs to be there.
//
// Depth is counted in levels, frames of one size, and the level at which a stack grows is found by trying: how large
// the frames above are depends on how this program was compiled.

import Faultline
import Measurement
import Report
import Workloads

/// Code that descends on stacks of one configuration.
package struct StackDescent {
    package let configuration: StackConfiguration
    package let code: DescentCode

    package init(configuration: StackConfiguration, code: DescentCode) {
        (self.configuration, self.code) = (configuration, code)
    }

    /// No stack is searched deeper than this many levels, each of which takes about 100 bytes.
    private static let deepest = 1 << 20

    /// One descent on a stack of its own.
    ///
    /// - Parameters:
    ///   - warmLevels: How many levels it goes down before, so that the pages of the stack are there; nil does not.
    ///   - time: Wraps the descent where it is timed, on the stack itself.
    /// - Throws: ``MeasurementFailure`` when the code computes something else than it should.
    // One copy for all callers: a specialized one has frames of another size above the descent, and the boundary that
    // was found through one would not be that of another.
    @inline(never) @_optimize(none)
    package func run(
        levels: Int, _ work: DescentCode.Work, warmLevels: Int? = nil, _ time: (() -> Void) -> Void = { $0() }
    ) throws -> (descent: Descent, statistics: FaultStatistics) {
        let descent = code.descent(levels: levels, work)
        let warming = warmLevels.map { code.descent(levels: $0, .loop(1)) }
        var counted: FaultStatistics?
        var result: UInt64 = 0
        try withoutActuallyEscaping(time) { time in
            try withStack(
                configuration, statistics: { counted = $0 },
                {
                    warming?.run()
                    time { result = descent.run() }
                })
        }
        guard let statistics = counted, descent.isRight(result) else {
            throw MeasurementFailure(
                "\(configuration.strategy.rawValue): a descent of \(levels) levels returned \(result)")
        }
        return (descent, statistics)
    }

    /// The minimum number of levels below which the function that is called in a loop finds no room, so that the stack
    /// grows; nil where it never does.
    package func boundary() throws -> Int? {
        func grows(_ levels: Int) throws -> Bool { try run(levels: levels, .loop(1)).statistics.growths > 0 }
        guard configuration.strategy.grows, configuration.strategy != .growsDown else { return nil }
        var (fits, grown) = (0, 1)
        while try !grows(grown) {
            fits = grown
            grown *= 2
            guard grown <= Self.deepest else { return nil }
        }
        while grown - fits > 1 {
            let middle = (fits + grown) / 2
            if try grows(middle) { grown = middle } else { fits = middle }
        }
        return grown
    }
}

/// Builds the code of descents; what keeps it from being built is named.
extension Laboratory {
    /// Plain and checked code with these layouts of their functions, or nil where the toolchain is missing.
    package func descentCodes(layoutSeeds: [UInt32?]) throws -> (plain: [DescentCode], checked: [DescentCode])? {
        try step("building plain and checked code")
        let hooks = StackCheckHooks(
            morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace)
        do throws(WorkloadError) {
            return (
                try layoutSeeds.map { seed throws(WorkloadError) in try DescentCode(.plain, layoutSeed: seed) },
                try layoutSeeds.map { seed throws(WorkloadError) in
                    try DescentCode(.checked, hooks: hooks, layoutSeed: seed)
                }
            )
        } catch {
            missing("code is built at run time by the Swift toolchain's clang: \(error)")
            return nil
        }
    }
}
