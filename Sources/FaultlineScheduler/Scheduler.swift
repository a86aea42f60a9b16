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
/// **Suspension points** are ``yield()``, ``sleep(for:)``, ``Job/join()``, the methods of ``Channel``, and reading,
/// writing, accepting and connecting by ``Descriptor``. Each throws `CancellationError` once the job is cancelled,
/// whether or not it would have to wait, and ``SchedulerError/outsideJob`` where no job calls it. A job that goes on
/// all the same would never end: after 1,000 such errors the process ends with a message. A job must not
///
/// - hold a lock, or anything else that belongs to a thread, across a suspension point: another job of the thread that
///   wants it would wait for ever;
/// - suspend inside a coroutine or generator of its own: only the job's own stack suspends the job;
/// - block its thread, by a system call that waits or a long computation without ``yield()``: the other jobs of the
///   thread wait as well.
///
/// A job whose stack overflows ends, and ``Job/join()`` throws `StackFault.overflow`; the others go on. What its frames
/// owned leaks then, and what they were changing stays half changed (`StackConfiguration.isIsolated`).
public enum Scheduler {
    /// The stack of a job unless it is given another: 8 MiB of address space, isolated.
    public static let defaultStack = StackConfiguration(isIsolated: true)

    /// Runs `body` as a job on `threads` threads of its own, and returns when it and every job that was spawned
    /// meanwhile have ended. The calling thread waits.
    ///
    /// - Parameters:
    ///   - threads: 1 to 1,024; nil is one for each processor that the process may use, up to 1,024.
    ///   - stack: the stack of this first job.
    ///   - hibernation: which jobs hibernate while they wait, on every thread of the run. Each thread looks for them
    ///     before it sleeps, and now and then while it is busy. A job hibernates at most a quarter of `idle` and a
    ///     second late. Where the kernel refuses to restore a job that is woken, the thread tries again for about a
    ///     second; then the process ends with a message, because the job's frames could never be unwound.
    ///   - body: the first job.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, after every other job was cancelled and has ended.
    ///   ``SchedulerError/deadlock(jobs:)`` when jobs were left of which none could ever run again; they were
    ///   cancelled. ``SchedulerError/system(call:errno:)`` when a thread, an epoll or an eventfd could not be made, or
    ///   failed. ``SchedulerError/nested`` inside a job. ``SchedulerError/invalid(_:)`` for a number of threads out of
    ///   range, `StackError.invalidConfiguration` for such a policy. What another job throws is kept for its
    ///   ``Job/join()`` and otherwise lost.
    public static func run<R: Sendable>(
        threads: Int? = nil, stack: StackConfiguration = defaultStack, hibernation: HibernationPolicy? = nil,
        _ body: @escaping @Sendable () throws -> R
    ) throws -> R {
        guard fls_worker() == nil else { throw SchedulerError.nested }
        let count = threads ?? min(Int(fls_processors()), 1024)
        guard (1...1024).contains(count) else {
            throw SchedulerError.invalid("a scheduler cannot have \(count) threads; give it 1 to 1024")
        }
        try hibernation?.validate()
        let runtime = try Runtime(threads: count, hibernation: hibernation)
        let job = try JobCore(runtime: runtime, configuration: stack, isMain: true, body: body)
        try runtime.run(job)
        guard let outcome = job.outcome() else { preconditionFailure("a run without an error has a result") }
        return try outcome.get()
    }

    /// Makes a job that runs `body` on the first thread that takes it. It is not a suspension point.
    /// - Parameters:
    ///   - stack: a stack that is not isolated ends the process when it overflows.
    ///   - body: what the job does.
    /// - Throws: ``SchedulerError/outsideJob``; `StackError` where the bound values of `TaskLocal` cannot be copied.
    ///   Where no stack can be made, ``Job/join()`` throws it.
    @discardableResult
    public static func spawn<R: Sendable>(
        stack: StackConfiguration = defaultStack, _ body: @escaping @Sendable () throws -> R
    ) throws -> Job<R> {
        let parent = try AnyJob.current()
        let job = try JobCore(runtime: parent.runtime, configuration: stack, body: body)
        parent.onWorker {
            guard let worker = parent.worker else { preconditionFailure("a job that runs has a worker") }
            parent.runtime.jobSpawned()
            worker.accept(job)
            return .proceed
        }
        return Job(core: job)
    }

    /// Lets the thread's other jobs run.
    /// - Throws: `CancellationError`, ``SchedulerError/outsideJob``.
    public static func yield() throws {
        let job = try AnyJob.current()
        if job.isCancelled { throw AnyJob.cancellation() }
        job.onWorker { .requeue }
        if job.isCancelled { throw AnyJob.cancellation() }
    }

    /// Waits for at least `duration` of the monotonic clock, which stands while the machine is suspended. Zero and
    /// negative durations are ``yield()``; the longest is 292 years.
    /// - Throws: `CancellationError`, as soon as the job is cancelled; ``SchedulerError/outsideJob``.
    public static func sleep(for duration: Duration) throws {
        guard duration > .zero else { return try yield() }
        let job = try AnyJob.current()
        var isCancelled = false
        var waited = false
        job.onWorker {
            guard !job.isCancelled, let worker = job.worker else {
                isCancelled = true
                return .proceed
            }
            waited = true
            let wait = job.beginWait()
            worker.timers.insert(job, wait: wait, deadline: fls_now() &+ duration.nanoseconds)
            return job.park(wait)
        }
        if waited, job.reason == .cancelled {
            isCancelled = true
            job.onWorker {
                job.worker?.timers.remove(job)
                return .proceed
            }
        }
        if isCancelled { throw AnyJob.cancellation() }
    }

    /// Whether the calling job was cancelled; false outside jobs.
    public static var isCancelled: Bool { AnyJob.running()?.isCancelled ?? false }

    /// - Throws: `CancellationError` if the calling job was cancelled.
    public static func checkCancellation() throws {
        if isCancelled { throw CancellationError() }
    }
}

/// A job that was spawned. The run waits for it even when this handle is dropped.
public struct Job<R: Sendable>: Sendable {
    let core: JobCore<R>

    /// Waits until the job has ended. Any number of jobs may join one, also after its end.
    ///
    /// Waiting for a job of another run looks like a deadlock, because no job of this run could ever wake the caller.
    /// Wait for the other run's thread instead, or let that job write to a pipe.
    /// - Returns: what its body returned.
    /// - Throws: what its body threw; `CancellationError` if it was cancelled before it started, or if the *calling*
    ///   job is cancelled (``Scheduler/isCancelled`` tells which); `StackFault` when a stack fault ended it;
    ///   `StackError` when no stack could be made for it; ``SchedulerError/outsideJob``.
    public func join() throws -> R { try core.join() }

    /// Cancels the job; may be called on any thread. A job that has not started never will. Otherwise its suspension
    /// points throw from now on, the one that it waits at included, and its body should end.
    public func cancel() { onWorkerIfAny { core.cancel() } }

    /// Whether the job has ended.
    public var isFinished: Bool { onWorkerIfAny { core.hasEnded } }
}

extension Duration {
    /// Rounded up, at most 2^63 - 1.
    var nanoseconds: UInt64 {
        // A duration may have more seconds than its components can hold.
        guard self < .nanoseconds(Int64.max) else { return UInt64(Int64.max) }
        let (seconds, attoseconds) = components
        return UInt64(seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000)
    }
}
