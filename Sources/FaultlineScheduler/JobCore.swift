// A job with its body and its result.
import Faultline
internal import Synchronization

final class JobCore<R: Sendable>: AnyJob, @unchecked Sendable {
    private var body: (@Sendable () throws -> R)?
    /// Written by the job and its worker; read by others once `state` says that it ended.
    private var result: Result<R, any Error>?

    private struct State: ~Copyable {
        var hasEnded = false
        var joining = WaitList()
    }
    private let state = Lock(State())
    /// Whether its failure ends the run.
    private let isMain: Bool

    init(
        runtime: Runtime, configuration: StackConfiguration, isMain: Bool = false,
        body: @escaping @Sendable () throws -> R
    ) throws {
        self.body = body
        self.isMain = isMain
        try super.init(runtime: runtime, configuration: configuration)
    }

    override func execute() {
        guard let body = body.take() else { preconditionFailure("a job runs once") }
        result = Result { try body() }
    }

    override func fail(_ error: any Error) {
        body = nil
        result = .failure(error)
    }

    override func complete() {
        if isMain, case .failure = result { runtime.stop() }
        state.withLock { state in
            state.hasEnded = true
            while let waiter = state.joining.claimFirst() { waiter.job.wake(.event) }
        }
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// The job's result once it has ended; nil if it never ran.
    func outcome() -> Result<R, any Error>? { result }

    func join() throws -> R {
        let job = try AnyJob.current()
        var waiter: Waiter?
        var isCancelled = false
        job.onWorker {
            if job.isCancelled {
                isCancelled = true
                return .proceed
            }
            return state.withLock { state in
                if state.hasEnded { return .proceed }
                let added = Waiter(job)
                waiter = added
                state.joining.append(added)
                return job.park(added.number)
            }
        }
        if let waiter, job.reason == .cancelled {
            isCancelled = true
            job.onWorker {
                state.withLock { $0.joining.remove(waiter) }
                return .proceed
            }
        }
        if isCancelled { throw AnyJob.cancellation() }
        guard let result else { preconditionFailure("a job that ended has a result") }
        return try result.get()
    }
}
