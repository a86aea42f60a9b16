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

    init(threads: Int, hibernation: HibernationPolicy? = nil) throws(SchedulerError) {
        self.hibernation = hibernation
        do throws(SchedulerError) {
            for number in 0..<threads {
                workers.append(try Worker(runtime: self, seed: 0x9e37_79b9_7f4a_7c15 &* UInt64(number + 1)))
            }
        } catch {
            for worker in workers { worker.closeDescriptors() }
            throw error
        }
    }

    /// Starts `job` and returns when every job has ended.
    func run(_ job: AnyJob) throws(SchedulerError) {
        alive.store(1, ordering: .relaxed)
        workers[0].fresh.append(job)
        var threads: [UInt] = []
        for worker in workers {
            var thread: UInt = 0
            let result = fls_thread_start(
                &thread, { Unmanaged<Worker>.fromOpaque($0!).takeUnretainedValue().run() },
                Unmanaged.passUnretained(worker).toOpaque())
            if result < 0 {
                fail(SchedulerError(.FLS_SITE_THREAD_START, Int(result)))
                break
            }
            threads.append(thread)
        }
        for thread in threads { fls_thread_join(thread) }
        // Where no thread could be started the job is still queued, and it and this object would keep each other alive.
        _ = workers[0].fresh.popFirst()
        for worker in workers { worker.closeDescriptors() }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    // MARK: any thread

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
