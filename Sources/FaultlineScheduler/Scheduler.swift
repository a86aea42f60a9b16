internal import CScheduler
public import Faultline

/// Coroutines on several threads, in direct style: a job that waits, for another job, for time or for a descriptor,
/// suspends and leaves its thread to others.
///
///     let sum = try Scheduler.run {
///         let halves = try [0..<500, 500..<1000].map { range in try Scheduler.spawn { range.reduce(0, +) } }
///         return try halves.map { try $0.join() }.reduce(0, +)
///     }
///
/// A job starts with the values that `TaskLocal` had bound where it was spawned, as a task does.
///
/// A job runs on a stack of its own, which comes from its thread's pool when the job starts. Before that, any idle
/// thread may take the job; from then on it stays on its thread.
///
/// **Suspension points** are ``yield()``, ``sleep(for:)``, ``Job/join(deadline:)``, ``select(_:)-(SelectCase<R>...)``,
/// ``await(priority:_:)``, ``blocking(_:)``, the end of ``withScope(_:)``, the methods of ``Channel``, and reading,
/// writing, accepting and connecting by ``Descriptor``. Each throws `CancellationError` once the job is cancelled, or
/// ``SchedulerError/timedOut`` once its time is over, whether or not it would have to wait, and
/// ``SchedulerError/outsideJob`` where no job calls it. A job that goes on all the same after its cancellation would
/// never end: after 1,000 such errors the process ends with a message. A job must not
///
/// - hold a lock, or anything else that belongs to a thread, across a suspension point: another job of the thread that
///   wants it would wait for ever;
/// - suspend inside a coroutine or generator of its own: only the job's own stack suspends the job;
/// - block its thread, by a system call that waits (use ``blocking(_:)``) or a long computation without ``yield()``:
///   the jobs that this thread has started wait as well. A ``Watchdog`` reports such jobs.
///
/// A job whose stack overflows ends, and ``Job/join(deadline:)`` throws `StackFault.overflow`; the others go on. What
/// its frames owned leaks then, and what they were changing stays half changed (`StackConfiguration.isIsolated`).
public enum Scheduler {
    /// The stack of a job unless it is given another: 8 MiB of address space, isolated.
    public static let defaultStack = StackConfiguration(isIsolated: true)

    /// Runs `body` as a job on `threads` threads of its own, and returns when it and every job that was spawned
    /// meanwhile have ended. The calling thread waits; a Task calls the asynchronous form of this, which does not.
    ///
    /// - Parameters:
    ///   - threads: 1 to 1,024; nil is one for each processor that the process may use, up to 1,024.
    ///   - stack: the stack of this first job.
    ///   - hibernation: which jobs hibernate while they wait, on every thread of the run. Each thread looks for them
    ///     before it sleeps, and now and then while it is busy. A job hibernates at most a quarter of `idle` and a
    ///     second late. Where the kernel refuses to restore a job that is woken, the thread tries again for about a
    ///     second; then the process ends with a message, because the job's frames could never be unwound.
    ///   - blockingThreads: threads that ``blocking(_:)`` has at most, 1 to 1,024. They are started as calls need them,
    ///     and end with the run. 64 keep slow name servers from filling them, and are little memory.
    ///   - watchdog: reports jobs that compute for long; nil for none.
    ///   - onUnreceivedError: what becomes of an error of a job that no code has received. It is called by any thread
    ///     and must not wait.
    ///   - body: the first job.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, after every other job was cancelled and has ended.
    ///   ``SchedulerError/deadlock(jobs:)`` when jobs were left of which none could ever run again; they were
    ///   cancelled. ``SchedulerError/system(call:errno:)`` when a thread, an epoll or an eventfd could not be made, or
    ///   failed. ``SchedulerError/nested`` inside a job. ``SchedulerError/invalid(_:)`` for a number of threads or a
    ///   threshold out of range, `StackError.invalidConfiguration` for such a policy.
    public static func run<R: Sendable>(
        threads: Int? = nil, stack: StackConfiguration = defaultStack, hibernation: HibernationPolicy? = nil,
        blockingThreads: Int = 64, watchdog: Watchdog? = nil,
        onUnreceivedError: @escaping @Sendable (UnreceivedError) -> Void = UnreceivedError.report,
        _ body: sending @escaping () throws -> R
    ) throws -> R {
        guard fls_worker() == nil else { throw SchedulerError.nested }
        return try Run(
            threads: threads, stack: stack, hibernation: hibernation, blockingThreads: blockingThreads,
            watchdog: watchdog, handler: onUnreceivedError, body
        ).result()
    }

