// Limits of the process that mappings meet, and threads that all need the first arena.
import CShim
import Faultline
import Glibc
import TestSupport

/// A field of `/proc/self/status`, in bytes.
func statusField(_ name: String) -> Int {
    let file = fopen("/proc/self/status", "re")!
    defer { fclose(file) }
    var line: [UInt8] = []
    while case let byte = getc(file), byte != EOF {
        guard byte == 10 else {
            line.append(UInt8(byte))
            continue
        }
        let parts = String(decoding: line, as: UTF8.self).split { $0 == ":" || $0 == "\t" || $0 == " " }
        if parts.first.map(String.init) == name { return Int(parts[1])! << 10 }
        line = []
    }
    fatalError("/proc/self/status has no \(name)")
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
        say("arenas=\(fl_debug_calls(.FL_SITE_ARENA_TABLE))")
    },
]
