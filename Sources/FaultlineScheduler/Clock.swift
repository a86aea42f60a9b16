internal import CScheduler

extension Duration {
    /// Rounded up, at most 2^63 - 1.
    var nanoseconds: UInt64 {
        // A duration may have more seconds than its components can hold.
        guard self < .nanoseconds(Int64.max) else { return UInt64(Int64.max) }
        let (seconds, attoseconds) = components
        return UInt64(seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000)
    }
}

extension SuspendingClock.Instant {
    /// Nanoseconds of the monotonic clock, which is this one; 0 for what is over.
    var nanoseconds: UInt64 {
        let left = SuspendingClock.now.duration(to: self)
        return left > .zero ? fls_now() &+ left.nanoseconds : 0
    }
}
