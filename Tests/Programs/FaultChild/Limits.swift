// Limits of the process that mappings meet, and threads that all need the first arena.
import CShim
import Faultline
import Glibc
import TestSupport

/// A field of `/proc/self/status`, in bytes.
func statusField(_ name: String) -> Int {
    let fields = kernelFields("/proc/self/status").first { $0[0] == name }
    guard let fields else { fatalError("/proc/self/status has no \(name)") }
    return Int(fields[1])! << 10
}

/// What every default configuration promises: depth, a coroutine, an overflow that is an error.
func expectDefaultsWork() throws {
    require(try withGrowableStack(maximum: 4 << 20) { sum(to: 5000) } == 12_502_500, "wrong sum")
    let co = try Coroutine<Void, Int, Int> { (co: borrowing _, _) in
        try co.suspend(sum(to: 1000))
        return sum(to: 2000)
    }
    guard case .suspended(500_500) = try co.resume(), case .finished(2_001_000) = try co.resume() else {
        return require(false, "a coroutine went wrong")
    }
    for _ in 0..<20 {
        let text = outcome(.init(isIsolated: true)) { _ = recurseForever() }
        require(text.hasPrefix("fault: stack overflow"), text)
    }
}

/// No more than that may be locked from now on.
private func limitLocks(to bytes: Int) {
    var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    require(setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0, "no limit")
    require(ts_drop_lock_capability() == 0, "the right to lock was not given up")
}

/// The kernel locks what is mapped from now on.
func lockFuture(within bytes: Int) {
    limitLocks(to: bytes)
    require(mlockall(2) == 0, "mlockall: \(String(cString: strerror(errno)))")
}

/// What stacks of every kind do, with the calls on memory that it takes.
private final class LockedWork {
    private static let configurations = StackGuard.allCases.flatMap { kind in
        [StackStrategy.fault, .faultMove, .demand, .fixed].map {
            StackConfiguration(strategy: $0, maximum: 3 << 20, guardKind: kind, isIsolated: true)
        }
    }
    private var waiting: [(Coroutine<Void, Int, Int>, hibernates: Bool)] = []

    /// Coroutines that wait, one of them without its pages, pooled stacks, slots in quarantine.
    func begin() throws {
        for configuration in Self.configurations {
            for isDeep in [false, true] {
                let co = try Coroutine<Void, Int, Int>(configuration: configuration) { (co: borrowing _, _) in
                    if isDeep { ts_touch_down(500) }
                    for number in 0..<3 { try co.suspend(sum(to: 100 + number)) }
                    ts_touch_down(600)
                    return sum(to: 1000)
                }
                _ = try co.resume()
                waiting.append((co, configuration.guardKind == .guardPages && configuration.strategy != .fixed))
            }
            for _ in 0..<3 {
                let text = outcome(configuration) { _ = recurseForever() }
                require(text.hasPrefix("fault: stack overflow"), text)
                require(outcome(configuration) { ts_touch_down(300) } == "returned", "not returned")
            }
        }
    }

    func end() throws {
        for (co, hibernates) in waiting {
            if hibernates {
                try co.shrink()
                try co.hibernate()
            }
            guard case .suspended(5151) = try co.resume(), case .suspended(5253) = try co.resume(),
                case .finished(500_500) = try co.resume()
            else { return require(false, "a coroutine went wrong") }
        }
        waiting = []
        for _ in 0..<2 { fl_pool_trim(fl_pool_now(), 0) }
        StackPool.drain()
    }
}

let limitScenarios: [String: Scenario] = [
    // limited RESOURCE BYTES: that many beyond what is used. Then stacks until one is refused.
    "limited": { arguments in
        let isData = arguments[0] == "data"
        let bytes = statusField(isData ? "VmData" : "VmSize") + Int(arguments[1])!
        var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
        require(setrlimit(__rlimit_resource_t((isData ? RLIMIT_DATA : RLIMIT_AS).rawValue), &limit) == 0, "no limit")
        try expectDefaultsWork()
        var all: [Coroutine<Void, Void, Void>] = []
        var refusal: (any Error)?
        while refusal == nil {
            do {
                let co = try Coroutine<Void, Void, Void> { (co: borrowing _, _) in
                    ts_touch_down(2)
                    try co.suspend(())
                }
                _ = try co.resume()
                all.append(co)
            } catch { refusal = error }
        }
        say("made=\(all.count)")
        say("error: \(refusal!)")
        all = []
        try expectDefaultsWork()
    },
    // locked WHEN FLAGS LIMIT: mlockall "before" the first stack or "after" some; LIMIT in bytes, without the right to
    // lock more, or "none".
    "locked": { arguments in
        if let bytes = Int(arguments[2]) { limitLocks(to: bytes) }
        func lock() { require(mlockall(Int32(arguments[1])!) == 0, "mlockall: \(String(cString: strerror(errno)))") }
        let work = LockedWork()
        do {
            if arguments[0] == "before" { lock() }
            try work.begin()
            if arguments[0] == "after" { lock() }
            try work.end()
            try work.begin()
            try work.end()
            try expectDefaultsWork()
        } catch { say("error: \(error)") }
        say("resident=\(statusField("VmRSS") >> 20) MiB locked=\(statusField("VmLck") >> 20) MiB")
    },
    // headroom BYTES: the first stack of the process is made near the end of a thread's own.
    "headroom": { arguments in
        let bytes = Int(arguments[0])!
        @inline(never) func descend(_ depth: Int) throws -> Int {
            try withStackHeadroom(bytes) { depth == 0 ? 0 : try descend(depth - 1) + keep(1) }
        }
        onThread {
            nearTheEnd(leaving: 200 << 10) {
                do { require(try descend(100_000) == 100_000, "another depth") } catch { require(false, "\(error)") }
            }
        }
    },
    // together THREADS: each makes its first stack at the same moment.
    "together": { arguments in
        let count = Int(arguments[0])!
        require(fl_initialize() == 0, "not initialized")
        let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
        pthread_barrier_init(barrier, nil, UInt32(count))
        let threads = (0..<count).map { _ in
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { barrier in
                    pthread_barrier_wait(barrier!.assumingMemoryBound(to: pthread_barrier_t.self))
                    let text = outcome(.init()) { ts_touch_down(4) }
                    require(text == "returned", text)
                    pthread_barrier_wait(barrier!.assumingMemoryBound(to: pthread_barrier_t.self))
                    return nil
                }, barrier)
            require(error == 0, "no thread")
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
        say("arenas=\(fl_debug_calls(.FL_SITE_ARENA_OPEN))")
    },
]
