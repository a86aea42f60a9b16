internal import CScheduler
import Faultline

/// What the scheduler itself reports. A cancelled suspension point throws Swift's `CancellationError` instead, and a
/// job whose stack overflows ends with `StackFault.overflow` of the module Faultline.
public enum SchedulerError: Error, Equatable, CustomStringConvertible {
    /// Every job is suspended and none waits for time or input: `jobs` of them were cancelled. Thrown by
    /// `Scheduler.run`.
    case deadlock(jobs: Int)
    /// The kernel refused a call; `errno` says why.
    case system(call: String, errno: Int32)
    /// The time of a call was over before its wait was: a deadline, or ``Scheduler/withTimeout(_:_:)`` around it.
    case timedOut
    /// A name of a host has no address; the reason is the resolver's.
    case unresolved(host: String, reason: String)
    /// The descriptor was closed, here or by another job meanwhile.
    case descriptorClosed
    /// The channel was closed, so that nothing can be sent.
    case channelClosed
    /// The caller does not run on a job's own stack: it is on another thread, or in a coroutine or generator of a job.
    case outsideJob
    /// A run was started inside a job, whose thread it would block.
    case nested
    /// An argument is invalid; the text says what is wrong and what to give instead.
    case invalid(String)

    public var description: String {
        switch self {
        case .deadlock(let jobs):
            "deadlock: \(jobs == 1 ? "1 job waits" : "\(jobs) jobs wait") for others, and none for time or input"
        case .system(let call, let errno): "\(call) failed with errno \(errno): \(errorText(errno))"
        case .timedOut: "the time was over before the wait was"
        case .unresolved(let host, let reason): "no address of '\(host)': \(reason)"
        case .descriptorClosed: "the descriptor is closed"
        case .channelClosed: "the channel is closed"
        case .outsideJob: "this may only be called by a job, on the job's own stack"
        case .nested: "a scheduler cannot be run inside a job; spawn a job instead"
        case .invalid(let text): text
        }
    }

    /// The error of a call of the C part that returned a negated errno value.
    init(_ site: fls_site, _ result: Int) {
        self = .system(call: String(cString: fls_site_name(site)), errno: Int32(clamping: -result))
    }

    /// Passes a result of the C part on, or throws.
    @discardableResult static func check(_ site: fls_site, _ result: Int32) throws(SchedulerError) -> Int32 {
        if result < 0 { throw SchedulerError(site, Int(result)) }
        return result
    }
}
