// A job with its body and its result.
//
// An error counts as received once a job or a Task has waited for the job, its scope or its run has thrown it. One that
// was not goes to the handler of the run when the last handle is gone, or when the run ends.
import Faultline
internal import Synchronization

final class JobCore<R: Sendable>: AnyJob, @unchecked Sendable {
    private var body: (() throws -> R)?
    /// Written by the job and its worker; read by others once it has ended.
    private var result: Result<R, any Error>?
    let completion = Completion()
    /// Whether its failure ends the run.
    private let isMain: Bool

    init(
        runtime: Runtime, configuration: StackConfiguration, name: String? = nil, scope: ScopeCore? = nil,
        isMain: Bool = false, body: sending @escaping () throws -> R
    ) throws {
        self.body = body
        self.isMain = isMain
        try super.init(runtime: runtime, configuration: configuration, name: name, scope: scope)
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
        // The run throws its own.
        if let failure, !isMain { runtime.unreceived.add(UnreceivedError(id: id, name: name, error: failure)) }
        completion.end()
    }

    override var failure: (any Error)? {
        guard case .failure(let error) = result else { return nil }
        return error is CancellationError && cancelled.load(ordering: .sequentiallyConsistent) ? nil : error
    }

    override func noteReceived() { _ = runtime.unreceived.take(id) }

    // The last handle may go anywhere, also on a job's stack.
    deinit {
        guard failure != nil else { return }
        let (runtime, id) = (runtime, id)
        onWorkerIfAny { if let error = runtime.unreceived.take(id) { runtime.report(error) } }
    }

    /// The job's result once it has ended; nil if it never ran.
    func outcome() -> Result<R, any Error>? { result }

    func join() throws -> R {
        let job = try AnyJob.current()
        var waiter: Waiter?
        let end = job.wait(at: .job(id), isOutside: runtime !== job.runtime) {
            waiter = completion.enlist(job)
            if waiter == nil { noteReceived() }
            return waiter
        }
        if let end, end != .event {
            job.onWorkerBriefly { if let waiter { completion.remove(waiter) } }
            throw AnyJob.error(end)
        }
        if waiter != nil { job.onWorkerBriefly { noteReceived() } }
        guard let result else { preconditionFailure("a job that ended has a result") }
        return try result.get()
    }
}
