// The frames of jobs that wait. Only the thread of a suspended job may read its stack, so others ask that thread, which
// answers between the turns of its jobs.
public import Faultline
internal import Synchronization

extension Scheduler {
    /// The frames of a job that is suspended, innermost first; empty for one that runs, has no stack yet or has ended
    /// meanwhile. A job that hibernates goes on doing so.
    ///
    ///     for info in Scheduler.jobs where info.name == "stuck" { print(info, try Scheduler.backtrace(of: info)) }
    ///
    /// It is a suspension point: the job's thread is asked, and answers when the job that it runs has suspended.
    /// - Parameter info: an entry of ``jobs``.
    /// - Throws: `CancellationError`, ``SchedulerError/timedOut``, ``SchedulerError/outsideJob``.
    /// - Complexity: the symbols are looked up by the job's thread, which reads the files of the images.
    public static func backtrace(of info: JobInfo) throws -> [StackFrame] {
        let job = try AnyJob.current()
        let question = StackQuestion(job: info.id)
        let end = job.wait(at: .backtrace, isOutside: info.run != job.runtime.number) {
            let runtime = Runtime.running.first { $0.number == info.run }
            guard let runtime, runtime.workers.indices.contains(info.thread) else { return nil }
            let worker = runtime.workers[info.thread]
            if worker === job.worker {
                question.answer(worker.jobs.started)
                return nil
            }
            guard worker.questions.add(question) else { return nil }
            let waiter = question.completion.enlist(job)
            _ = worker.wakeUp()
            return waiter
        }
        if let end, end != .event { throw AnyJob.error(end) }
        return question.frames
    }
}

final class StackQuestion: @unchecked Sendable {
    private let job: UInt64
    let completion = Completion()
    /// Written before the end.
    private(set) var frames: [StackFrame] = []

    init(job: UInt64) { self.job = job }

    /// On the thread that has `jobs`, between their turns.
    func answer(_ jobs: [AnyJob]) {
        frames = jobs.first { $0.id == job }?.frames ?? []
        completion.end()
    }
}

/// What a worker was asked and has not answered.
final class StackQuestions: Sendable {
    private struct State {
        var open: [StackQuestion] = []
        var isClosed = false
    }
    private let state = Lock(State())
    private let size = Atomic<Int>(0)

    /// Approximate, may be stale.
    var count: Int { size.load(ordering: .sequentiallyConsistent) }

    /// False where the worker has ended.
    func add(_ question: StackQuestion) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.open.append(question)
            size.store(state.open.count, ordering: .sequentiallyConsistent)
            return true
        }
    }

    func answer(_ jobs: [AnyJob]) {
        for question in take(isLast: false) { question.answer(jobs) }
    }

    /// The worker has no jobs any more.
    func close() {
        for question in take(isLast: true) { question.answer([]) }
    }

    private func take(isLast: Bool) -> [StackQuestion] {
        state.withLock { state in
            let open = state.open
            state.open = []
            state.isClosed = isLast
            size.store(0, ordering: .sequentiallyConsistent)
            return open
        }
    }
}
