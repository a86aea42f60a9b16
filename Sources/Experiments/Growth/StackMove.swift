// The one store that moves a stack of a given size.

import CProbes
import Faultline

package enum StackMove {
    /// What ``works(_:)`` moves, in bytes.
    private static let tried = 16 << 10

    /// Fills `size` bytes of a new stack and stores below them. There is room for one page more than that, which the
    /// frames above the probe need in part, so that the timed store is the first without room.
    ///
    /// mremap has stacks of its own, those between pages without access: each of its moves splits mappings, and those
    /// in which the other movers work should stay whole.
    ///
    /// - Parameter interval: Each word of that number, a power of two, is an address of the stack.
    package static func make(
        _ size: Int, by mover: PageMover, interval: Int = 64
    ) throws -> (nanoseconds: UInt64, FaultStatistics) {
        var statistics: FaultStatistics?
        let configuration = StackConfiguration(
            strategy: .faultMove, initial: size + 4096, guardKind: mover == .mremap ? .protNone : nil, mover: mover)
        let time = try withStack(
            configuration, statistics: { statistics = $0 }, { fl_probe_store_below_filled(size, interval) })
        guard let statistics else { preconditionFailure("a stack that ended has statistics") }
        return (time, statistics)
    }

    /// Whether `mover` moves a stack here rather than handing the work to another.
    package static func works(_ mover: PageMover) throws -> Bool {
        do {
            return try make(tried, by: mover).1.moves[mover] == 1
        } catch StackError.invalidConfiguration {
            return false
        }
    }
}
