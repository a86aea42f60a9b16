// Hibernation by policy where it needs a process of its own: it counts the process's memory, lets system calls fail,
// and has jobs hibernate.
import CShim
import Faultline
import FaultlineScheduler
import Glibc
import StackWords
import TestSupport

/// Two sweeps with a budget of nothing, and what they did to a coroutine.
func sweep() -> String {
    do {
        let co = try sleeper(.init(guardKind: .guardPages), words: 20)
        _ = try co.resume()
        try HibernationPolicy(residentBudget: 0).apply()
        defer { HibernationPolicy.remove() }
        HibernationPolicy.sweep()
        let result = HibernationPolicy.sweep()
        // It may be refused at the first reading or at a later one.
        require(result.hibernated == 1 || result.residentError != nil, "\(result)")
        require((result.resident == nil) == (result.residentError != nil), "\(result)")
        require(co.isHibernated == (result.hibernated == 1), "\(result)")
        guard case .finished(true) = try co.resume() else { return "error: other content" }
        return result.residentError.map { "error: \($0)" } ?? "returned"
    } catch { return "error: \(error)" }
}

private let second: UInt64 = 1_000_000_000

/// That many coroutines that used 120 KiB each and wait.
private func waiting(_ count: Int) throws -> [Sleeper] {
    try (0..<count).map { _ in
        let co = try sleeper(.init(strategy: .fault, initial: 128 << 10, guardKind: .guardPages), words: 20) {
            ts_touch_down(30)
        }
        _ = try co.resume()
        return co
    }
}

private func resident() -> Int { Int(kernelFields("/proc/self/statm")[0][1])! * 4096 }

private func finish(_ all: [Sleeper]) throws {
    for co in all {
        guard case .finished(true) = try co.resume() else { fatalError("other content") }
    }
}

