// Scopes: jobs that end before the code that spawned them goes on.
//
// Invariants: a scope stays open until it has no child, even where its owner's frames were abandoned by an overflow
// (`adopt`); a failure is noted before the owner's wait is looked for, so that the owner cannot miss it.
internal import CScheduler
public import Faultline
internal import Synchronization

extension Scheduler {
    /// Runs `body`, whose jobs end before this returns or throws (structured concurrency).
    ///
    ///     let sizes = try Scheduler.withScope { scope in
    ///         let jobs = try names.map { name in try scope.spawn { try size(of: name) } }
    ///         return try jobs.map { try $0.join() }
    ///     }
    ///
    /// The first error of a job of the scope, or of `body`, cancels the other jobs of the scope, and is thrown when
    /// they have ended. Meanwhile the suspension points of `body` throw `CancellationError`; what it throws then is
    /// dropped. A job that was cancelled by itself and throws `CancellationError` is no failure. What may fail without
    /// ending the scope catches its error itself, or is spawned by ``spawn(name:stack:_:)``, outside of it.
    ///
    /// Cancelling the job that calls cancels the jobs of its scopes at once, and those of their scopes. Where the stack
    /// of the calling job overflows, the jobs of the scope are cancelled, and ``Job/join(deadline:)`` of the calling
    /// job waits for them.
    /// - Returns: what `body` returns.
    /// - Throws: the first error; `CancellationError`; ``SchedulerError/timedOut``; ``SchedulerError/outsideJob``.
    ///   Errors of jobs after that one, or after the scope was cancelled, go to the handler of the run unless a job
    ///   joins them.
    public static func withScope<R>(_ body: (Scope) throws -> R) throws -> R {
        let job = try AnyJob.current()
        let suspensions = job.cancelledSuspensions
        let core = ScopeCore(owner: job, outer: job.innermost)
        job.onWorkerBriefly { job.enter(core) }
        let result = Result { try body(Scope(core: core)) }
        var isCancelled = false
        if case .failure = result { isCancelled = true }
        var interruption: WakeReason?
        while true {
            if isCancelled { job.onWorkerBriefly { core.cancelAll() } }
            // Any other end of the wait than this looks again.
            guard let end = job.wait(at: .scope, isShielded: isCancelled, { core.enlistOwner() }) else { break }
            if end == .event { continue }
            interruption = interruption ?? end
            isCancelled = true
        }
        var failure: (any Error)?
        job.onWorkerBriefly {
            job.enter(core.outer)
            failure = core.error
        }
        if let failure {
            job.forgetSuspensions(since: suspensions)
            throw failure
        }
        if case .success = result, let interruption { throw AnyJob.error(interruption) }
        return try result.get()
    }
}

/// A scope that is open (``Scheduler/withScope(_:)``). Its own jobs may spawn into it, too.
public struct Scope: Sendable {
    let core: ScopeCore

    /// Makes a job as ``Scheduler/spawn(name:stack:_:)`` does, which ends before the scope does.
    /// - Throws: also `CancellationError` once the scope is cancelled, and ``SchedulerError/invalid(_:)`` once it has
    ///   ended, or in a job of another run.
    @discardableResult public func spawn<R: Sendable>(
        name: String? = nil, stack: StackConfiguration = Scheduler.defaultStack,
        _ body: sending @escaping () throws -> R
    ) throws -> Job<R> {
        try Scheduler.spawn(name: name, stack: stack, scope: core, body)
    }

    /// Cancels the jobs of the scope, also those that have not started. The scope does not fail by that.
    public func cancel() { onWorkerIfAny { core.cancelAll() } }
}

final class ScopeCore: @unchecked Sendable {
    private let runtime: Runtime
    /// The scope of the same job around this one.
    let outer: ScopeCore?
    private let failed = Atomic<Bool>(false)

