// A system call fails. What the library does then is said on standard error, and once the failure is disarmed
// everything works again.
import CShim
import Faultline
import Glibc
import TestSupport

private let moving = StackConfiguration(strategy: .faultMove, initial: 4096)

nonisolated(unsafe) private var sizes = [40 << 10, 8 << 20, 64 << 20, 128 << 20, 256 << 20]

/// A maximum whose slot size is new to the process, so that a slot of it was never made ready.
private func fresh() -> Int { sizes.removeFirst() }

/// What reaches a site, on fresh stacks: nothing comes from the pool.
private func exercise(_ site: fl_site, isolated: Bool) -> [String] {
    func grow() { ts_touch_down(30) }
    func config(
        _ strategy: StackStrategy, _ kind: StackGuard?, mover: PageMover? = nil, maximum: Int = 1 << 20
    ) -> StackConfiguration {
        StackConfiguration(
            strategy: strategy, initial: strategy.grows ? 4096 : nil, maximum: maximum, guardKind: kind, mover: mover,
            isIsolated: isolated)
    }
    switch site {
    case .FL_SITE_GUARD_INSTALL:
        // The second size is new to the process each time.
        return [
            outcome(config(.fault, .guardPages), grow), outcome(config(.fault, .guardPages, maximum: fresh()), grow),
        ]
    case .FL_SITE_GROW_INSTALL, .FL_SITE_GROW_TABLES:
        // Only in slots above 1 MiB does the band of guards move.
        return [outcome(config(.fault, .guardPages, maximum: 32 << 20)) { ts_touch_down(2000) }]
    case .FL_SITE_GROW_REMOVE: return [outcome(config(.fault, .guardPages), grow)]
    case .FL_SITE_PROTECT_WRITE: return [outcome(config(.fault, .protNone, maximum: fresh()), grow)]
    case .FL_SITE_GROW_PROTECT:
        return [outcome(config(.fault, .protNone), grow)]
    case .FL_SITE_PROTECT_NONE:
        // A stack that grew goes back to the pool at its first size.
        return [outcome(config(.fault, .protNone), grow), outcome(config(.fault, .protNone), grow)]
    case .FL_SITE_POPULATE: return [outcome(config(.fixed, nil), grow)]
    case .FL_SITE_GUARD_REMOVE, .FL_SITE_RELEASE, .FL_SITE_OLD_RANGE_GUARD:
        // Slots that stacks moved away from are used again.
        return (0..<4).map { _ in outcome(config(.faultMove, .guardPages), grow) }
            + (0..<4).map { _ in outcome(config(.faultMove, .protNone), grow) }
    case .FL_SITE_QUARANTINE:
        return StackGuard.allCases.map { outcome(config(.fault, $0)) { _ = recurseForever() } }
    case .FL_SITE_UFFDIO_MOVE, .FL_SITE_UFFDIO_REGISTER, .FL_SITE_USERFAULTFD, .FL_SITE_UFFDIO_API:
        return [outcome(config(.faultMove, .guardPages, mover: .uffdioMove), grow)]
    case .FL_SITE_MREMAP:
        return StackGuard.allCases.map { outcome(config(.faultMove, $0, mover: .mremap), grow) }
    case .FL_SITE_GROWS_DOWN_PROBE, .FL_SITE_GROWS_DOWN_MAP: return [outcome(config(.growsDown, nil), grow)]
    case .FL_SITE_ALTERNATE_MAP, .FL_SITE_ALTERNATE_PROTECT, .FL_SITE_ALTERNATE_SET, .FL_SITE_SIGNAL_MASK:
        var text = ""
        onThread { text = outcome(config(.fault, nil), grow) }
        return [text]
    case .FL_SITE_HANDLER_SET:
        let error = fl_handler_install()
        return [error == 0 ? "returned" : "error: handler-set \(error)", outcome(config(.fault, nil), grow)]
    case .FL_SITE_ARENA_MAP, .FL_SITE_ARENA_TRIM, .FL_SITE_ARENA_OPEN, .FL_SITE_ARENA_UNLOCK, .FL_SITE_ARENA_GUARD,
        .FL_SITE_CORE_OMIT,
        .FL_SITE_ARENA_TABLE, .FL_SITE_ARENA_ADVICE,
        .FL_SITE_STACK_TABLE,
        .FL_SITE_STACK_MEMORY, .FL_SITE_WORDS_THREAD, .FL_SITE_WORDS_MASK, .FL_SITE_ANNOUNCE:
        return [outcome(config(.fault, nil), grow)]
    case .FL_SITE_ARENA_GROW:
        // Reached only where mlockall is in force and less may be locked than is mapped.
        lockFuture(within: 4 << 20)
        return [outcome(config(.fault, nil), grow)]
    case .FL_SITE_RESTORE_UNGUARD:
        // Arenas whose stacks mremap moves are not registered with the userfaultfd.
        return [hibernation(config(.faultMove, .guardPages, mover: .mremap), words: 20, isUnshared: true)]
    case .FL_SITE_HIBERNATE_PROTECT, .FL_SITE_HIBERNATE_CLOSE, .FL_SITE_HIBERNATE_OPEN, .FL_SITE_HIBERNATE_GUARD,
        .FL_SITE_RESTORE_COPY, .FL_SITE_HIBERNATE_MASK:
        return [20, 2000].map { hibernation(config(.fault, .guardPages), words: $0) }
    case .FL_SITE_HIBERNATE_RELEASE:
        return [hibernation(config(.fault, .guardPages), words: 20) { ts_touch_down(4) }]
    case .FL_SITE_STORE_MAP, .FL_SITE_STORE_RELEASE:
        // The second is too large for a slab.
        return [20, 10_000].map { hibernation(config(.fault, .guardPages), words: $0) }
    case .FL_SITE_POOL_TRIM:
        // The stack that is kept is used again, with its pages or without.
        return (0..<3).map { _ in
            let text = outcome(config(.fault, .guardPages), grow)
            for _ in 0..<2 { fl_pool_trim(fl_pool_now(), 0) }
            return text
        }
    case .FL_SITE_IDLE_RESIDENT: return [sweep()]
    case .FL_SITE_SHRINK_RELEASE, .FL_SITE_SHRINK_GUARD:
        return StackGuard.allCases.map { shrinking(config(.fault, $0)) }
    case .FL_SITE_SHRINK_MASK: return [shrinking(config(.faultMove, .guardPages))]
    case .FL_SITE_INITIALIZE_THREAD:
        var text = ""
        onThread { nearTheEnd(leaving: 100 << 10) { text = outcome(config(.fault, nil), grow) } }
        return [text]
    case .FL_SITE_THREAD_BOUNDS:
        // A thread's stack of unknown bounds has nothing left, so that another is used.
        var text = ""
        onThread { text = "\((try? withStackHeadroom(1 << 10) { StackSpace.remaining > 1 << 10 }) ?? false)" }
        return [text == "true" ? "returned" : "no stack"]
    case .FL_SITE_CORE_HANDLER: return [outcome(config(.fault, nil), grow)]
    case .FL_SITE_CORE_SHOW, .FL_SITE_COUNT: return []
    }
}

