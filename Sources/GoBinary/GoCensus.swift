// How many functions have a check, and what checks take of the program's code.

import ObjectCode

/// Counts over the functions of one program.
public struct GoCensus: Sendable, Hashable {
    /// Checks of every form.
    public private(set) var total: CheckCensus
    /// Checks of one form each, among all functions of the program; forms that it does not have are left out.
    public private(set) var classes: [FrameClass: CheckCensus] = [:]
    /// Functions whose check is not understood.
    public let notUnderstood: Int
    /// Checks of functions that run on a system stack, which are among those of ``classes``.
    public private(set) var onSystemStack = 0
    /// The functions with the largest frames, the largest first.
    public let largestFrames: [GoFunction]

    /// Functions without a check: small ones that call nothing, assembly, and what is marked `nosplit`.
    public var unchecked: Int { total.functions - total.checks }

    /// Counts.
    ///
    /// - Parameter frames: How many of the largest frames are kept.
    public init(_ program: GoExecutable, frames: Int = 10) {
        let none = CheckCensus(functions: program.functions.count, textBytes: program.textBytes)
        total = none
        notUnderstood = program.notUnderstood.count
        largestFrames = Array(
            program.functions.map(\.function).sorted { ($0.frameSize ?? 0, $1.name) > ($1.frameSize ?? 0, $0.name) }
                .prefix(max(0, frames)))
        for case let check? in program.functions.map(\.check) {
            total.count(hot: check.hot, cold: check.cold)
            classes[check.frameClass, default: none].count(hot: check.hot, cold: check.cold)
            if check.isForSystemStack { onSystemStack += 1 }
        }
    }
}
