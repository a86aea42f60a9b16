// How jobs that have not started come to a thread that has time for them.

extension Worker {
    /// Places a job that a job of this worker spawned. Started jobs stay where they are, so the load is balanced now:
    /// the job goes to this worker, or to a random one that has fewer jobs (the power of two choices).
    func accept(_ job: AnyJob) {
        let other = runtime.workers[Int(random() % UInt64(runtime.workers.count))]
        let target = other.load + 8 < load ? other : self
        target.fresh.append(job)
        if target !== self, target.wakeUp() { return }
        runtime.wakeSleeper()
    }

    func random() -> UInt64 {
        // xorshift64 (Marsaglia 2003)
        seed ^= seed << 13
        seed ^= seed >> 7
        seed ^= seed << 17
        return seed
    }

    func steal() -> Bool {
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
}