/// Runs `body` where about so many bytes are left of this thread's own stack.
func nearTheEnd(leaving bytes: Int, _ body: () -> Void) {
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) {
            ts_call_below(
                StackSpace.remaining - bytes, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, $0)
        }
    }
}

/// Has the site do what it does without a failure, so that the failure strikes later.
private func warmUp(_ site: fl_site) {
    switch site {
    case .FL_SITE_ARENA_MAP, .FL_SITE_ARENA_TRIM, .FL_SITE_ARENA_OPEN, .FL_SITE_ARENA_UNLOCK, .FL_SITE_ARENA_GUARD,
        .FL_SITE_CORE_OMIT,
        .FL_SITE_ARENA_TABLE, .FL_SITE_ARENA_ADVICE,
        .FL_SITE_STACK_TABLE,
        .FL_SITE_ARENA_GROW, .FL_SITE_UFFDIO_REGISTER:
        require(fl_initialize() == 0, "not initialized")  // the arenas are still to be made
    default:
        require(fl_initialize() == 0, "not initialized")
        _ = exercise(site, isolated: true)
    }
}

let injectionScenarios: [String: Scenario] = [
    // inject SITE ERRNO AFTER WHEN ISOLATED: WHEN is "first" (before anything), "later".
    "inject": { arguments in
        let site = fl_site(rawValue: UInt32(arguments[0])!)!
        let error = Int32(arguments[1])!
        let after = UInt32(arguments[2])!
        let isolated = arguments[4] == "isolated"
        if arguments[3] == "later" { warmUp(site) }
        if site == .FL_SITE_HANDLER_SET && arguments[3] == "later" {
            require(ts_set_default(SIGSEGV) == 0 && ts_set_default(SIGBUS) == 0, "not reset")
        }
        fl_pool_drain()
        let before = fl_debug_calls(site)
        fl_debug_fail(site, error, after)
        for text in exercise(site, isolated: isolated) { say("armed: \(text)") }
        let during = fl_debug_calls(site) - before
        fl_debug_fail(site, 0, 0)
        fl_pool_drain()
        for _ in 0..<3 { for text in exercise(site, isolated: true) { say("disarmed: \(text)") } }
        say("site=\(String(cString: fl_site_name(site))) calls=\(during)")
        let value = try withGrowableStack { sum(to: 50_000) }
        require(value == 1_250_025_000, "wrong sum afterwards")
        require(try withStack(moving) { sum(to: 50_000) } == value, "wrong sum afterwards")
        require(site == .FL_SITE_HANDLER_SET || fl_handler_is_installed(), "no handler afterwards")
    },
    // The default action cannot be restored: the process must end all the same.
    "inject-default": { _ in
        try withGrowableStack {}
        fl_debug_fail(.FL_SITE_HANDLER_SET, EPERM, 0)
        ts_read_byte(8)
        say("survived")
    },
    "sites": { _ in
        for site in 0..<fl_site.FL_SITE_COUNT.rawValue {
            say("\(site) \(String(cString: fl_site_name(fl_site(rawValue: site)!)))")
        }
    },
]
