// A worker's timers: a binary heap by deadline. Each job knows its index, so that a cancelled sleep is removed in
// logarithmic time. Only the worker's thread uses it.

struct TimerHeap {
    private var jobs: [AnyJob] = []

    var count: Int { jobs.count }
    /// Nanoseconds of the monotonic clock.
    var earliest: UInt64? { jobs.first?.deadline }

    mutating func insert(_ job: AnyJob, wait: UInt64, deadline: UInt64) {
        job.deadline = deadline
        job.timedWait = wait
        job.timerIndex = jobs.count
        jobs.append(job)
        rise(job.timerIndex)
    }

    /// Does nothing to a job without a timer.
    mutating func remove(_ job: AnyJob) {
        let index = job.timerIndex
        guard index >= 0 else { return }
        exchange(index, jobs.count - 1)
        jobs.removeLast()
        job.timerIndex = -1
        guard index < jobs.count else { return }
        rise(index)
        sink(index)
    }

    /// The earliest job, if it is due.
    mutating func popDue(at now: UInt64) -> AnyJob? {
        guard let job = jobs.first, job.deadline <= now else { return nil }
        remove(job)
        return job
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        if a != b { jobs.swapAt(a, b) }
        jobs[a].timerIndex = a
        jobs[b].timerIndex = b
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, jobs[index].deadline < jobs[(index - 1) / 2].deadline {
            exchange(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var minimum = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < jobs.count && jobs[child].deadline < jobs[minimum].deadline { minimum = child }
            if minimum == index { return }
            exchange(index, minimum)
            index = minimum
        }
    }
}
