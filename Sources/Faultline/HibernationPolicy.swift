// Hibernation by policy: who has not been resumed for a while hibernates without being asked.
internal import CShim

/// Which suspended coroutines of a thread hibernate by themselves: those that nobody resumed for a time, and, while the
/// process holds more memory than it should, those that nobody resumed for the longest.
///
///     try HibernationPolicy(idle: .seconds(30), residentBudget: 2 << 30).apply()
///
/// A policy belongs to the thread that applies it and concerns the coroutines that this thread has started. Nothing happens
/// in the background: coroutines are looked at by *sweeps*, at ``sweep()``, while coroutines are made, and by the threads
/// of FaultlineScheduler's `Scheduler`, before they wait and now and then. A coroutine's idle time is counted from the first
/// sweep that finds it suspended since its last resume. A resume costs nothing more for being watched, and up to some
/// tens of nanoseconds where a sweep found it idle.
///
/// Every 1,024th coroutine that a thread makes is followed by a sweep over 16,384 entries of the process's table of
/// stacks, which goes on where the one before ended. So making one costs the time of looking at 16 entries more, however
/// many there are, and all are seen while a sixteenth as many are made.
public struct HibernationPolicy: Sendable, Hashable {
    /// Hibernates what was idle for so long: at most 24 days, in whole milliseconds, rounded up. Zero: what a sweep
    /// finds suspended. Nil: time does not matter.
    public var idle: Duration?
    /// Hibernates while the process has more resident memory than so many bytes, the longest idle first, and stops when it
    /// has not. Only those count as idle here that an earlier sweep had found suspended and nobody resumed since. The
    /// kernel's number is read once a sweep, and after every eight that hibernate; before Linux 6.17 it may be some
    /// hundred KiB behind. Nil: memory does not matter.
    public var residentBudget: Int?
    /// Shrinks (``Coroutine/shrink()``) what a second sweep finds idle and does not hibernate, once until its next resume.
    public var shrinksIdle: Bool
    /// As in ``Coroutine/hibernate(isUnshared:)``, for every coroutine of the thread.
    public var isUnshared: Bool

    public init(
        idle: Duration? = nil, residentBudget: Int? = nil, shrinksIdle: Bool = false, isUnshared: Bool = false
    ) {
        self.idle = idle
        self.residentBudget = residentBudget
        self.shrinksIdle = shrinksIdle
        self.isUnshared = isUnshared
    }

    /// What a sweep did.
    public struct Sweep: Sendable, Equatable {
        /// Coroutines that hibernate now and did not before.
        public let hibernated: Int
        /// Coroutines that were to hibernate and could not, for one of the reasons of ``Coroutine/hibernate(isUnshared:)``:
        /// they are as before, and the next sweep tries them again.
        public let refused: Int
        /// Coroutines of this thread that are suspended with their pages and may hibernate or shrink at a later sweep.
        public let waiting: Int
        /// Coroutines that were shrunk.
        public let shrunk: Int
        /// Bytes that shrinking gave back.
        public let releasedBytes: Int
        /// Resident bytes of the process at the end; nil where the policy has no budget or the kernel did not tell.
        public let resident: Int?
        /// Why the kernel did not tell, for instance because the process has no descriptor left. The budget hibernates
        /// nothing then.
        public let residentError: StackError?
    }

    /// The policy of the calling thread, nil where there is none.
    public static var current: HibernationPolicy? {
        var policy = fl_idle_policy()
        guard fl_idle_get(&policy) else { return nil }
        return HibernationPolicy(
            idle: policy.by_time ? .milliseconds(Int(policy.idle)) : nil,
            residentBudget: policy.by_budget ? Int(policy.budget) : nil, shrinksIdle: policy.shrinks,
            isUnshared: policy.unshared)
    }

    /// Makes this the policy of the calling thread.
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` where a number is out of range, or neither is given.
    public func apply() throws {
        var policy = try resolved()
        fl_idle_set(&policy)
    }

    /// Ends the calling thread's policy. What hibernates goes on doing so.
    public static func remove() { fl_idle_set(nil) }

    /// Throws ``StackError/invalidConfiguration(_:option:)`` unless the policy can be applied.
    public func validate() throws { _ = try resolved() }

    /// Looks at every coroutine of the calling thread now. Without a policy nothing happens.
    /// - Complexity: a few nanoseconds for each stack that the process has ever had at once; hibernating takes
    ///   microseconds each.
    @discardableResult public static func sweep() -> Sweep { sweep(at: fl_idle_now()) }

    /// The same, as if it were `now`, in nanoseconds of the monotonic clock.
    package static func sweep(at now: UInt64) -> Sweep {
        Sweep(fl_idle_sweep_all(now))
    }

    /// A part of a sweep: `entries` of the table at most, from where this thread's last one ended; whether it came to the
    /// table's end.
    package static func step(at now: UInt64, entries: Int) -> (sweep: Sweep, isComplete: Bool) {
        let result = fl_idle_sweep(now, UInt32(clamping: entries))
        return (Sweep(result), result.reached_end)
    }

    private static let longestIdle = Duration.milliseconds(Int(Int32.max))

    private func resolved() throws -> fl_idle_policy {
        var policy = fl_idle_policy()
        if let idle {
            guard idle >= .zero, idle <= Self.longestIdle else {
                throw StackError.invalidConfiguration(
                    "an idle time of \(idle) is out of range; use 0 to \(Self.longestIdle)")
            }
            let (seconds, attoseconds) = idle.components
            policy.by_time = true
            policy.idle = UInt32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        }
        if let residentBudget {
            guard residentBudget >= 0 else {
                throw StackError.invalidConfiguration(
                    "a resident budget of \(residentBudget) bytes is out of range; use 0 or more")
            }
            policy.by_budget = true
            policy.budget = UInt64(residentBudget)
        }
        guard policy.by_time || policy.by_budget || shrinksIdle else {
            throw StackError.invalidConfiguration(
                "a hibernation policy needs an idle time or a resident budget, or has to shrink; or remove the policy")
        }
        policy.shrinks = shrinksIdle
        policy.unshared = isUnshared
        return policy
    }
}

extension HibernationPolicy.Sweep {
    init(_ result: fl_idle_result) {
        self.init(
            hibernated: Int(result.hibernated), refused: Int(result.refused), waiting: Int(result.waiting),
            shrunk: Int(result.shrunk), releasedBytes: Int(result.released),
            resident: result.resident == 0 ? nil : Int(result.resident),
            residentError: StackError.Refusal(result.failure, for: .hibernation).map(StackError.unavailable))
    }
}
