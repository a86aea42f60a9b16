// What happens to the stacks that a thread keeps: each scenario does one thing to them and says what is left.
import AllocationCounter
import CShim
import Faultline
import FaultlineScheduler
import Glibc
import TestSupport

private let second: UInt64 = 1_000_000_000
private let quiet = Duration.seconds(10)

/// A look at the pool that many seconds after an arbitrary start.
private func look(at seconds: UInt64) { StackPool.trim(quiet: quiet, now: 1_000_000 * second + seconds * second) }

let arguments = CommandLine.arguments
private func argument(_ position: Int) -> String {
    require(arguments.count > position, "argument \(position) is missing")
    return arguments[position]
}

private var configuration: StackConfiguration {
    StackConfiguration(
        strategy: StackStrategy(rawValue: argument(2))!, reservation: Int(argument(3))!,
        guardKind: StackGuard(rawValue: argument(4))!)
}

let scenarios: [String: @Sendable () throws -> Void] = [
    // STRATEGY SLOT GUARD: more end than are kept.
    "bounded": {
        let before = slots(configuration)
        let ended = try Ended(1100, configuration)
        say("kept=\(slots(configuration) - before)")
        _ = try Ended(1024, configuration)
        say("after-use=\(slots(configuration) - before)")
        StackPool.drain()
        say("drained=\(slots(configuration) - before) pages=\(ended.pages)")
    },
    // STRATEGY SLOT GUARD: ten stacks that are not needed.
    "quiet": {
        let ended = try Ended(10, configuration)
        func report(_ name: String) { say("\(name)/slots=\(slots(configuration)) \(name)/pages=\(ended.withPages)") }
        look(at: 0)
        report("noted")
        look(at: 9)
        report("early")
        look(at: 10)
        report("quiet")
        look(at: 19)
        report("still")
        look(at: 20)
        report("later")
        // What went comes again, ready as ever.
        let again = try Ended(10, configuration)
        say("again/pages=\(again.withPages)")
    },
    // STRATEGY SLOT GUARD: three of ten are needed all the time.
    "needed": {
        let ended = try Ended(10, configuration)
        look(at: 0)
        for round in 1...3 {
            _ = try Ended(3, configuration)
            look(at: UInt64(round) * 10)
            say("\(round)/slots=\(slots(configuration)) \(round)/pages=\(ended.withPages)")
        }
    },
    // STRATEGY SLOT GUARD: the kernel refuses.
    "refused": {
        let ended = try Ended(10, configuration)
        look(at: 0)
        fl_debug_fail(.FL_SITE_POOL_TRIM, EINVAL, 0)
        look(at: 10)
        say("refused/slots=\(slots(configuration)) refused/pages=\(ended.withPages)")
        fl_debug_fail(.FL_SITE_POOL_TRIM, 0, 0)
        look(at: 20)
        say("taken/slots=\(slots(configuration)) taken/pages=\(ended.withPages)")
    },
    // Stacks of one kind are in the way of another kind's, which are of the same size.
    "misfits": {
        let first = StackConfiguration(strategy: .fault, initial: 8192, reservation: 64 << 10)
        let second = StackConfiguration(strategy: .fault, initial: 4096, reservation: 64 << 10)
        _ = try Ended(1024, first)
        _ = try Ended(1024, second)
        for round: UInt64 in 0...2 { look(at: round * 10) }
        say("gone=\(slots(first))")
        let kept = try Ended(5, second)
        say("kept=\(slots(second)) pages=\(kept.withPages)")
    },
    // The pool looks by itself, at every 64th stack that is kept or made anew.
    "by-itself": {
        let idle = StackConfiguration(reservation: 1 << 20)
        let busy = StackConfiguration(reservation: 64 << 10)
        StackPool.quietTime = .zero
        let ended = try Ended(10, idle)
        func use(_ count: Int) throws { for _ in 0..<count { try withStack(busy) {} } }
        // Ten were made and ten kept. The looks are at 64, 128 and 192.
        for (name, uses) in [("noted", 60), ("emptied", 64), ("gone", 64)] {
            try use(uses)
            say("\(name)/slots=\(slots(idle)) \(name)/pages=\(ended.withPages)")
        }
        StackPool.quietTime = .seconds(5)
        say("quiet-time=\(StackPool.quietTime.components.seconds)")
    },
    // HOW: a thread's stacks after its end.
    "thread-end": {
        let small = StackConfiguration(reservation: 64 << 10)
        try small.validate()
        if argument(2) == "keys" { say("keys=\(ac_take_thread_keys())") }
        onThread {
            switch argument(2) {
            case "unused": _ = try Waiting(configuration: small) { _, _ in }
            case "destructor":
                // Set before the pool's own key exists: the C library ends it first, and after it once more.
                var key = pthread_key_t()
                require(pthread_key_create(&key, endCoroutine) == 0, "no key")
                _ = try Ended(3, small)
                let late = try Waiting(configuration: small) { co, _ in try co.suspend(()) }
                pthread_setspecific(key, Unmanaged.passRetained(late).toOpaque())
            default: _ = try Ended(3, small)
            }
            say("alive=\(slots(small))")
        }
        say("ended=\(slots(small))")
    },
    // A worker that waits has given back what its jobs left.
    "workers": {
        let size = StackConfiguration(reservation: 1 << 20)
        try Scheduler.run(threads: 1) {
            let jobs = try (0..<10).map { _ in
                try Scheduler.spawn(stack: size) { try Scheduler.yield() }
            }
            for job in jobs { try job.join() }
            say("ended=\(slots(size))")
            StackPool.quietTime = .zero
            // The sleeps are what is tested: each lets the worker wait.
            for _ in 0..<3 { try Scheduler.sleep(for: .milliseconds(1)) }
            say("waited=\(slots(size))")
        }
    },
    // LEVELS: what calls inside one another make when they come again.
    "nested": {
        let levels = Int(argument(2))!
        let growable = StackConfiguration(reservation: 1 << 30)
        for _ in 0..<2 { try nest(levels) }
        fl_debug_look(false)  // which makes four, now and then
        let before = (slots(growable), systemCalls())
        try nest(levels)
        say("made=\(slots(growable) - before.0) calls=\(systemCalls() - before.1)")
    },
    // A stack that is used for a moment only is not asked how deep it was; one that goes deep is, inside others too.
    "brief": {
        var alone: UInt = 0
        var outer: UInt = 0
        var inner: UInt = 0
        func address() -> UInt { UInt(bitPattern: ts_stack_address()) }
        for round in 0..<10_000 {
            let isDeep = round % 1000 == 999
            try withGrowableStack {
                alone = address()
                if isDeep { ts_touch_down(16_384) }
            }
            try withGrowableStack {
                outer = address()
                try withGrowableStack {
                    inner = address()
                    if isDeep { ts_touch_down(16_384) }
                }
                if isDeep { ts_touch_down(16_384) }
            }
        }
        say("alone=\(residentPages(below: alone)) outer=\(residentPages(below: outer))")
        say("inner=\(residentPages(below: inner))")
    },
    // with-stack|coroutine|unpooled: what a thousand stacks from the pool allocate, without any system call.
    "creation": {
        let count = 1000
        let run: (Int) throws -> Void =
            switch argument(2) {
            case "coroutine": runCoroutines
            case "with-stack": runStacks
            default: runUnpooled
            }
        try runStacks(200)
        try run(200)
        fl_debug_look(false)  // which makes four, now and then
        let error = ac_forbid_system_calls()
        require(error == 0, "system calls cannot be forbidden: \(error)")
        let before = (ac_allocations(), ac_bytes_in_use())
        try run(count)
        ac_report("allocations", ac_allocations() - before.0)
        ac_report("lost", ac_bytes_in_use() - before.1)
        ac_end_thread(0)
    },
]

