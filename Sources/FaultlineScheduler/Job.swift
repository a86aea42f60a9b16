/// A job that was spawned. The run waits for it even when this handle is dropped.
public struct Job<R: Sendable>: Sendable {
    let core: JobCore<R>

    /// Unique in its run (``Scheduler/jobs``).
    public var id: UInt64 { core.id }
    /// What it was named when it was spawned.
    public var name: String? { core.name }

    /// Waits until the job has ended. Any number of jobs may join one, also after its end.
    ///
    /// - Parameter deadline: when this gives up, nil for never; the job goes on.
    /// - Returns: what its body returned.
    /// - Throws: what its body threw; `CancellationError` if it was cancelled before it started, or if the *calling*
    ///   job is cancelled (``Scheduler/isCancelled`` tells which); `StackFault` when a stack fault ended it;
    ///   `StackError` when no stack could be made for it; ``SchedulerError/timedOut``; ``SchedulerError/outsideJob``.
    public func join(deadline: SuspendingClock.Instant? = nil) throws -> R {
        let job = try AnyJob.current()
        return try job.limited(by: deadline) { try core.join() }
    }

    /// What ``join(deadline:)`` returns or throws, for a Task: waits without blocking its thread. Cancelling the Task
    /// cancels the job, whose end it still waits for.
    public var value: R {
        get async throws { try await core.value() }
    }

    /// Cancels the job, and the jobs of its scopes; may be called on any thread. A job that has not started never will.
    /// Otherwise its suspension points throw from now on, the one that it waits at included, and its body should end.
    public func cancel() { onWorkerIfAny { core.cancel() } }

    /// Whether the job has ended.
    public var isFinished: Bool { onWorkerIfAny { core.completion.hasEnded } }
}
