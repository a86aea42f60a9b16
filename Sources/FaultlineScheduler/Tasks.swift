// Between jobs and Swift's Tasks: a Task that waits as a job does, and a job that waits for a Task.
//
// A Task runs on a thread's stack, or at its start on a job's (`Task.immediate`); so whatever takes a lock runs by
// `onWorkerIfAny`. What the two share is a `Completion` or a channel's list: one exchange decides who wakes the Task.
internal import CScheduler
import Faultline

/// One wait of a Task.
final class WaitingTask: Party, @unchecked Sendable {
    private var continuation: UnsafeContinuation<WakeReason?, Never>?

    /// Waits until `start`'s waiter is claimed; `start` returns nil where the Task need not wait.
    /// - Parameter onCancel: called once the Task is cancelled; nil ends the wait with the reason `cancelled`.
    /// - Returns: why the wait ended, nil without one. After `cancelled` the waiter may still be listed.
    func wait(
        onCancel: (@Sendable () -> Void)? = nil, _ start: (WaitingTask) -> Waiter?
    ) async -> WakeReason? {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                onWorkerIfAny {
                    // Before the wait begins, and with it the chance that another thread ends it.
                    self.continuation = continuation
                    guard let waiter = start(self) else { return resume(nil) }
                    if cancelled.load(ordering: .sequentiallyConsistent), claim(waiter.number) { resume(.cancelled) }
                }
            }
        } onCancel: {
            withoutAbandon {
                if let onCancel { return onCancel() }
                cancelled.store(true, ordering: .sequentiallyConsistent)
                interrupt()
            }
        }
    }

    override func wake(_ reason: WakeReason) { resume(reason) }

    private func resume(_ reason: WakeReason?) {
        guard let continuation = continuation.take() else { preconditionFailure("a Task waits once") }
        continuation.resume(returning: reason)
    }
}

extension JobCore {
    /// The end of the job, for a Task.
    func value() async throws -> R {
        let cancelJob: @Sendable () -> Void = { self.cancel() }
        _ = await WaitingTask().wait(onCancel: cancelJob) { completion.enlist($0) }
        return try takeValue()
    }

    private func takeValue() throws -> R {
        onWorkerIfAny { noteReceived() }
        guard let outcome = outcome() else { preconditionFailure("a job that ended has a result") }
        return try outcome.get()
    }
}

extension Scheduler {
    /// Runs `body` as a Task and waits for it: the job is parked, and its thread runs other jobs meanwhile. The Task
    /// starts with the values that `TaskLocal` has bound for the job.
    ///
    ///     let page = try Scheduler.await { try await client.get(address) }
    ///
    /// Cancelling the job, or the end of its time (``withTimeout(_:_:)``), cancels the Task. The job still waits for
    /// the Task's end, so that the Task never outlives it: a Task that goes on all the same keeps the job waiting.
    /// Waiting for a Task is never a deadlock.
    /// - Parameters:
    ///   - priority: nil is that of the scheduler's thread.
    ///   - body: what the Task does.
    /// - Returns: what `body` returns, also where the job was cancelled meanwhile.
    /// - Throws: what `body` throws; ``SchedulerError/timedOut`` instead of its `CancellationError` where the time was
    ///   over; `CancellationError` before it starts; ``SchedulerError/outsideJob``; `StackError` where the bound values
    ///   cannot be copied.
    public static func await<R: Sendable>(
        priority: TaskPriority? = nil, _ body: sending @escaping @isolated(any) () async throws -> R
    ) throws -> R {
        let job = try AnyJob.current()
        let call = TaskCall(body, bindings: try TaskLocalBindings())
        var interruption: WakeReason?
        while true {
            let isShielded = interruption != nil
            let end = job.wait(at: .task, isOutside: true, isShielded: isShielded) { call.start(priority, waking: job) }
            guard let end else { break }
            if end == .event { continue }
            // Nothing has started.
            guard call.isStarted else { throw AnyJob.error(end) }
            interruption = interruption ?? end
            job.onWorkerBriefly { call.cancel() }
        }
        do { return try call.outcome().get() } catch let error as CancellationError {
            throw interruption == .timedOut ? SchedulerError.timedOut : error
        }
    }
}

/// A Task that a job waits for.
private final class TaskCall<R: Sendable>: @unchecked Sendable {
    private var body: (@isolated(any) () async throws -> R)?
    private let bindings: TaskLocalBindings
    private let completion = Completion()
    /// The job's worker.
    private var task: Task<Void, Never>?
    /// Written by the Task, read when it has ended.
    private var result: Result<R, any Error>?

    init(_ body: sending @escaping @isolated(any) () async throws -> R, bindings: consuming TaskLocalBindings) {
        self.body = body
        self.bindings = bindings
    }

    var isStarted: Bool { task != nil }

    /// Starts the Task, unless it was, and lets `job` wait for its end; nil once it has ended.
    func start(_ priority: TaskPriority?, waking job: AnyJob) -> Waiter? {
        if task == nil {
            task = bindings.bound { Task(priority: priority) { await self.run() } }
        }
        return completion.enlist(job)
    }

    private func run() async {
        guard let body = body.take() else { preconditionFailure("a Task runs once") }
        do { result = .success(try await body()) } catch { result = .failure(error) }
        completion.end()
    }

    func cancel() { task?.cancel() }

    func outcome() -> Result<R, any Error> {
        guard let result else { preconditionFailure("a Task that ended has a result") }
        return result
    }
}
