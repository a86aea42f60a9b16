// What the workers of one run share: how many jobs are alive, which workers sleep, why the run ends.
//
// The last worker that becomes idle sees a deadlock: every worker is idle, no queue holds a job, no job waits for time
// or a descriptor, but jobs are alive. Only a running job wakes such a job, so none would ever run again.
internal import CScheduler
import Faultline
internal import Synchronization

final class Runtime: @unchecked Sendable {
    /// Set before the first thread starts.
    private(set) var workers: [Worker] = []
    /// Which jobs hibernate by themselves.
    let hibernation: HibernationPolicy?
    /// Workers that sleep or are about to.
    let sleepers = Atomic<Int>(0)

    private let alive = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)

    private struct Idle {
        var workers = 0
        /// Jobs of idle workers that wait for time or descriptors.
        var pending = 0
    }
    private let idle = Lock(Idle())
    private let failure = Lock<SchedulerError?>(nil)
    private let identities = Atomic<UInt64>(0)
    /// Threads for calls that block.
    let blockingPool: BlockingPool
    let watchdog: Watchdog?
    let unreceived = UnreceivedErrors()
    private let handler: @Sendable (UnreceivedError) -> Void

    /// The runs in progress.
    private static let all = Lock<[Runtime]>([])
    static var running: [Runtime] { all.withLock { $0.map { $0 } } }
    private static let runs = Atomic<UInt64>(0)
    /// Unique in the process.
    let number = Runtime.runs.add(1, ordering: .relaxed).newValue

    init(
        threads: Int, hibernation: HibernationPolicy? = nil, blockingThreads: Int = 1, watchdog: Watchdog? = nil,
        handler: @escaping @Sendable (UnreceivedError) -> Void = UnreceivedError.report
    ) throws(SchedulerError) {
        self.hibernation = hibernation
        self.watchdog = watchdog
        self.handler = handler
        blockingPool = BlockingPool(limit: blockingThreads)
        do throws(SchedulerError) {
            for number in 0..<threads { workers.append(try Worker(runtime: self, number: number)) }
        } catch {
            closeDescriptors()
            throw error
        }
    }

    /// Starts `job` and returns when every job has ended.
    func run(_ job: AnyJob) throws(SchedulerError) {
        Self.all.withLock { $0.append(self) }
        defer { Self.all.withLock { $0.removeAll { $0 === self } } }
        alive.store(1, ordering: .relaxed)
        workers[0].fresh.append(job)
        var threads: [SystemThread] = []
        var guardian: WatchdogThread?
        do throws(SchedulerError) {
            if let watchdog { guardian = try WatchdogThread(watchdog, self) }
            for worker in workers { threads.append(try SystemThread.start { worker.run() }) }
        } catch { fail(error) }
        for thread in threads { thread.join() }
        blockingPool.end()
        guardian?.end()
        // Where no thread could be started the job is still queued, and it and this object would keep each other alive.
        _ = workers[0].fresh.popFirst()
        closeDescriptors()
        for error in unreceived.takeAll() { report(error) }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// No worker's thread runs, or none will.
    fileprivate func closeDescriptors() {
        for worker in workers { worker.closeDescriptors() }
    }

    // MARK: any thread

    func nextIdentity() -> UInt64 { identities.add(1, ordering: .relaxed).newValue }

    /// Not on a job's stack.
    func report(_ error: UnreceivedError) { handler(error) }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }
    var hasEnded: Bool { ended.load(ordering: .sequentiallyConsistent) }
    var hasFreshJobs: Bool { workers.contains { $0.fresh.count > 0 } }

    /// Cancels every job, also those that are spawned later.
    func stop() {
        if stopping.exchange(true, ordering: .sequentiallyConsistent) { return }
        wakeAll()
    }

    /// Ends the run with `error`, unless it ends with an earlier one.
    func fail(_ error: SchedulerError) {
        failure.withLock { $0 = $0 ?? error }
        stop()
    }

    private func wakeAll() {
        for worker in workers { _ = worker.wakeUp() }
    }

    /// Wakes a worker that sleeps, if one does, so that it takes fresh jobs.
    func wakeSleeper() {
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        for worker in workers where worker.isSleeping && worker.wakeUp() { return }
    }

    // MARK: the workers' threads

    func jobSpawned() { alive.add(1, ordering: .relaxed) }

    func jobEnded() {
        guard alive.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 else { return }
        ended.store(true, ordering: .sequentiallyConsistent)
        wakeAll()
    }

    /// A worker has nothing to do; `pending` of its jobs wait for time or descriptors. Returns false where the worker
    /// must look again because the run ends.
    func becomeIdle(pending: Int) -> Bool {
        let isDeadlock = idle.withLock { idle in
            idle.workers += 1
            idle.pending += pending
            guard idle.workers == workers.count, idle.pending == 0, !isStopping, !hasEnded, !hasFreshJobs,
                !workers.contains(where: \.hasMail)
            else { return false }
            // This worker is not idle any more when the others wake.
            idle.workers -= 1
            return true
        }
        guard isDeadlock else { return true }
        fail(.deadlock(jobs: alive.load(ordering: .relaxed)))
        return false
    }

    func becomeBusy(pending: Int) {
        idle.withLock { idle in
            idle.workers -= 1
            idle.pending -= pending
        }
    }
}

/// A run that has not begun: its threads' data and its first job.
struct Run<R: Sendable>: Sendable {
    let runtime: Runtime
    private let job: JobCore<R>

    init(
        threads: Int?, stack: StackConfiguration, hibernation: HibernationPolicy?, blockingThreads: Int,
        watchdog: Watchdog?, handler: @escaping @Sendable (UnreceivedError) -> Void,
        _ body: sending @escaping () throws -> R
    ) throws {
        let count = threads ?? min(Int(fls_processors()), 1024)
        for (count, what) in [(count, "threads"), (blockingThreads, "blocking threads")]
        where !(1...1024).contains(count) {
            throw SchedulerError.invalid("a scheduler cannot have \(count) \(what); give it 1 to 1024")
        }
        try hibernation?.validate()
        try watchdog?.validate()
        runtime = try Runtime(
            threads: count, hibernation: hibernation, blockingThreads: blockingThreads, watchdog: watchdog,
            handler: handler)
        do {
            job = try JobCore(runtime: runtime, configuration: stack, isMain: true, body: body)
        } catch {
            runtime.closeDescriptors()
            throw error
        }
    }

    /// It is never run.
    func discard() { runtime.closeDescriptors() }

    /// Runs it to its end.
    func result() throws -> R {
        do { try runtime.run(job) } catch {
            // The caller gets one error.
            if let failure = job.failure { runtime.report(UnreceivedError(id: job.id, name: nil, error: failure)) }
            throw error
        }
        guard let outcome = job.outcome() else { preconditionFailure("a run without an error has a result") }
        return try outcome.get()
    }
}
