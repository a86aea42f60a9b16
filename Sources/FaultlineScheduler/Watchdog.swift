// A thread that looks for jobs that compute for long.
//
// A worker pays nothing for it but the counting of its turns: the watchdog reads that number now and then, and a number
// that has not changed for the threshold while a job ran is a turn that has lasted so long.
internal import CScheduler

/// Reports jobs that compute for long without suspending, while the other jobs that their thread has started wait.
///
///     try Scheduler.run(watchdog: Watchdog(threshold: .milliseconds(100))) { … }
///
/// Nothing can take the thread from such a job. Jobs that have not started are taken by the other threads; jobs that
/// have started stay with theirs and wait. What helps is ``Scheduler/yield()`` in the computation, or
/// ``Scheduler/blocking(_:)``.
public struct Watchdog: Sendable {
    /// How long a job may compute: a millisecond or more.
    public var threshold: Duration
    /// Called by the watchdog's thread, once for each time that a job is resumed and computes for too long.
    public var report: @Sendable (LongTurn) -> Void

    /// - Parameters:
    ///   - threshold: a millisecond or more.
    ///   - report: nil is one line on standard error.
    public init(threshold: Duration, report: (@Sendable (LongTurn) -> Void)? = nil) {
        self.threshold = threshold
        self.report = report ?? { writeLine("FaultlineScheduler: \($0)") }
    }

    func validate() throws {
        guard threshold >= .milliseconds(1) else {
            throw SchedulerError.invalid("a watchdog's threshold is \(threshold); give a millisecond or more")
        }
    }

    /// A job that has computed for the threshold and has not suspended so far.
    public struct LongTurn: Sendable, CustomStringConvertible {
        /// Unique in its run.
        public let id: UInt64
        /// What the job was named when it was spawned.
        public let name: String?
        /// The thread of the run, from 0 on.
        public let thread: Int
        /// How the kernel knows that thread, for a debugger or profiler: its stack can only be read there.
        public let systemThread: Int32
        /// How long the watchdog has seen it compute.
        public let duration: Duration

        public var description: String {
            let name = name.map { " '\($0)'" } ?? ""
            return "job \(id)\(name) has computed for \(duration) on thread \(systemThread) without suspending"
        }
    }
}

/// What the watchdog has seen of one worker.
struct TurnHistory {
    private var seen: (job: UInt64, turn: UInt64) = (0, 0)
    private var since: UInt64 = 0
    private var isReported = false

    /// - Parameters:
    ///   - running: the job that runs, 0 for none, and the number of its turn.
    ///   - now: nanoseconds, as `threshold`.
    /// - Returns: how long the turn has lasted, where that is to be reported.
    mutating func look(_ running: (job: UInt64, turn: UInt64), at now: UInt64, threshold: UInt64) -> UInt64? {
        guard running == seen, running.job != 0 else {
            seen = running
            since = now
            isReported = false
            return nil
        }
        guard !isReported, now - since >= threshold else { return nil }
        isReported = true
        return now - since
    }
}

final class WatchdogThread: Sendable {
    private let thread: SystemThread
    private let ending = Semaphore()

    init(_ watchdog: Watchdog, _ runtime: Runtime) throws(SchedulerError) {
        let end = ending
        thread = try SystemThread.start { WatchdogThread.watch(watchdog, runtime.workers, until: end) }
    }

    func end() {
        ending.post()
        thread.join()
    }

    private static func watch(_ watchdog: Watchdog, _ workers: [Worker], until end: Semaphore) {
        let threshold = watchdog.threshold.nanoseconds
        var histories = [TurnHistory](repeating: TurnHistory(), count: workers.count)
        // Looking four times as often, it reports at most a quarter late.
        while !end.wait(until: fls_now() &+ threshold / 4) {
            let now = fls_now()
            for (index, worker) in workers.enumerated() {
                let running = worker.running
                guard let lasted = histories[index].look(running, at: now, threshold: threshold) else { continue }
                let job = worker.jobs.started.first { $0.id == running.job }
                watchdog.report(
                    .init(
                        id: running.job, name: job?.name, thread: index, systemThread: worker.systemThread,
                        duration: .nanoseconds(Int64(clamping: lasted))))
            }
        }
    }
}
