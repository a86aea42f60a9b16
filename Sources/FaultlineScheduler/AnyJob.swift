// A job without its result's type: its coroutine, what it waits for (as every `Party`), and how it is woken.
//
// Invariants:
//  - once a job has started, only its worker's thread resumes it; other threads wake it by putting it into a queue;
//  - everything that takes a lock or counts runs on the worker's stack (`onWorker`), never on the job's: an overflow
//    abandons the job's frames, and a lock that one of them held would stay locked for ever. On another stack, which
//    may be isolated too, it runs below a frame that no overflow abandons (`withoutAbandon`).
internal import CScheduler
internal import CSwitch
import Faultline
internal import Synchronization

/// What a worker does with a job whose request it served.
enum Disposition {
    /// Goes on at once.
    case proceed
    /// Goes on after the others that are ready.
    case requeue
    /// Goes on when it is woken.
    case park
}

class AnyJob: Party, @unchecked Sendable {
    typealias Stack = Coroutine<Void, Void, Void>

    let runtime: Runtime
    let configuration: StackConfiguration
    /// Unique in its run.
    let id: UInt64
    let name: String?
    /// The scope that it was spawned in, and its place there, which the scope's lock protects.
    let scope: ScopeCore?
    var scopeIndex = -1
    /// The innermost scope that its body is in, and a copy for a cancellation, which looks for it on any thread.
    private(set) var innermost: ScopeCore?
    private let published = Lock<ScopeCore?>(nil)
    /// The word of the `JobInfo.Wait` that it has begun last, for lists of jobs.
    let place = Atomic<UInt64>(0)

    // The rest belongs to the queue that holds the job, and from its start to its worker.
    var next: AnyJob?
    private(set) var worker: Worker?
    private var coroutine: Stack?
    private var fiber: UnsafeMutablePointer<fl_fiber>?
    private var request: (() -> Disposition)?
    /// What `TaskLocal` had bound where the job was spawned.
    private var bindings: TaskLocalBindings?
    /// Times in a row that the kernel refused to restore its stack.
    private var refusals = 0
    /// Refusals before the job fails. After each the worker pauses for a millisecond, so that they take about a second.
    private static let patience = 1000
    /// Place in the worker's list of started jobs.
    var index = -1
    /// Place in the worker's heap of timers, -1 without a timer.
    var timerIndex = -1
    /// Nanoseconds of the monotonic clock, and the wait that the timer ends.
    var deadline: UInt64 = 0
    var timedWait: UInt64 = 0
    /// When its waits end at the latest, in nanoseconds of the monotonic clock (`Scheduler.withTimeout`).
    private(set) var limit = UInt64.max
    /// Whether its worker counts it as waiting for input.
    var countsAsInput = false

    /// - Throws: where the values that `TaskLocal` has bound cannot be copied.
    init(runtime: Runtime, configuration: StackConfiguration, name: String? = nil, scope: ScopeCore? = nil) throws {
        bindings = try TaskLocalBindings()
        self.runtime = runtime
        self.configuration = configuration
        self.name = name
        self.scope = scope
        id = runtime.nextIdentity()
    }

    /// Runs the body and keeps its result. On the job's stack.
    func execute() { preconditionFailure("a job has a body") }

    /// Ends the job with `error` as its result.
    func fail(_ error: any Error) { preconditionFailure("a job has a result") }

    /// Wakes the parties that wait for its end. On the worker's stack, after the last change of the result.
    func complete() { preconditionFailure("a job has a result") }

    /// What it has thrown, but for the `CancellationError` of a cancelled job.
    var failure: (any Error)? { preconditionFailure("a job has a result") }

    /// Its failure has reached code that asked. Not on a job's stack.
    func noteReceived() { preconditionFailure("a job has a result") }

    // MARK: running, on the worker's stack

    /// Makes the stack; from then on the job belongs to `worker`.
    func prepare(on worker: Worker) throws {
        self.worker = worker
        let body: Stack.Body = { [unowned self] _, _ in
            fiber = fl_fiber_running()
            execute()
        }
        coroutine = try bindings.take()?.bound { try Stack(configuration: configuration, body: body) }
    }

    /// Runs the job on its worker until it waits, has to let others run, or ends, and says which; nil when it ended.
    func advance(on worker: Worker) -> Disposition? {
        // A job that never has to wait must not keep its thread to itself.
        var budget = 64
        while true {
            fls_set_job(Unmanaged.passUnretained(self).toOpaque())
            defer { fls_set_job(nil) }
            worker.countTurn()
            do {
                guard let coroutine, case .suspended = try coroutine.resume() else { return nil }
            } catch {
                // Nothing is lost, and by its next turn there may be memory again.
                if coroutine?.isHibernated == true, refusals < Self.patience {
                    refusals += 1
                    fls_pause()
                    return .requeue
                }
                fail(error)
                return nil
            }
            refusals = 0
            guard let request = request.take() else { preconditionFailure("a job suspends with a request") }
            let disposition = request()
            guard case .proceed = disposition else { return disposition }
            budget -= 1
            if budget == 0 { return .requeue }
        }
    }

    /// Its frames while it is suspended, innermost first. Between its turns.
    var frames: [StackFrame] { coroutine?.backtrace ?? [] }

    /// Gives the stack back.
    func leaveStack() {
        coroutine = nil
        worker = nil
        fiber = nil
        request = nil
    }

    // MARK: suspending, on the job's stack

    /// The job that calls.
    /// - Throws: ``SchedulerError/outsideJob`` where none does, or not on its own stack.
    static func current() throws(SchedulerError) -> AnyJob {
        guard let job = running() else { throw SchedulerError.outsideJob }
        return job
    }

