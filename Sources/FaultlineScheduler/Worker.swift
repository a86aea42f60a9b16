// One thread that runs jobs: those it started, which stay with it, and fresh ones, which any idle worker may take.
//
// Invariants: everything without a lock of its own belongs to the worker's thread. A wake-up from another thread goes
// through the inbox; the eventfd is written only while the worker sleeps, and never read, because it is edge-triggered.
// It is closed when no thread is between finding the worker asleep and the end of that write, which may be after the
// run's last job.
internal import CScheduler
import Faultline
internal import Glibc
internal import Synchronization

final class Worker: @unchecked Sendable {
    /// Alive while the worker's thread is.
    unowned(unsafe) let runtime: Runtime
    /// Its place among the run's workers.
    let number: Int
    private let epoll: Int32
    private let event: Int32

    // Any thread.
    /// Jobs of this worker that others woke.
    private let inbox = SharedJobQueue()
    /// Jobs that have no stack yet.
    let fresh = SharedJobQueue()
    private let sleeps = Atomic<Bool>(false)
    /// Threads that are waking the worker.
    private let wakers = Atomic<Int>(0)
    private let startedCount = Atomic<Int>(0)
    /// Jobs that this worker has started; only its own thread changes the list.
    private let started = Lock<[AnyJob]>([])
    /// The identity of the job that runs, 0 between jobs.
    private let runningJob = Atomic<UInt64>(0)
    /// Counts the times that a job was resumed. Only the worker's thread writes it.
    private let turns = Atomic<UInt64>(0)
    private let systemThreadNumber = Atomic<Int32>(0)
    let questions = StackQuestions()

    // The worker's thread.
    private var ready = JobQueue()
    var timers = TimerHeap()
    /// Jobs that wait for a descriptor, or for something else outside the run.
    var waitingForInput = 0
    private let registrations = Registrations()
    private var hasCancelled = false
    private var runsSincePoll = 0
    private var sweeps: IdleSweeps?
    var seed: UInt64
    private let events: UnsafeMutablePointer<fls_event>

    private static let eventsAtOnce = 256
    /// Jobs that run before the worker looks for events and timers again.
    private static let runsBetweenPolls = 64
    /// Nanoseconds. A wake-up can be lost only where foreign code closed the eventfd; this bounds the damage.
    private static let longestSleep: Int64 = 1_000_000_000

    init(runtime: Runtime, number: Int) throws(SchedulerError) {
        self.runtime = runtime
        self.number = number
        seed = 0x9e37_79b9_7f4a_7c15 &* UInt64(number + 1)
        sweeps = runtime.hibernation.map(IdleSweeps.init)
        epoll = try SchedulerError.check(.FLS_SITE_EPOLL_CREATE, fls_epoll_create())
        event = fls_eventfd()
        events = .allocate(capacity: Self.eventsAtOnce)
        let registered = event < 0 ? 0 : fls_epoll_add(epoll, event, nil)
        if event < 0 || registered < 0 {
            closeDescriptors()
            throw event < 0
                ? SchedulerError(.FLS_SITE_EVENTFD, Int(event)) : SchedulerError(.FLS_SITE_EPOLL_ADD, Int(registered))
        }
    }

    /// Called after every worker's thread has ended: until then they write to each other's eventfd. No thread finds
    /// this worker asleep any more, but a thread outside the run may have done so before, and still be about to write.
    func closeDescriptors() {
        while wakers.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
        if event >= 0 { _ = fls_close(event) }
        _ = fls_close(epoll)
    }

    deinit { events.deallocate() }

    // MARK: any thread

    /// The number of jobs that this worker has; approximate, may be stale.
    var load: Int { startedCount.load(ordering: .relaxed) + fresh.count }
    var isSleeping: Bool { sleeps.load(ordering: .sequentiallyConsistent) }
    var hasMail: Bool { inbox.count > 0 || questions.count > 0 }

    /// What its job does that runs: its identity, 0 without one, and a number that changes when it suspends.
    var running: (job: UInt64, turn: UInt64) {
        (runningJob.load(ordering: .relaxed), turns.load(ordering: .relaxed))
    }

    /// The jobs that it has.
    var jobs: (started: [AnyJob], fresh: [AnyJob]) { (started.withLock { $0.map { $0 } }, fresh.jobs) }

    /// How the kernel knows its thread.
    var systemThread: Int32 { systemThreadNumber.load(ordering: .relaxed) }

    /// Puts a job of this worker, whose wait is over, into the queue.
    func enqueue(_ job: AnyJob) {
        if fls_worker() == Unmanaged.passUnretained(self).toOpaque() {
            ready.append(job)
        } else {
            inbox.append(job)
            _ = wakeUp()
        }
    }

    /// Ends the worker's sleep; false if it does not sleep or another thread has just woken it.
    func wakeUp() -> Bool {
        wakers.add(1, ordering: .sequentiallyConsistent)
        defer { wakers.subtract(1, ordering: .sequentiallyConsistent) }
        guard sleeps.exchange(false, ordering: .sequentiallyConsistent) else { return false }
        let result = fls_wake(event)
        if result < 0 { runtime.fail(SchedulerError(.FLS_SITE_WAKE, Int(result))) }
        return true
    }

    /// No event of `core` can come any more.
    func forget(_ core: DescriptorCore) {
        // Where that fails, events may come as long as another process has the open file, so the core is kept alive.
        if fls_epoll_remove(epoll, core.number) == 0 { registrations.markClosed(core) }
    }

    // MARK: the worker's thread

