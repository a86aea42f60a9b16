// The clocks of a measurement. Both count nanoseconds from an arbitrary origin and never run backwards.

import Glibc

/// The clock that times the cases of one measurement.
public enum MeasurementClock: String, Sendable, Codable, CaseIterable {
    /// Elapsed time, not slewed by time synchronization (`CLOCK_MONOTONIC_RAW`).
    ///
    /// For what waits or sleeps, and for anything shorter than a system call: the kernel answers it without one.
    case monotonic

    /// Processor time of all threads of this process, user and system (`CLOCK_PROCESS_CPUTIME_ID`).
    ///
    /// For what only computes: time taken by other processes does not count. Reading it is a system call, so a batch
    /// should be at least a thousand times as long (the shortest default batch, 200 µs, is).
    case processTime = "process-time"

    /// The reading now, in nanoseconds from an arbitrary origin. Only differences mean anything.
    public func now() -> UInt64 {
        switch self {
        case .monotonic: Self.now(CLOCK_MONOTONIC_RAW)
        case .processTime: Self.now(CLOCK_PROCESS_CPUTIME_ID)
        }
    }

    /// The processor time of the calling thread, in nanoseconds. Apart from the clocks that cases are timed with,
    /// because what a case does may go on in other threads.
    public static func threadTime() -> UInt64 { now(CLOCK_THREAD_CPUTIME_ID) }

    private static func now(_ identifier: clockid_t) -> UInt64 {
        var time = timespec()
        // Fails only for an unknown clock; all of these exist since Linux 2.6.28.
        let status = clock_gettime(identifier, &time)
        precondition(status == 0, "the kernel lacks the clock \(identifier)")
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// Keeps the optimizer from removing the computation of `value`.
///
/// Call it once per batch, on something that depends on every iteration; a call costs about a nanosecond.
// Optimization is off for the body because an empty function, however opaque its attributes make it at the call, may
// be found free of effects when modules are optimized together.
@_optimize(none)
@inline(never)
public func keep<Value>(_ value: Value) {}
