// Hibernation by policy: coroutines that have not been resumed for a while hibernate without being asked.
internal import CShim

/// Which suspended coroutines of a thread hibernate by themselves: those that were not resumed for a time and, while
/// the process holds more memory than it should, those that were not resumed for the longest time.
///
///     try HibernationPolicy(idle: .seconds(30), residentBudget: 2 << 30).apply()
///
/// A policy belongs to the thread that applies it and concerns the coroutines that this thread has started. Nothing
/// happens in the background. *Sweeps* look at coroutines: ``sweep()`` makes one, making coroutines does, and the
/// threads of FaultlineScheduler's `Scheduler` make them before they wait and now and then while they are busy. A
/// coroutine's idle time counts from the first sweep that finds it suspended since its last resume. Being watched does
/// not make a resume slower; where a sweep has found the coroutine idle, it takes some tens of nanoseconds more.
///
/// After every 1,024th coroutine that a thread makes, a sweep looks at 16,384 entries of the process's table of stacks,
/// and goes on where the one before ended. So making a coroutine costs 16 looks at an entry more, however many stacks
/// there are, and all entries are seen while a sixteenth as many coroutines are made.
public struct HibernationPolicy: Sendable, Hashable {
    /// How long a coroutine is idle before it hibernates: 0 to 24.8 days (the milliseconds of an `Int32`), rounded up
    /// to whole milliseconds. Zero: the first sweep that finds it suspended hibernates it. Nil: time does not matter.
    public var idle: Duration?
    /// Bytes of resident memory, 0 or more. While the process has more, coroutines hibernate, the longest idle first.
    /// Here only coroutines count as idle that an earlier sweep found suspended and that were not resumed since. Sweeps
    /// read the kernel's number once, and again after every eight that hibernate; before Linux 6.17 it may be some
    /// hundred KiB behind. Nil: memory does not matter.
    public var residentBudget: Int?
    /// Whether a second sweep that finds a coroutine idle and does not hibernate it shrinks it
    /// (``Coroutine/shrink()``), once until its next resume.
    public var shrinksIdle: Bool
    /// As in ``Coroutine/hibernate(isUnshared:)``, for every coroutine of the thread.
    public var isUnshared: Bool

    /// A policy; values out of range are an error of ``apply()``.
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
        /// Coroutines that could not hibernate, for one of the reasons of ``Coroutine/hibernate(isUnshared:)``. They
        /// are as before, and the next sweep tries them again.
        public let refused: Int
        /// Coroutines of this thread that are suspended with their pages and may hibernate or shrink at a later sweep.
        public let waiting: Int
        /// Coroutines that were shrunk.
        public let shrunk: Int
        /// Bytes that shrinking gave back.
        public let releasedBytes: Int
        /// Resident bytes of the process at the end; nil where the policy has no budget or the number could not be
        /// read.
        public let resident: Int?
        /// Why the number could not be read, for instance because the process has no descriptor left. The budget
        /// hibernates nothing then.
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
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` as ``validate()`` does.
    public func apply() throws(StackError) {
        var policy = try resolved()
        fl_idle_set(&policy)
    }

    /// Ends the calling thread's policy. Coroutines that hibernate go on doing so.
    public static func remove() { fl_idle_set(nil) }

    /// Checks that the policy can be applied.
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` where a number is out of range, or where the policy
    ///   neither hibernates nor shrinks.
    public func validate() throws(StackError) { _ = try resolved() }

    /// Looks at every coroutine of the calling thread now. Without a policy nothing happens.
    /// - Complexity: a few nanoseconds for each stack of the largest number that the process ever had at once, and some
    ///   microseconds for each coroutine that hibernates.
    @discardableResult public static func sweep() -> Sweep { sweep(at: fl_idle_now()) }

    /// ``sweep()`` at a given time in nanoseconds of the monotonic clock.
    package static func sweep(at now: UInt64) -> Sweep {
        Sweep(fl_idle_sweep_all(now))
    }

    /// A part of a sweep: at most `entries` of the table, from where this thread's last part ended.
    /// - Returns: also whether it came to the end of the table.
    package static func step(at now: UInt64, entries: Int) -> (sweep: Sweep, isComplete: Bool) {
        let result = fl_idle_sweep(now, UInt32(clamping: entries))
        return (Sweep(result), result.reached_end)
    }

    private static let longestIdle = Duration.milliseconds(Int(Int32.max))

    private func resolved() throws(StackError) -> fl_idle_policy {
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
                "a hibernation policy needs an idle time or a resident budget, or has to shrink; otherwise remove it")
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