    /// A job is about to be resumed.
    func countTurn() { turns.store(turns.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

    /// Returns 0 or the negated error of epoll_ctl.
    func register(_ core: DescriptorCore) -> Int32 {
        let result = fls_epoll_add(epoll, core.number, Registrations.pointer(core))
        if result == 0 { registrations.add(core) }
        return result
    }

    /// Runs jobs until the runtime has ended.
    func run() {
        fls_set_worker(Unmanaged.passUnretained(self).toOpaque())
        systemThreadNumber.store(fls_thread_number(), ordering: .relaxed)
        // Validated before the run.
        do { try runtime.hibernation?.apply() } catch { preconditionFailure("a valid policy can be applied: \(error)") }
        while !runtime.hasEnded {
            if runtime.isStopping && !hasCancelled { cancelStarted() }
            ready.append(inbox.takeAll())
            if questions.count > 0 { questions.answer(jobs.started) }
            let worked = runReady() + startFresh()
            if worked == 0 {
                if !steal() { sleep() }
            } else {
                sweeps?.jobRan()
                if runsSincePoll >= Self.runsBetweenPolls {
                    poll(nanoseconds: 0)
                    sweeps?.stepWhileBusy(at: fls_now())
                }
            }
        }
        questions.close()
        fls_set_worker(nil)
        registrations.removeAll()
    }

    private func cancelStarted() {
        hasCancelled = true
        AnyJob.cancel(started.withLock { $0.map { $0 } })
    }

    /// Runs the jobs that are ready now. The jobs that these make ready run after the next fresh ones.
    private func runReady() -> Int {
        let limit = min(ready.count, Self.runsBetweenPolls)
        var count = 0
        while count < limit, let job = ready.popFirst() {
            advance(job)
            count += 1
        }
        runsSincePoll += count
        return count
    }

    /// Starts only a few, so that running jobs go on meanwhile.
    private func startFresh() -> Int {
        var count = 0
        while count < 8, let job = fresh.popFirst() {
            start(job)
            count += 1
        }
        runsSincePoll += count
        return count
    }

    private func start(_ job: AnyJob) {
        if runtime.isStopping { job.cancelled.store(true, ordering: .sequentiallyConsistent) }
        if job.isCancelled {
            job.fail(CancellationError())
            return finish(job)
        }
        do { try job.prepare(on: self) } catch {
            job.fail(error)
            return finish(job)
        }
        started.withLock { started in
            job.index = started.count
            started.append(job)
            startedCount.store(started.count, ordering: .relaxed)
        }
        advance(job)
    }

    private func advance(_ job: AnyJob) {
        // What its wait left behind, however it ended.
        timers.remove(job)
        if job.countsAsInput {
            job.countsAsInput = false
            waitingForInput -= 1
        }
        runningJob.store(job.id, ordering: .relaxed)
        let disposition = job.advance(on: self)
        runningJob.store(0, ordering: .relaxed)
        switch disposition {
        case .park: return
        case .requeue, .proceed: ready.append(job)
        case nil:
            started.withLock { started in
                let last = started.count - 1
                started.swapAt(job.index, last)
                started[job.index].index = job.index
                started.removeLast()
                startedCount.store(last, ordering: .relaxed)
            }
            finish(job)
        }
    }

    private func finish(_ job: AnyJob) {
        job.leaveStack()
        job.settle()
    }

    // MARK: sleeping and events

    /// First announces that the worker sleeps, then looks for work. Threads that bring work do the opposite.
    private func sleep() {
        StackPool.trim()
        sleeps.store(true, ordering: .sequentiallyConsistent)
        runtime.sleepers.add(1, ordering: .sequentiallyConsistent)
        defer {
            sleeps.store(false, ordering: .sequentiallyConsistent)
            runtime.sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
        if hasMail || runtime.hasFreshJobs || runtime.hasEnded || (runtime.isStopping && !hasCancelled) { return }
        let nextSweep = sweeps?.step(at: fls_now())
        let pending = timers.count + waitingForInput
        guard runtime.becomeIdle(pending: pending) else { return }
        var timeout = Self.longestSleep
        let earliest = min(timers.earliest ?? .max, nextSweep ?? .max)
        if earliest < .max {
            let now = fls_now()
            timeout = earliest <= now ? 0 : min(Int64(clamping: earliest - now), timeout)
        }
        let count = waitForEvents(timeout)
        runtime.becomeBusy(pending: pending)
        deliver(count)
    }

    private func poll(nanoseconds: Int64) { deliver(waitForEvents(nanoseconds)) }

    private func waitForEvents(_ nanoseconds: Int64) -> Int {
        runsSincePoll = 0
        let count = fls_epoll_wait(epoll, events, Int32(Self.eventsAtOnce), nanoseconds)
        if count < 0 && count != -EINTR {
            runtime.fail(SchedulerError(.FLS_SITE_EPOLL_WAIT, Int(count)))
            // Without events only the end of the run is left to wait for: without spinning.
            fls_pause()
        }
        return max(0, Int(count))
    }

    private func deliver(_ count: Int) {
        for index in 0..<count {
            // The eventfd has no registration.
            guard let registration = events[index].registration else { continue }
            Registrations.descriptor(registration)
                .arrived(readable: events[index].readable, writable: events[index].writable)
        }
        registrations.releaseClosed()
        if timers.count == 0 { return }
        let now = fls_now()
        while let job = timers.popDue(at: now) {
            if job.claim(job.timedWait) { job.wake(.timedOut) }
        }
    }
}
