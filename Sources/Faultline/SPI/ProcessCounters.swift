// SPI: the counters of the process and of a stack, read on a stack that has little room.
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

    /// Times that room was made on the stack that runs; 0 where none of the library's does.
    public var growthsOfThisStack: Int {
        guard let fiber = fl_fiber_running() else { return 0 }
        fl_stack_counters(FiberSupport.stack(fiber), snapshot)
        return Int(snapshot.pointee.growths)
    }
}
