// When a worker looks for jobs that nobody has woken for a while: before it sleeps, and where it looks for events while it
// is busy, a step at a time, so that a job that becomes ready meanwhile waits for one step at most.
//
// A pass over all stacks of the process is made of steps, between which the worker looks for events. Passes follow one
// another at a quarter of the policy's idle time, and end when nothing is left that a later one could find: a worker whose
// jobs all hibernate sleeps as long as one without a policy.
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

    /// Entries of the table of stacks that a step looks at. One that hibernates takes a few microseconds.
    private static let entries = 1 << 10
    /// Nobody's memory matters by the millisecond, and no policy should wait long for its next look.
    private static let (shortest, longest): (UInt64, UInt64) = (1_000_000, 1_000_000_000)
    /// Where memory matters.
    private static let budgetInterval: UInt64 = 100_000_000

    init(_ policy: HibernationPolicy) {
        let byTime = (policy.idle?.nanoseconds).map { min(max($0 / 4, Self.shortest), Self.longest) }
        interval = min(byTime ?? Self.longest, policy.residentBudget == nil ? Self.longest : Self.budgetInterval)
    }

    /// A job has run.
    mutating func jobRan() { isQuiet = false }

    /// Makes a step if it is time. On the worker's thread, whose policy is the one this was made from.
    /// - Returns: when the next one is due, nil when nothing is to be found until a job has run.
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

    /// Makes a step if it is time and the last such was a millisecond ago: a worker that is never idle has jobs that are,
    /// and looking takes it some hundredths of its time at most.
    mutating func stepWhileBusy(at now: UInt64) {
        guard now >= nextWhileBusy else { return }
        nextWhileBusy = now + Self.shortest
        _ = step(at: now)
    }
}
