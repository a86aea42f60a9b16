// Handlers that others install, before and after.
import CShim
import Faultline
import Glibc
import TestSupport

let handlerScenarios: [String: Scenario] = [
    // A coroutine that another key of the thread holds, whose destructor comes after the library's own.
    "end-with-thread": { _ in
        try withStack(.init()) {}
        var key = pthread_key_t()
        pthread_key_create(&key) { Unmanaged<AnyObject>.fromOpaque($0!).release() }
        let own = key
        for strategy in [StackStrategy.fault, .faultMove] {
            var grown = false
            onThread {
                let co = try? Coroutine<Void, Void, Void>(configuration: .init(strategy: strategy)) {
                    (co: borrowing _, _) in
                    defer {
                        ts_touch_down(100)
                        grown = true
                    }
                    try co.suspend(())
                }
                _ = try? co!.resume()
                pthread_setspecific(own, Unmanaged<AnyObject>.passRetained(co!).toOpaque())
            }
            require(grown, "the body did not end")
        }
    },
    // previous SIGNAL KIND FAULT: a handler that was there before is called for a foreign fault.
    "previous": { arguments in
        let signal = Int32(arguments[0])!
        let kind = UInt32(arguments[1])!
        require(ts_install_handler(signal, kind) == 0, "not installed")
        try withGrowableStack { _ = sum(to: 20_000) }  // a fault of ours is none of that handler's
        try faultScenarios["fault"]!([arguments[2], arguments.count > 3 ? arguments[3] : "thread"])
    },
    // ignored SIGNAL FAULT
    "ignored": { arguments in
        let signal = Int32(arguments[0])!
        require(ts_set_ignore(signal) == 0, "not ignored")
        try withGrowableStack {}
        if arguments[1] == "sent" {
            ts_raise(signal)
            say("ignored")
            return
        }
        try faultScenarios["fault"]!([arguments[1], "thread"])
    },
    "replaced": { _ in
        require(!fl_handler_is_installed(), "installed before anything was made")
        try withGrowableStack {}
        require(fl_handler_is_installed(), "not installed")
        require(ts_install_handler(SIGBUS, TS_HANDLER_INFO.rawValue) == 0, "not replaced")
        require(!fl_handler_is_installed(), "not noticed: SIGBUS")
        require(fl_handler_install() == 0, "not installed again")
        require(fl_handler_is_installed(), "not installed again")
        require(ts_install_handler(SIGSEGV, TS_HANDLER_INFO.rawValue) == 0, "not replaced")
        require(!fl_handler_is_installed(), "not noticed: SIGSEGV")
        require(fl_handler_install() == 0, "not installed again")
        require(try withGrowableStack { sum(to: 20_000) } == 200_010_000, "wrong sum")
        // The one that had replaced ours is the previous one now.
        ts_read_byte(8)
    },
    // lost-signal STRATEGY: a handler without SA_ONSTACK and no room for its frame.
    "lost-signal": { arguments in
        require(ts_install_counting_handler(SIGUSR1) == 0, "not installed")
        let strategy = StackStrategy(rawValue: arguments[0])!
        try withStack(.init(strategy: strategy, maximum: 1 << 20)) {
            ts_signal_near_end(SIGUSR1, 8192)
            require(ts_handler_calls() == 1, "a handler with room was not called")
            say("with room: called")
            ts_signal_near_end(SIGUSR1, 256)
        }
    },
    "errno": { _ in
        for strategy in [StackStrategy.fault, .faultMove] {
            for value in [Int32(0), EINTR, ENOMEM, 1234] {
                let seen = try withStack(.init(strategy: strategy, initial: 4096)) {
                    ts_errno_across_growth(value, 300)
                }
                require(seen == value, "errno \(value) became \(seen) under \(strategy)")
            }
        }
    },
    "fork": { _ in
        require(try withStack(.init(strategy: .faultMove, initial: 4096)) { sum(to: 20_000) } == 200_010_000, "before")
        let child = ts_fork()
        if child == 0 {
            // The descriptor acts on the parent's memory: it must not be used here at all, not even to be refused.
            func uses() -> UInt64 { fl_debug_calls(.FL_SITE_UFFDIO_MOVE) + fl_debug_calls(.FL_SITE_UFFDIO_REGISTER) }
            let before = uses()
            for mover in PageMover.allCases {
                var by: [PageMover: Int] = [:]
                let value = try withStack(
                    .init(strategy: .faultMove, initial: 4096, mover: mover), statistics: { by = $0.moves },
                    { sum(to: 20_000) })
                if value != 200_010_000 { _exit(3) }
                if by[.uffdioMove] != 0 { _exit(4) }  // it would have moved the parent's memory
            }
            let coroutine = try Coroutine<Void, Int, Void> { co, _ in try co.suspend(sum(to: 20_000)) }
            guard case .suspended(200_010_000) = try coroutine.resume() else { _exit(5) }
            _exit(uses() == before ? 0 : 6)
        }
        var status: Int32 = 0
        require(waitpid(child, &status, 0) == child, "no child")
        require(status == 0, "the child ended with \(status)")
        require(try withStack(.init(strategy: .faultMove, initial: 4096)) { sum(to: 20_000) } == 200_010_000, "after")
    },
    // fork-inside STRATEGY MOVER: both sides go on with a stack that was running.
    "fork-inside": { arguments in
        let mover = PageMover(rawValue: arguments[0])!
        try withStack(.init(strategy: .faultMove, initial: 4096, mover: mover)) {
            _ = sum(to: 100)
            let child = ts_fork()
            let value = sum(to: 50_000)
            require(value == 1_250_025_000, "wrong sum")
            if child == 0 { _exit(0) }
            var status: Int32 = 0
            require(waitpid(child, &status, 0) == child && status == 0, "the child ended with \(status)")
            require(sum(to: 200_000) == 20_000_100_000, "wrong sum")
        }
    },
    // fork-while-making: another thread is making the arena that both sides then need.
    "fork-while-making": { _ in
        func stack() -> String { outcome(.init(strategy: .fault, maximum: 16 << 10)) { ts_touch_down(2) } }
        require(outcome(.init()) { ts_touch_down(2) } == "returned", "not returned")
        var maker = pthread_t()
        let error = pthread_create(
            &maker, nil,
            { _ in
                require(ts_hold_next_arena() == 0, "not held")
                let text = outcome(.init(strategy: .fault, maximum: 16 << 10)) { ts_touch_down(2) }
                require(text == "returned", "the maker: \(text)")
                return nil
            }, nil)
        require(error == 0, "no thread")
        ts_wait_until_held()
        let child = ts_fork()
        if child == 0 {
            for _ in 0..<3 {
                if stack() != "returned" { _exit(3) }
                fl_pool_drain()
            }
            // The second one finds the arena, as no other thread makes one now.
            _exit(fl_debug_calls(.FL_SITE_ARENA_OPEN) == 2 ? 0 : 4)
        }
        var status: Int32 = 0
        require(waitpid(child, &status, 0) == child && status == 0, "the child ended with \(status)")
        require(stack() == "returned", "while the maker is held")
        ts_let_go()
        require(pthread_join(maker, nil) == 0 && stack() == "returned", "after the maker")
    },
    "threads": { _ in
        func run(_ count: Int) {
            for _ in 0..<count {
                onThread {
                    require((try? withGrowableStack { sum(to: 2000) }) == 2_001_000, "wrong sum")
                    require(
                        ts_alternate_stack_size() >= 64 << 10, "alternate stack of \(ts_alternate_stack_size()) bytes")
                }
            }
        }
        run(50)
        let before = mappingCount()
        run(1000)
        require(mappingCount() <= before + 8, "\(mappingCount()) mappings after 1,000 threads, \(before) before")
        fl_pool_drain()
        say("mappings before=\(before) after=\(mappingCount())")
    },
]
