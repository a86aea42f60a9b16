// A job without its result's type: its coroutine, what it waits for, and how it is woken.
//
// Invariants:
//  - once a job has started, only its worker's thread resumes it; other threads wake it by putting it into a queue;
//  - a wait is a number, odd while the wait lasts. The thread that makes it even with one exchange (`claim`) wakes the
//    job, so that an event and a cancellation at the same time wake it once;
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

enum WakeReason { case event, cancelled, closed }

class AnyJob: @unchecked Sendable {
    typealias Stack = Coroutine<Void, Void, Void>

    let runtime: Runtime
    let configuration: StackConfiguration
    private let cancelled = Atomic<Bool>(false)
    private let wait = Atomic<UInt64>(0)
    /// Written by the thread that claimed the wait, read by the job when it goes on.
    var reason = WakeReason.event

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

    /// - Throws: where the values that `TaskLocal` has bound cannot be copied.
    init(runtime: Runtime, configuration: StackConfiguration) throws {
        bindings = try TaskLocalBindings()
        self.runtime = runtime
        self.configuration = configuration
    }

    /// Runs the body and keeps its result. On the job's stack.
    func execute() { preconditionFailure("a job has a body") }

    /// Ends the job with `error` as its result.
    func fail(_ error: any Error) { preconditionFailure("a job has a result") }

    /// Wakes the jobs that join this one. On the worker's stack, after the last change of the result.
    func complete() { preconditionFailure("a job has a result") }

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

    /// Runs the job until it waits, has to let others run, or ends, and says which; nil when it ended.
    func advance() -> Disposition? {
        // A job that never has to wait must not keep its thread to itself.
        var budget = 64
        while true {
            fls_set_job(Unmanaged.passUnretained(self).toOpaque())
            defer { fls_set_job(nil) }
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
    private var cancelledSuspensions = 0
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

    final var isCancelled: Bool { cancelled.load(ordering: .sequentiallyConsistent) }

    /// Whether it waits right now: for tests, which any thread of theirs may ask.
    final var isWaiting: Bool { wait.load(ordering: .sequentiallyConsistent) & 1 == 1 }

    /// Begins a wait. On the worker's stack, before another thread can learn of it.
    final func beginWait() -> UInt64 {
        let number = wait.load(ordering: .relaxed) + 1
        wait.store(number, ordering: .sequentiallyConsistent)
        return number
    }

    /// Parks the job until its wait is claimed, or goes on at once if it was cancelled meanwhile. On the worker's
    /// stack, after the wait was registered wherever it can be claimed. A cancellation sets its flag and then looks for
    /// a wait; this function looks in the opposite order, so one of them sees the other.
    final func park(_ number: UInt64) -> Disposition {
        guard isCancelled, claim(number) else { return .park }
        reason = .cancelled
        return .proceed
    }

    /// Ends the wait, if it still lasts. A caller that gets true must set the reason and wake the job.
    final func claim(_ number: UInt64) -> Bool {
        wait.compareExchange(expected: number, desired: number + 1, ordering: .sequentiallyConsistent).exchanged
    }

    /// Puts the job into its worker's queue. The wait was claimed.
    final func wake(_ reason: WakeReason) {
        self.reason = reason
        guard let worker else { preconditionFailure("only a started job waits") }
        worker.enqueue(self)
    }

    /// Any thread.
    final func cancel() {
        cancelled.store(true, ordering: .sequentiallyConsistent)
        let number = wait.load(ordering: .sequentiallyConsistent)
        if number & 1 == 1, claim(number) { wake(.cancelled) }
    }
}

/// Runs `body` here, and to its end even where the stack overflows meanwhile, so that it unlocks what it locked.
private func withoutAbandon(_ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) { pointer in
            fls_call_no_abandon({ $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
        }
    }
}

/// Runs `body` on the worker's stack if a job calls, else right here.
func onWorkerIfAny<R>(_ body: () -> R) -> R {
    var result: R?
    guard let job = AnyJob.running() else {
        withoutAbandon { result = body() }
        guard let result else { preconditionFailure("a closure that was called has a result") }
        return result
    }
    job.onWorker {
        result = body()
        return .proceed
    }
    guard let result else { preconditionFailure("a worker serves every request") }
    return result
}

/// A job in a list of those that wait for the same thing. The list's lock protects the links.
class Waiter: @unchecked Sendable {
    let job: AnyJob
    let number: UInt64
    fileprivate(set) unowned(unsafe) var previous: Waiter?
    fileprivate(set) var next: Waiter?
    fileprivate(set) var isListed = false

    init(_ job: AnyJob) {
        self.job = job
        number = job.beginWait()
    }
}

/// Waiters in the order of their arrival. Any of them can be removed in constant time.
struct WaitList: ~Copyable {
    private var first: Waiter?
    private unowned(unsafe) var last: Waiter?

    var isEmpty: Bool { first == nil }

    mutating func append(_ waiter: Waiter) {
        waiter.isListed = true
        waiter.previous = last
        if let last { last.next = waiter } else { first = waiter }
        last = waiter
    }

    /// Does nothing to a waiter that is in no list.
    mutating func remove(_ waiter: Waiter) {
        guard waiter.isListed else { return }
        waiter.isListed = false
        if let previous = waiter.previous { previous.next = waiter.next } else { first = waiter.next }
        if let next = waiter.next { next.previous = waiter.previous } else { last = waiter.previous }
        waiter.previous = nil
        waiter.next = nil
    }

    /// Claims the wait of the first waiter whose wait still lasts. The caller must wake its job.
    mutating func claimFirst() -> Waiter? {
        while let waiter = first {
            remove(waiter)
            if waiter.job.claim(waiter.number) { return waiter }
        }
        return nil
    }
}
