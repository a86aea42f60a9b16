// SPI: the counters of the process, read on a stack that has little room.
internal import CShim

/// A place for a snapshot, which is large for a stack.
@_spi(Experiments) public final class ProcessCounters {
    private let snapshot: UnsafeMutablePointer<fl_counters>

    public init() {
        snapshot = .allocate(capacity: 1)
        snapshot.initialize(to: fl_counters())
    }

    deinit { snapshot.deallocate() }

    /// Times that room was made, as ``FaultStatistics/growths`` of the process.
    public var growths: Int {
        fl_statistics_process(snapshot)
        return Int(snapshot.pointee.growths)
    }
}