let idleScenarios: [String: Scenario] = [
    "idle-budget": { _ in
        let (count, each) = (250, 100 << 10)
        let start = resident()
        try HibernationPolicy(idle: .seconds(86_400)).apply()
        let older = try waiting(count)
        require(HibernationPolicy.sweep(at: 10 * second).waiting == count, "not all are marked")
        let younger = try waiting(count)
        require(HibernationPolicy.sweep(at: 20 * second).waiting == 2 * count, "not all are marked")
        let full = resident()
        require(full - start > 2 * count * each, "they hold \(full - start) bytes")
        // The third part of them must go.
        let budget = full - 2 * count * each / 3
        try HibernationPolicy(residentBudget: budget).apply()
        let latest = try waiting(10)
        let first = HibernationPolicy.sweep(at: 30 * second)
        let hibernated = older.count { $0.isHibernated }
        require(first.hibernated == hibernated && first.refused == 0, "\(first), of the older \(hibernated)")
        require((count / 2..<count).contains(hibernated), "\(hibernated) of \(count) hibernated")
        require(first.resident ?? .max <= budget && resident() <= budget + (1 << 20), "\(first), not \(budget)")
        require(HibernationPolicy.sweep(at: 31 * second).hibernated == 0, "more hibernated than needed")
        // Nothing is enough: the younger ones too, and those that the sweep before last found first.
        try HibernationPolicy(residentBudget: 0).apply()
        let last = HibernationPolicy.sweep(at: 32 * second)
        require(last.hibernated == 2 * count + 10 - hibernated && last.waiting == 0, "\(last)")
        require((older + younger + latest).allSatisfy(\.isHibernated), "not all hibernated")
        // One that was just resumed is spared, however little memory there is.
        let busy = try waiting(5)
        require(HibernationPolicy.sweep(at: 33 * second).hibernated == 0, "the first sweep must only mark")
        require(HibernationPolicy.sweep(at: 34 * second).hibernated == 5, "the second must hibernate")
        try finish(older + younger + latest + busy)
    },
    // idle-refused SITE
    "idle-refused": { arguments in
        let site = fl_site(rawValue: UInt32(arguments[0])!)!
        try HibernationPolicy(idle: .zero).apply()
        let all = try (0..<20).map { _ in
            // Too large for a slab of the store, so that each takes a mapping.
            let co = try sleeper(.init(guardKind: .guardPages), words: 10_000)
            _ = try co.resume()
            return co
        }
        fl_debug_fail(site, EPERM, 5)
        for round in 0..<3 {
            let before = all.count { $0.isHibernated }
            let sweep = HibernationPolicy.sweep()
            require(before + sweep.hibernated + sweep.refused == 20, "\(before), \(sweep)")
            require(sweep.refused > 0 && (round == 0 || sweep.hibernated == 0), "\(sweep)")
            require(sweep.waiting == sweep.refused && all.allSatisfy(\.isResumable), "\(sweep)")
        }
        fl_debug_fail(site, 0, 0)
        let left = all.count { !$0.isHibernated }
        require(left > 0, "nothing was refused")
        let sweep = HibernationPolicy.sweep()
        require(sweep.hibernated == left && all.allSatisfy(\.isHibernated), "\(sweep)")
        try finish(all)
    },
    "idle-shrink-refused": { _ in
        try HibernationPolicy(shrinksIdle: true).apply()
        let all = try (0..<20).map { _ in
            let co = try sleeper(.init(), words: 10_000)
            _ = try co.resume()
            return co
        }
        require(HibernationPolicy.sweep().waiting == 20, "not all wait")
        fl_debug_fail(.FL_SITE_SHRINK_RELEASE, EPERM, 0)
        for _ in 0..<2 {
            let sweep = HibernationPolicy.sweep()
            require(sweep.refused == 20 && sweep.shrunk == 0 && sweep.waiting == 20, "\(sweep)")
        }
        fl_debug_fail(.FL_SITE_SHRINK_RELEASE, 0, 0)
        let sweep = HibernationPolicy.sweep()
        require(sweep.refused == 0 && sweep.shrunk == 20 && sweep.waiting == 0, "\(sweep)")
        try finish(all)
    },
    // idle-jobs intact|busy|refused|cancelled
    "idle-jobs": { arguments in
        let how = arguments[0]
        let count = 60
        // Refused, a job of the many is tried for a millisecond each; the one that watches them must stay awake.
        let idle: Duration = how == "refused" ? .seconds(1) : .zero
        let sum = try Scheduler.run(threads: how == "refused" || how == "busy" ? 1 : 2, hibernation: .init(idle: idle))
        {
            let channel = Channel<Int>(capacity: 0)
            let jobs = try (0..<count).map { n in
                try Scheduler.spawn { try job(n, channel) }
            }
            while HibernationStore.usage.records < count {
                // Its worker never sleeps then.
                if how == "busy" { try Scheduler.yield() } else { try Scheduler.sleep(for: .milliseconds(1)) }
            }
            if how == "refused" { fl_debug_fail(.FL_SITE_RESTORE_COPY, ENOMEM, 0) }
            if how == "cancelled" {
                for job in jobs { job.cancel() }
                return try jobs.count { job in
                    do { _ = try job.join() } catch is CancellationError { return true }
                    return false
                }
            }
            if how == "refused" {
                channel.close()
                // Whose turn comes is refused, and waits for another.
                for _ in 0..<3 { try Scheduler.yield() }
                require(HibernationStore.usage.records == count, "a job was lost")
                fl_debug_fail(.FL_SITE_RESTORE_COPY, 0, 0)
            } else {
                for n in 0..<count { try channel.send(n) }
            }
            return try jobs.reduce(0) { try $0 + $1.join() }
        }
        require(sum == count, "\(sum) of \(count) jobs ended as they should")
        require(HibernationStore.usage.records == 0, "a record is left")
    },
]

/// Waits for an element and says 1 where its stack has held what it should.
@Sendable private func job(_ n: Int, _ channel: Channel<Int>) throws -> Int {
    var isIntact = false
    try withStackWords(40) { words in
        for place in words.indices { words[place] = UInt64(place * n) }
        _ = try channel.receive()
        isIntact = words.indices.allSatisfy { words[$0] == UInt64($0 * n) }
    }
    return isIntact ? 1 : 0
}