    private struct State: ~Copyable {
        /// Until the scope is closed, so that what keeps one of its jobs does not keep the owner.
        var owner: AnyJob?
        var children: [AnyJob] = []
        var error: (any Error)?
        var isCancelled = false
        var areTaken = false
        var isClosed: Bool { owner == nil || isAdopted }
        /// Whether the owner has ended and waits for nothing but the last child.
        var isAdopted = false
        var waiting = WaitList()
    }
    private let state: Lock<State>

    init(owner: AnyJob, outer: ScopeCore?) {
        state = Lock(State(owner: owner))
        runtime = owner.runtime
        self.outer = outer
    }

    /// Whether this scope or one around it has failed, so that the owner's suspension points throw.
    var isInterrupted: Bool { failed.load(ordering: .sequentiallyConsistent) || outer?.isInterrupted == true }

    var error: (any Error)? { state.withLock { $0.error } }

    /// Nil where the child was added.
    func add(_ child: AnyJob) -> (any Error)? {
        guard child.runtime === runtime else {
            return SchedulerError.invalid("a scope has the jobs of one run; spawn this job in a scope of its own run")
        }
        return state.withLock { state -> (any Error)? in
            if state.isClosed {
                return SchedulerError.invalid("the scope has ended; spawn the job before it does, or outside of it")
            }
            if state.isCancelled { return CancellationError() }
            child.scopeIndex = state.children.count
            state.children.append(child)
            return nil
        }
    }

    func cancelAll() { AnyJob.cancel(takeToCancel()) }

    /// The children, for the first that cancels them; from now on there are no others.
    func takeToCancel() -> [AnyJob] {
        state.withLock { state in
            state.isCancelled = true
            if state.areTaken { return [] }
            state.areTaken = true
            // A copy: those that end change the list in its place.
            return state.children.map { $0 }
        }
    }

    /// Lets the owner wait for the children; nil once there is none, which closes the scope.
    func enlistOwner() -> Waiter? {
        state.withLock { state in
            guard !state.children.isEmpty, let owner = state.owner else {
                state.owner = nil
                return nil
            }
            let waiter = Waiter(owner)
            state.waiting.append(waiter)
            return waiter
        }
    }

    /// The owner has ended with its scope open.
    /// - Returns: whether there is no child. Else the last one finds the owner.
    func adopt() -> Bool {
        let isEmpty = state.withLock { state in
            state.isAdopted = !state.children.isEmpty
            if !state.isAdopted { state.owner = nil }
            return !state.isAdopted
        }
        if !isEmpty { cancelAll() }
        return isEmpty
    }

    /// - Returns: the owner where it has ended, too, and this was the last child.
    func childEnded(_ child: AnyJob) -> AnyJob? {
        let error = child.failure
        let (isFailure, isEcho, owner) = state.withLock { state -> (Bool, Bool, AnyJob?) in
            let last = state.children.count - 1
            state.children.swapAt(child.scopeIndex, last)
            state.children[child.scopeIndex].scopeIndex = child.scopeIndex
            state.children.removeLast()
            let isFirst = error != nil && state.error == nil && !state.isCancelled && !state.isAdopted
            if isFirst {
                state.error = error
                state.isCancelled = true
                failed.store(true, ordering: .sequentiallyConsistent)
                // With the lock: later the owner may have left the scope, and wait for something else.
                state.owner?.interrupt()
            }
            if last == 0 { state.waiting.wakeAll(.event) }
            // What it asked of a cancelled scope may have told it before its own cancellation did.
            let isEcho = state.isCancelled && error is CancellationError
            return (isFirst, isEcho, last == 0 && state.isAdopted ? state.owner.take() : nil)
        }
        if isFailure || isEcho { child.noteReceived() }
        if isFailure { cancelAll() }
        return owner
    }
}

extension AnyJob {
    /// Ends the job, whose body has ended. Where an overflow has abandoned frames that held a scope open, the last job
    /// of the scope ends it, on its own worker.
    final func settle() {
        var next: AnyJob? = self
        while let job = next {
            while let scope = job.innermost {
                guard scope.adopt() else { return }
                job.enter(scope.outer)
            }
            job.complete()
            next = job.scope?.childEnded(job)
            job.runtime.jobEnded()
        }
    }
}