    /// As the synchronous form, for a Task: starts a thread that waits instead of the Task's. Cancelling the Task
    /// cancels every job, and the Task waits for their end.
    public static func run<R: Sendable>(
        threads: Int? = nil, stack: StackConfiguration = defaultStack, hibernation: HibernationPolicy? = nil,
        blockingThreads: Int = 64, watchdog: Watchdog? = nil,
        onUnreceivedError: @escaping @Sendable (UnreceivedError) -> Void = UnreceivedError.report,
        _ body: sending @escaping () throws -> R
    ) async throws -> R {
        let run = try Run(
            threads: threads, stack: stack, hibernation: hibernation, blockingThreads: blockingThreads,
            watchdog: watchdog, handler: onUnreceivedError, body)
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                do {
                    try SystemThread.start { continuation.resume(with: Result { try run.result() }) }.detach()
                } catch {
                    run.discard()
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            withoutAbandon { run.runtime.stop() }
        }
    }

    /// Makes a job that runs `body` on the first thread that takes it. It is not a suspension point.
    /// - Parameters:
    ///   - name: for people: in ``jobs``, and in reports.
    ///   - stack: a stack that is not isolated ends the process when it overflows.
    ///   - body: what the job does.
    /// - Throws: ``SchedulerError/outsideJob``; `StackError` where the bound values of `TaskLocal` cannot be copied.
    ///   Where no stack can be made, ``Job/join(deadline:)`` throws it.
    @discardableResult
    public static func spawn<R: Sendable>(
        name: String? = nil, stack: StackConfiguration = defaultStack, _ body: sending @escaping () throws -> R
    ) throws -> Job<R> {
        try spawn(name: name, stack: stack, scope: nil, body)
    }

    static func spawn<R: Sendable>(
        name: String?, stack: StackConfiguration, scope: ScopeCore?, _ body: sending @escaping () throws -> R
    ) throws -> Job<R> {
        let parent = try AnyJob.current()
        let job = try JobCore(runtime: parent.runtime, configuration: stack, name: name, scope: scope, body: body)
        var refusal: (any Error)?
        parent.onWorkerBriefly {
            guard let worker = parent.worker else { preconditionFailure("a job that runs has a worker") }
            refusal = scope?.add(job)
            if refusal != nil { return }
            parent.runtime.jobSpawned()
            worker.accept(job)
        }
        if let refusal { throw refusal }
        return Job(core: job)
    }

    /// Lets the thread's other jobs run.
    /// - Throws: `CancellationError`, ``SchedulerError/timedOut``, ``SchedulerError/outsideJob``.
    public static func yield() throws {
        let job = try AnyJob.current()
        if let reason = job.interruption { throw AnyJob.error(reason) }
        job.onWorker { .requeue }
        if let reason = job.interruption { throw AnyJob.error(reason) }
    }

    /// Waits for at least `duration` of the monotonic clock, which stands while the machine is suspended. Zero and
    /// negative durations are ``yield()``; the longest is 292 years.
    /// - Throws: `CancellationError`, as soon as the job is cancelled; ``SchedulerError/timedOut`` where the time of
    ///   ``withTimeout(_:_:)`` is over first; ``SchedulerError/outsideJob``.
    public static func sleep(for duration: Duration) throws {
        guard duration > .zero else { return try yield() }
        let job = try AnyJob.current()
        var end: WakeReason?
        var deadline: UInt64 = 0
        job.onWorker {
            end = job.interruption
            if end != nil { return .proceed }
            deadline = fls_now() &+ duration.nanoseconds
            return job.park(job.beginWait(), at: .time, until: deadline)
        }
        if let reason = end ?? (job.reason == .cancelled || job.limit < deadline ? job.reason : nil) {
            throw AnyJob.error(reason)
        }
    }

    /// Runs `body`, whose suspension points throw ``SchedulerError/timedOut`` once `duration` is over, the one that it
    /// waits at included. What it computes without suspending is not interrupted, and what it returns late is returned.
    /// Where several of these are around a suspension point, the one that ends first counts. Jobs that `body` spawns
    /// have no such limit; those of a ``withScope(_:)`` in it are cancelled.
    /// - Parameters:
    ///   - duration: of the monotonic clock, as in ``sleep(for:)``; zero or less is over at once.
    ///   - body: what is limited.
    /// - Throws: what `body` throws; ``SchedulerError/outsideJob``.
    public static func withTimeout<R>(_ duration: Duration, _ body: () throws -> R) throws -> R {
        let job = try AnyJob.current()
        return try job.limited(to: duration > .zero ? fls_now() &+ duration.nanoseconds : 0, body)
    }

    /// Whether the calling job was cancelled; false outside jobs.
    public static var isCancelled: Bool { AnyJob.running()?.isCancelled ?? false }

    /// - Throws: `CancellationError` if the calling job was cancelled.
    public static func checkCancellation() throws {
        if isCancelled { throw CancellationError() }
    }
}
