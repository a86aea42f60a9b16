// When a worker looks for jobs that have been idle for a while: before it sleeps, and while it is busy where it looks
// for events. It makes one step at a time, so that a job that becomes ready meanwhile waits for at most one step.
//
// A pass over all stacks of the process is made of steps, between which the worker looks for events. A pass begins each
// quarter of the policy's idle time, and none begins when a later one could find nothing: a worker whose jobs all
// hibernate sleeps as long as a worker without a policy.
import Faultline

struct IdleSweeps {
    /// Nanoseconds from the start of a pass to that of the next.
    private let interval: UInt64
    private var due: UInt64 = 0
    private var isInPass = false
    /// Jobs that the pass has met and that a later one may find idle.
    private var waiting = 0
    /// Whether no job has run since a pass found nothing to wait for.
    private var isQuiet = false

    /// No step before this while the worker is busy.
    private var nextWhileBusy: UInt64 = 0

    /// Entries of the table of stacks that a step looks at. Each stack that hibernates takes a few microseconds.
    private static let entries = 1 << 10
    /// Bounds of the interval in nanoseconds. Memory does not matter by the millisecond, and a policy must not wait
    /// long for its next pass.
    private static let (shortest, longest): (UInt64, UInt64) = (1_000_000, 1_000_000_000)
    /// The interval in nanoseconds for a policy with a budget.
    private static let budgetInterval: UInt64 = 100_000_000

    init(_ policy: HibernationPolicy) {
        let byTime = (policy.idle?.nanoseconds).map { min(max($0 / 4, Self.shortest), Self.longest) }
        interval = min(byTime ?? Self.longest, policy.residentBudget == nil ? Self.longest : Self.budgetInterval)
    }

    /// A job has run.
    mutating func jobRan() { isQuiet = false }

    /// Makes a step if it is time. On the worker's thread, which has applied the policy.
    /// - Returns: when the next step is due, nil when a step could find nothing until a job has run.
    mutating func step(at now: UInt64) -> UInt64? {
        if isQuiet { return nil }
        if !isInPass {
            if now < due { return due }
            isInPass = true
            waiting = 0
            due = now + interval
        }
        let step = HibernationPolicy.step(at: now, entries: Self.entries)
        waiting += step.sweep.waiting
        guard step.isComplete else { return now }
        isInPass = false
        isQuiet = waiting == 0
        return isQuiet ? nil : due
    }

    /// Makes a step if it is time and the last one was at least a millisecond ago. A worker that is never idle may have
    /// idle jobs, and must not spend more than some hundredths of its time on looking for them.
    mutating func stepWhileBusy(at now: UInt64) {
        guard now >= nextWhileBusy else { return }
        nextWhileBusy = now + Self.shortest
        _ = step(at: now)
    }
}