    static func running() -> AnyJob? {
        guard let pointer = fls_job() else { return nil }
        let job = Unmanaged<AnyJob>.fromOpaque(pointer).takeUnretainedValue()
        // A job whose first resumption failed has no stack, but is the thread's job until it has failed.
        guard let fiber = job.fiber, fiber == fl_fiber_running() else { return nil }
        return job
    }

    /// Lets the worker serve `request` on its own stack, and goes on as that says.
    @inline(__always) final func onWorker(_ request: () -> Disposition) {
        withoutActuallyEscaping(request) { request in
            self.request = request
            guard let fiber else { preconditionFailure("only a started job suspends") }
            _ = fl_suspend(fiber)
        }
    }

    // MARK: waiting

    /// Suspension points that threw because the job is cancelled.
    private(set) var cancelledSuspensions = 0
    /// A body may have a few on its way out. One that goes on for ever would keep the run from ending.
    private static let suspensionsAfterCancellation = 1000

    /// The error of a suspension point of the job that calls, which is cancelled.
    static func cancellation() -> CancellationError {
        guard let job = running() else { return CancellationError() }
        job.cancelledSuspensions += 1
        if job.cancelledSuspensions > suspensionsAfterCancellation {
            fatalError(
                """
                a job goes on after its cancellation: its suspension points have thrown CancellationError 1,000 times; let \
                that error pass, so that the job ends
                """)
        }
        return CancellationError()
    }

    /// The body has left a scope that failed, whose cancellation ends with it.
    final func forgetSuspensions(since count: Int) { cancelledSuspensions = count }

    /// Whether its suspension points throw `CancellationError`. The job and its worker ask.
    final var isCancelled: Bool {
        cancelled.load(ordering: .sequentiallyConsistent) || innermost?.isInterrupted == true
    }

    /// Why it may not wait, or go on without waiting.
    final var interruption: WakeReason? {
        if isCancelled { return .cancelled }
        return limit < .max && fls_now() >= limit ? .timedOut : nil
    }

    static func error(_ reason: WakeReason) -> any Error {
        reason == .timedOut ? SchedulerError.timedOut : cancellation()
    }

    /// Parks the job until its wait is claimed, or goes on at once if it was cancelled meanwhile. On the worker's
    /// stack, after the wait was registered wherever it can be claimed.
    /// - Parameters:
    ///   - isOutside: whether something outside the run may end the wait, so that it is no deadlock.
    ///   - isShielded: whether neither a cancellation that came before nor the limit ends the wait.
    ///   - end: when the wait ends by itself, with the reason `timedOut`.
    final func park(
        _ number: UInt64, at place: JobInfo.Wait, isOutside: Bool = false, isShielded: Bool = false,
        until end: UInt64 = .max
    ) -> Disposition {
        if !isShielded, isCancelled, claim(number) {
            reason = .cancelled
            return .proceed
        }
        guard let worker else { preconditionFailure("a job that runs has a worker") }
        self.place.store(place.word, ordering: .relaxed)
        if isOutside {
            countsAsInput = true
            worker.waitingForInput += 1
        }
        let end = isShielded ? end : min(limit, end)
        if end < .max { worker.timers.insert(self, wait: number, deadline: end) }
        return .park
    }

    /// Waits at `place`. `start` lists the job and returns its waiter, nil where it need not wait; it runs on the
    /// worker's stack.
    /// - Returns: why the wait ended, nil without one. After `cancelled` and `timedOut` the waiter may still be listed.
    final func wait(
        at place: JobInfo.Wait, isOutside: Bool = false, isShielded: Bool = false, _ start: () -> Waiter?
    ) -> WakeReason? {
        var end: WakeReason?
        var waited = false
        onWorker {
            if !isShielded, let reason = interruption {
                end = reason
                return .proceed
            }
            guard let waiter = start() else { return .proceed }
            waited = true
            return park(waiter.number, at: place, isOutside: isOutside, isShielded: isShielded)
        }
        return waited ? reason : end
    }

    /// Makes a call that never waits, where locks may be taken: on the worker's stack.
    final func onWorkerBriefly(_ body: () -> Void) {
        onWorker {
            body()
            return .proceed
        }
    }

    /// Runs `body`, whose waits end at `end` at the latest, in nanoseconds of the monotonic clock.
    final func limited<R>(to end: UInt64, _ body: () throws -> R) rethrows -> R {
        let before = limit
        limit = min(before, end)
        defer { limit = before }
        return try body()
    }

    final func limited<R>(by deadline: SuspendingClock.Instant?, _ body: () throws -> R) rethrows -> R {
        guard let deadline else { return try body() }
        return try limited(to: deadline.nanoseconds, body)
    }

    /// Puts the job into its worker's queue. The wait was claimed.
    override func wake(_ reason: WakeReason) {
        self.reason = reason
        guard let worker else { preconditionFailure("only a started job waits") }
        worker.enqueue(self)
    }

    /// Any thread, not on a job's stack.
    final func cancel() { Self.cancel([self]) }

    /// Cancels jobs, those of all scopes that they are in, and so on. Scopes may be nested as deep as jobs recurse.
    static func cancel(_ jobs: [AnyJob]) {
        var jobs = jobs
        while let job = jobs.popLast() {
            job.cancelled.store(true, ordering: .sequentiallyConsistent)
            job.interrupt()
            var scope = job.published.withLock { $0 }
            while let open = scope {
                jobs += open.takeToCancel()
                scope = open.outer
            }
        }
    }

    /// Makes `scope`, or none, the innermost one. On the worker's stack.
    final func enter(_ scope: ScopeCore?) {
        innermost = scope
        published.withLock { $0 = scope }
        // A cancellation that found the scope before missed this one.
        if cancelled.load(ordering: .sequentiallyConsistent) { scope?.cancelAll() }
    }
}
