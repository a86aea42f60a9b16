// Threads for calls that block, so that no worker waits for them.
//
// The queue is first in, first out. A thread is started when a call finds none idle and there are fewer than the limit;
// it serves calls until the run ends. The semaphore is posted once for each call that was queued, and once for each
// thread at the end.
internal import CScheduler
import Faultline
internal import Synchronization

extension Scheduler {
    /// Runs `body` on a thread for calls that block, and waits for it: the job is parked, and its thread runs other
    /// jobs meanwhile. Name servers, file systems and foreign libraries wait here. `body` starts with the values that
    /// `TaskLocal` has bound for the job, on a thread's stack of the default size, and runs no job.
    ///
    /// A run has at most as many such threads as it was given; further calls wait for one in the order of their
    /// arrival. A call that has begun cannot be interrupted. Where the job is cancelled, or its time is over, it goes
    /// on without the call, whose outcome is lost; the run waits for the call at its end. Waiting for such a call is
    /// never a deadlock.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws; `CancellationError`; ``SchedulerError/timedOut``; ``SchedulerError/outsideJob``;
    ///   ``SchedulerError/system(call:errno:)`` where no thread could be started and none was before; `StackError`
    ///   where the bound values cannot be copied.
    public static func blocking<R: Sendable>(_ body: sending @escaping () throws -> R) throws -> R {
        let job = try AnyJob.current()
        let call = BlockingCallOf(body, bindings: try TaskLocalBindings())
        var refusal: SchedulerError?
        var waiter: Waiter?
        let end = job.wait(at: .blockingCall, isOutside: true) {
            refusal = job.runtime.blockingPool.submit(call)
            waiter = refusal == nil ? call.completion.enlist(job) : nil
            return waiter
        }
        if let refusal { throw refusal }
        if let end, end != .event {
            job.onWorkerBriefly {
                if let waiter { call.completion.remove(waiter) }
                call.abandon()
            }
            throw AnyJob.error(end)
        }
        return try call.outcome().get()
    }
}

/// A call without its result's type.
private class BlockingCall: @unchecked Sendable {
    let completion = Completion()
    private let isAbandoned = Atomic<Bool>(false)
    private let bindings: TaskLocalBindings

    init(bindings: consuming TaskLocalBindings) { self.bindings = bindings }

    /// No job waits for it any more: it does not begin.
    final func abandon() { isAbandoned.store(true, ordering: .sequentiallyConsistent) }

    final func run(before end: () -> Void) {
        if !isAbandoned.load(ordering: .sequentiallyConsistent) { bindings.bound { execute() } }
        end()
        completion.end()
    }

    func execute() { preconditionFailure("a call has a body") }
}

private final class BlockingCallOf<R: Sendable>: BlockingCall, @unchecked Sendable {
    private var body: (() throws -> R)?
    /// Written by the thread that runs the call, read when it has ended.
    private var result: Result<R, any Error>?

    init(_ body: sending @escaping () throws -> R, bindings: consuming TaskLocalBindings) {
        self.body = body
        super.init(bindings: bindings)
    }

    override func execute() {
        guard let body = body.take() else { preconditionFailure("a call runs once") }
        result = Result { try body() }
    }

    func outcome() -> Result<R, any Error> {
        guard let result else { preconditionFailure("a call that ended has a result") }
        return result
    }
}

final class BlockingPool: Sendable {
    private let limit: Int

    private struct State: ~Copyable {
        var queue: [BlockingCall] = []
        /// Calls before this place were taken.
        var head = 0
        var threads: [SystemThread] = []
        /// Threads that run a call.
        var busy = 0

        mutating func take() -> BlockingCall? {
            guard head < queue.count else { return nil }
            let call = queue[head]
            head += 1
            if head == queue.count || head >= 64 {
                queue.removeFirst(head)
                head = 0
            }
            return call
        }
    }
    private let state = Lock(State())
    private let calls = Semaphore()

    init(limit: Int) { self.limit = limit }

    /// The threads that it has now.
    var threadCount: Int { state.withLock { $0.threads.count } }

    /// Queues `call`. Returns an error where no thread will ever run it.
    fileprivate func submit(_ call: BlockingCall) -> SchedulerError? {
        let refusal = state.withLock { state -> SchedulerError? in
            let waiting = state.queue.count - state.head
            if state.threads.count - state.busy <= waiting, state.threads.count < limit {
                do throws(SchedulerError) {
                    state.threads.append(try SystemThread.start { self.serve() })
                } catch {
                    if state.threads.isEmpty { return error }
                }
            }
            state.queue.append(call)
            return nil
        }
        if refusal == nil { calls.post() }
        return refusal
    }

    private func serve() {
        while true {
            calls.wait()
            let call = state.withLock { state -> BlockingCall? in
                let call = state.take()
                if call != nil { state.busy += 1 }
                return call
            }
            // Only the end posts without a call.
            guard let call else { return }
            // Not busy any more before the job goes on, which may ask for the next call at once.
            call.run { state.withLock { $0.busy -= 1 } }
        }
    }

    /// Waits for the calls that have begun; those that have not were abandoned. Called once, when no job is left.
    func end() {
        let threads = state.withLock { $0.threads }
        for _ in threads { calls.post() }
        for thread in threads { thread.join() }
    }
}
