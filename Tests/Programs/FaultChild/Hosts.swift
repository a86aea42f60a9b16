// What a host program may do to the thread and the process under the stacks (Faultline.docc/Hosts.md).
import CShim
import Faultline
import FaultlineScheduler
import Glibc
import TestSupport

private let depth = 20_000
private let total = 200_010_000

private func deep(_ strategy: StackStrategy) throws {
    require(
        try withStack(.init(strategy: strategy, initial: strategy.grows ? 4096 : nil)) { sum(to: depth) } == total,
        "sum")
}

private func contain() throws {
    do {
        try withGrowableStack(maximum: 64 << 10) { _ = recurseForever() }
        require(false, "no overflow")
    } catch is StackFault {}
}

/// Enters stacks until the thread was looked at.
private func enterUntilLooked() throws {
    for _ in 0..<Int(FL_ENTRIES_BETWEEN_LOOKS) { try withStack(.init()) {} }
}

private func slots() -> Int { fl_slot_size.all.reduce(0) { $0 + Int(fl_slots_in_use($1)) } }

extension fl_slot_size {
    fileprivate static var all: [fl_slot_size] {
        (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).compactMap { fl_slot_size(rawValue: $0) }
    }
}

private typealias Numbers = Coroutine<Void, Int, Int>

private func counter() throws -> Numbers {
    try Numbers { co, _ in
        for n in 1...3 { try co.suspend(n) }
        return 4
    }
}

nonisolated(unsafe) private var inHandler: Numbers?

/// Ends the coroutine that a thread-specific key holds.
private let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
    Unmanaged<Numbers>.fromOpaque(pointer!).release()
}

/// Runs `body` on a thread that is then cancelled while it sleeps in it.
private func cancelThread(_ body: @escaping (_ sleep: @escaping () -> Void) throws -> Void) {
    nonisolated(unsafe) let ready = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    ready.pointee = 0
    final class Box {
        let body: (@escaping () -> Void) throws -> Void
        init(_ body: @escaping (@escaping () -> Void) throws -> Void) { self.body = body }
    }
    let box = Box(body)
    let argument = UnsafeMutablePointer<(Unmanaged<Box>, UnsafeMutablePointer<Int>)>.allocate(capacity: 1)
    argument.initialize(to: (Unmanaged.passUnretained(box), ready))
    var thread = pthread_t()
    let error = pthread_create(
        &thread, nil,
        { pointer in
            let (box, ready) = pointer!.assumingMemoryBound(to: (Unmanaged<Box>, UnsafeMutablePointer<Int>).self)
                .pointee
            do {
                try box.takeUnretainedValue().body {
                    keep(ready).pointee = 1
                    while true { pause() }
                }
            } catch { require(false, "\(error)") }
            return nil
        }, argument)
    require(error == 0, "no thread")
    while keep(ready).pointee == 0 { sched_yield() }
    require(pthread_cancel(thread) == 0, "not cancelled")
    var result: UnsafeMutableRawPointer?
    require(pthread_join(thread, &result) == 0, "not joined")
    require(UInt(bitPattern: result) == .max, "it was not cancelled")  // PTHREAD_CANCELED
    withExtendedLifetime(box) {}
}

