// Queues of jobs: linked through the jobs, so that nothing is allocated and nothing can fail.
internal import Synchronization

/// First in, first out. A job is in at most one queue.
struct JobQueue: ~Copyable {
    private var first: AnyJob?
    private unowned(unsafe) var last: AnyJob?
    private(set) var count = 0

    var isEmpty: Bool { first == nil }

    mutating func append(_ job: AnyJob) {
        if let last { last.next = job } else { first = job }
        last = job
        count += 1
    }

    mutating func popFirst() -> AnyJob? {
        guard let job = first else { return nil }
        first = job.next.take()
        if first == nil { last = nil }
        count -= 1
        return job
    }

    /// Its jobs, the first one first.
    var jobs: [AnyJob] {
        var jobs: [AnyJob] = []
        var next = first
        while let job = next {
            jobs.append(job)
            next = job.next
        }
        return jobs
    }

    /// Appends the jobs of another queue.
    mutating func append(_ other: consuming JobQueue) {
        guard let head = other.first else { return }
        if let last { last.next = head } else { first = head }
        last = other.last
        count += other.count
    }

    /// The older half of the jobs, rounded up, at most `limit`.
    mutating func takeHalf(limit: Int) -> JobQueue {
        var half = JobQueue()
        let wanted = min((count + 1) / 2, limit)
        while half.count < wanted, let job = popFirst() { half.append(job) }
        return half
    }
}

/// A queue that several threads use. Its count is read without the lock.
final class SharedJobQueue: Sendable {
    private let queue = Lock(JobQueue())
    private let size = Atomic<Int>(0)

    /// Approximate, may be stale.
    var count: Int { size.load(ordering: .sequentiallyConsistent) }

    /// Its jobs right now.
    var jobs: [AnyJob] { queue.withLock { $0.jobs } }

    func append(_ job: AnyJob) {
        queue.withLock { queue in
            queue.append(job)
            size.store(queue.count, ordering: .sequentiallyConsistent)
        }
    }

    func append(_ others: consuming JobQueue) {
        var others: JobQueue? = consume others
        queue.withLock { queue in
            if let moved = others.take() { queue.append(moved) }
            size.store(queue.count, ordering: .sequentiallyConsistent)
        }
    }

    func popFirst() -> AnyJob? {
        if count == 0 { return nil }
        return queue.withLock { queue in
            let job = queue.popFirst()
            size.store(queue.count, ordering: .sequentiallyConsistent)
            return job
        }
    }

    func takeHalf(limit: Int) -> JobQueue {
        if count == 0 { return JobQueue() }
        return queue.withLock { queue in
            let half = queue.takeHalf(limit: limit)
            size.store(queue.count, ordering: .sequentiallyConsistent)
            return half
        }
    }

    func takeAll() -> JobQueue {
        if count == 0 { return JobQueue() }
        return queue.withLock { queue in
            var all = JobQueue()
            swap(&all, &queue)
            size.store(0, ordering: .sequentiallyConsistent)
            return all
        }
    }
}
