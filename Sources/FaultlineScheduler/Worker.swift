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
    private unowned(unsafe) let runtime: Runtime
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

    // The worker's thread.
    private var ready = JobQueue()
    private var started: [AnyJob] = []
    var timers = TimerHeap()
    /// Jobs that wait for a descriptor.
    var waitingForDescriptors = 0
    private let registrations = Registrations()
    private var hasCancelled = false
    private var runsSincePoll = 0
    private var sweeps: IdleSweeps?
    private var seed: UInt64
    private let events: UnsafeMutablePointer<fls_event>

    private static let eventsAtOnce = 256
    /// Jobs that run before the worker looks for events and timers again.
    private static let runsBetweenPolls = 64
    /// Nanoseconds. A wake-up can be lost only where foreign code closed the eventfd; this bounds the damage.
    private static let longestSleep: Int64 = 1_000_000_000

    init(runtime: Runtime, seed: UInt64) throws(SchedulerError) {
        self.runtime = runtime
        self.seed = seed
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
    var hasMail: Bool { inbox.count > 0 }

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

    /// Returns 0 or the negated error of epoll_ctl.
    func register(_ core: DescriptorCore) -> Int32 {
        let result = fls_epoll_add(epoll, core.number, Registrations.pointer(core))
        if result == 0 { registrations.add(core) }
        return result
    }

    /// Runs jobs until the runtime has ended.
    func run() {
        fls_set_worker(Unmanaged.passUnretained(self).toOpaque())
        // Validated before the run.
        do { try runtime.hibernation?.apply() } catch { preconditionFailure("a valid policy can be applied: \(error)") }
        while !runtime.hasEnded {
            if runtime.isStopping && !hasCancelled { cancelStarted() }
            ready.append(inbox.takeAll())
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
        fls_set_worker(nil)
        registrations.removeAll()
    }

    private func cancelStarted() {
        hasCancelled = true
        for job in started { job.cancel() }
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
        if job.isCancelled || runtime.isStopping {
            job.fail(CancellationError())
            return finish(job)
        }
        do { try job.prepare(on: self) } catch {
            job.fail(error)
            return finish(job)
        }
        job.index = started.count
        started.append(job)
        startedCount.store(started.count, ordering: .relaxed)
        advance(job)
    }

    private func advance(_ job: AnyJob) {
        switch job.advance() {
        case .park: return
        case .requeue, .proceed: ready.append(job)
        case nil:
            let last = started.count - 1
            started.swapAt(job.index, last)
            started[job.index].index = job.index
            started.removeLast()
            startedCount.store(last, ordering: .relaxed)
            finish(job)
        }
    }

    private func finish(_ job: AnyJob) {
        job.leaveStack()
        job.complete()
        runtime.jobEnded()
    }

    /// Places a job that a job of this worker spawned. Started jobs stay where they are, so the load is balanced now:
    /// the job goes to this worker, or to a random one that has fewer jobs (the power of two choices).
    func accept(_ job: AnyJob) {
        let other = runtime.workers[Int(random() % UInt64(runtime.workers.count))]
        let target = other.load + 8 < load ? other : self
        target.fresh.append(job)
        if target !== self, target.wakeUp() { return }
        runtime.wakeSleeper()
    }

    private func random() -> UInt64 {
        // xorshift64 (Marsaglia 2003)
        seed ^= seed << 13
        seed ^= seed >> 7
        seed ^= seed << 17
        return seed
    }

    private func steal() -> Bool {
        let workers = runtime.workers
        let first = Int(random() % UInt64(workers.count))
        for step in 0..<workers.count {
            let victim = workers[(first + step) % workers.count]
            if victim === self { continue }
            let taken = victim.fresh.takeHalf(limit: 64)
            if taken.isEmpty { continue }
            fresh.append(taken)
            return true
        }
        return false
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
        let pending = timers.count + waitingForDescriptors
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
            if job.claim(job.timedWait) { job.wake(.event) }
        }
    }
}