let hostScenarios: [String: Scenario] = [
    // blocked STRATEGY early|late: a thread that blocks every signal, before its first stack or later.
    "blocked": { arguments in
        let strategy = StackStrategy(rawValue: arguments[0])!
        try withStack(.init()) {}
        onThread {
            do {
                if arguments[1] == "late" { try withStack(.init()) {} }
                require(ts_block_all_signals() == 0 && ts_is_blocked(SIGSEGV), "not blocked")
                if arguments[1] == "late" { try enterUntilLooked() }
                try deep(strategy)
                try contain()
                require(!ts_is_blocked(SIGSEGV) && !ts_is_blocked(SIGBUS) && ts_is_blocked(SIGUSR1), "the mask")
            } catch { require(false, "\(error)") }
        }
    },
    // alternate-stack HOW: what another library does to the thread's alternate stack.
    "alternate-stack": { arguments in
        try withStack(.init()) {}
        switch arguments[0] {
        case "disabled":
            require(ts_disable_alternate_stack() == 0, "not disabled")
            try enterUntilLooked()
        case "small": require(ts_set_alternate_stack(6 << 10) == 0, "not set")
        default: require(false, "how?")
        }
        for strategy in [StackStrategy.fault, .faultMove] { try deep(strategy) }
        try contain()
    },
    // small-alternate-stack: the handler stores nothing beyond what it was given.
    "small-alternate-stack": { _ in
        try withStack(.init()) {}
        let below = 64 << 10
        guard let pattern = ts_set_alternate_stack_above(below, 8 << 10) else { return require(false, "not set") }
        for strategy in [StackStrategy.fault, .faultMove] { try deep(strategy) }
        try contain()
        require(ts_overwritten(pattern, below) == 0, "\(ts_overwritten(pattern, below)) bytes beyond were written")
    },
    // in-handler: a stack that a signal handler asks for. It may have interrupted the pool, which it leaves alone.
    "in-handler": { _ in
        try withStack(.init()) {}
        let error = ts_run_in_handler(SIGUSR1) {
            do {
                try withGrowableStack {}
                say("entered")
            } catch { say("refused: \(error)") }
            do {
                _ = try counter()
                say("entered")
            } catch { say("refused, too: \(error)") }
        }
        require(error == 0, "no handler")
        try deep(.fault)
    },
    // resumed-in-handler: a coroutine that was started before, and grows inside a signal handler.
    "resumed-in-handler": { _ in
        let co = try Numbers(configuration: .init(strategy: .fault, initial: 4096)) { co, _ in
            try co.suspend(1)
            return sum(to: depth)
        }
        _ = try co.resume()
        inHandler = co
        _ = ts_run_in_handler(SIGUSR1) { _ = try? inHandler!.resume() }
        say("returned")
    },
    // handler-replaced: also stacks from the pool are not handed out for long.
    "handler-replaced": { _ in
        for _ in 0..<3 { try withStack(.init()) {} }
        require(ts_install_handler(SIGSEGV, TS_HANDLER_INFO.rawValue) == 0, "not replaced")
        do {
            try enterUntilLooked()
            say("not noticed")
        } catch { say("refused: \(error)") }
        try FaultHandler.install()
        try deep(.fault)
    },
    // same-thread-pointer: another thread with the address of the one that has ended.
    "same-thread-pointer": { _ in
        nonisolated(unsafe) var started: Numbers?
        nonisolated(unsafe) var first = pthread_t()
        onThread {
            started = try! counter()
            _ = try! started!.resume()
            first = pthread_self()
        }
        for _ in 0..<100 {
            onThread {
                guard pthread_self() == first else { return }
                say("the same pointer")
                _ = try? started!.resume()
                say("went on")
            }
        }
    },
    "job-swallows-cancellation": { _ in
        try Scheduler.run(threads: 1) {
            let job = try Scheduler.spawn { while true { try? Scheduler.yield() } }
            try Scheduler.yield()
            job.cancel()
        }
        say("ended")
    },
    "swallows-cancellation": { _ in
        let co = try Numbers { co, _ in
            while true { _ = try? co.suspend(1) }
        }
        _ = try co.resume()
        co.cancel()
        say("ended")
    },
    "exception-leaves": { arguments in
        let co = try Numbers { co, _ in
            ts_throw(1)
            return 1
        }
        _ = try co.resume()
        say("returned")
    },
    // cancelled-thread with-stack|coroutine|kept|owned: pthread_cancel gives the slot back.
    "cancelled-thread": { arguments in
        try deep(.fault)
        fl_pool_drain()
        let before = slots()
        nonisolated(unsafe) var kept: Numbers?
        for _ in 0..<20 {
            switch arguments[0] {
            case "with-stack":
                cancelThread { sleep in try withGrowableStack { try withStack(.init(strategy: .fault)) { sleep() } } }
            case "owned":
                // The key's destructor comes before that of the library's, whose key is made later.
                var key = pthread_key_t()
                require(pthread_key_create(&key, release) == 0, "no key")
                let owner = key
                cancelThread { sleep in
                    let co = Unmanaged.passRetained(
                        try Numbers { _, _ in
                            sleep()
                            return 1
                        })
                    pthread_setspecific(owner, co.toOpaque())
                    _ = try co._withUnsafeGuaranteedRef { try $0.resume() }
                }
            default:
                cancelThread { sleep in
                    let co = try Numbers { _, _ in
                        sleep()
                        return 1
                    }
                    if arguments[0] == "kept" { kept = co }
                    _ = try co.resume()
                }
            }
            kept = nil
        }
        require(slots() == before, "\(slots() - before) slots are lost")
        try deep(.fault)
    },
    // closed-descriptors resume|end: as daemons do.
    "closed-descriptors": { arguments in
        var all = try (0..<10).map { _ in try counter() }
        for co in all {
            _ = try co.resume()
            try co.hibernate()
        }
        require(ts_close_from(3) == 0, "not closed")
        if arguments[0] == "resume" {
            for co in all {
                for n in 2...3 {
                    guard case .suspended(n) = try co.resume() else { return require(false, "other content") }
                }
                guard case .finished(4) = try co.resume() else { return require(false, "other content") }
            }
            let co = try counter()
            _ = try co.resume()
            do { try co.hibernate() } catch { say("refused: \(error)") }
        } else {
            all.removeAll()
        }
        for strategy in [StackStrategy.fault, .faultMove] { try deep(strategy) }
    },
]