private func nest(_ levels: Int) throws {
    if levels > 0 { try withGrowableStack { try nest(levels - 1) } }
}

/// Of the 64 MiB below an address on a stack.
private func residentPages(below address: UInt) -> Int {
    let reach: UInt = 64 << 20
    var pages = [UInt8](repeating: 0, count: Int(reach >> 12))
    let low = UnsafeMutableRawPointer(bitPattern: (address & ~4095) - reach)
    require(mincore(low, Int(reach), &pages) == 0, "mincore")
    return pages.count { $0 & 1 == 1 }
}

/// Those that the shim has made.
private func systemCalls() -> Int {
    (0..<fl_site.FL_SITE_COUNT.rawValue).reduce(0) { $0 + Int(fl_debug_calls(fl_site(rawValue: $1)!)) }
}

@inline(never) private func runStacks(_ count: Int) throws {
    let configuration = StackConfiguration()
    var ran = 0
    for _ in 0..<count { try withStack(configuration) { ran += 1 } }
    require(ran == count, "\(ran) of \(count) ran")
}

@inline(never) private func runUnpooled(_ count: Int) throws {
    for _ in 0..<count {
        try withStack(StackConfiguration()) {}
        StackPool.drain()
    }
}

@inline(never) private func runCoroutines(_ count: Int) throws {
    for _ in 0..<count {
        let coroutine = try Waiting { co, _ in try co.suspend(()) }
        guard case .suspended = try coroutine.resume(), case .finished = try coroutine.resume() else {
            return require(false, "a coroutine did not run to its end")
        }
    }
}

private let endCoroutine: @convention(c) (UnsafeMutableRawPointer?) -> Void = {
    Unmanaged<Waiting>.fromOpaque($0!).release()
}
