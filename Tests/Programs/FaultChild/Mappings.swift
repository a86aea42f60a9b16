// Stacks where mappings or memory are few: without guards that need no mapping, with nearly every mapping of the
// process in use, and beside requests that exceed the limit of all stacks.
import CShim
import Faultline
import Glibc
import StackWords
import TestSupport

/// Mappings that are of no use: every second page of a region.
private struct Ballast {
    private let region: UnsafeMutableRawPointer
    private var pages: Int

    /// Takes all mappings that are left.
    init() {
        let allowed = Int(fl_capabilities_get().pointee.max_map_count)
        region = mmap(nil, 2 * allowed * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        require(region != MAP_FAILED, "no region")
        pages = 0
        while mprotect(region + 2 * pages * 4096, 4096, PROT_READ) == 0 { pages += 1 }
        require(errno == ENOMEM && pages > 1000, "\(pages) pages, error \(errno)")
    }

    /// Gives that many mappings back, and one more where the number is odd.
    mutating func give(_ mappings: Int) {
        for _ in stride(from: 0, to: mappings, by: 2) {
            pages -= 1
            mprotect(region + 2 * pages * 4096, 4096, PROT_NONE)
        }
    }
}

private func diver(_ configuration: StackConfiguration) throws -> Coroutine<Void, Void, Bool> {
    try Coroutine(configuration: configuration) { (co: borrowing _, _) in
        var isIntact = false
        try withStackWords(40) { words in
            for n in words.indices { words[n] = UInt64(n * 31) }
            try co.suspend(())
            ts_touch_down(200)
            isIntact = words.indices.allSatisfy { words[$0] == UInt64($0 * 31) }
        }
        return isIntact
    }
}

let mappingScenarios: [String: Scenario] = [
    // The kernel before Linux 6.13.
    "no-guard-install": { _ in
        fl_debug_fail(.FL_SITE_GUARD_INSTALL, EINVAL, 0)
        for strategy in [StackStrategy.fault, .faultMove, .demand] {
            let configuration = StackConfiguration(strategy: strategy, isIsolated: true)
            require(try configuration.effective().guardKind == .protNone, "guards that there are none of")
            do {
                try withStack(configuration) { ts_touch_down(1 << 20) }
                require(false, "\(strategy): no guard")
            } catch StackFault.overflow { say("\(strategy.rawValue): overflow") }
        }
        do { try StackConfiguration(guardKind: .guardPages).validate() } catch { say("\(error)") }
        var all: [Coroutine<Void, Void, Void>] = []
        var refusal: (any Error)?
        while refusal == nil {
            do { all.append(try Coroutine { (_: borrowing _, _) in }) } catch { refusal = error }
        }
        let count = all.count
        all.removeLast(100)
        say("\(count) made; \(refusal!)")
        try withStack(.init()) { ts_touch_down(50) }
    },
    // One thread asks for more than there may be, and what others ask for fits all the time.
    "limit": { _ in
        StackMemory.limit = StackMemory.inUse + 64 << 20
        let isOver = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        isOver.pointee = 0
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { isOver in
                let isOver = isOver!.assumingMemoryBound(to: Int.self)
                while keep(isOver).pointee == 0 {
                    let refusal = outcome(.init(strategy: .demand, maximum: 128 << 20)) {}
                    require(refusal.contains("stack-memory"), refusal)
                }
                return nil
            }, isOver)
        for _ in 0..<20_000 {
            let text = outcome(.init(strategy: .fault, initial: 4096, maximum: 64 << 10, isIsolated: true)) {
                ts_touch_down(10)
            }
            require(text == "returned", text)
        }
        isOver.pointee = 1
        pthread_join(thread, nil)
    },
    // out-of-mappings MOVER
    "out-of-mappings": { arguments in
        let configuration = StackConfiguration(
            strategy: .faultMove, initial: 8192, guardKind: .protNone, mover: PageMover(rawValue: arguments[0])!,
            isIsolated: true)
        let all = try (0..<24).map { _ in try diver(configuration) }
        for co in all { _ = try co.resume() }
        // The arenas of larger slots are there from now on.
        guard case .finished(true) = try all[0].resume() else { fatalError("other content") }
        var ballast = Ballast()
        var (grown, refused) = (0, 0)
        for (mappings, co) in all.dropFirst().enumerated() {
            ballast.give(mappings)
            do {
                guard case .finished(let isIntact) = try co.resume() else { fatalError("suspended") }
                require(isIntact, "other content")
                grown += 1
            } catch is StackFault { refused += 1 }
        }
        ballast.give(1000)
        require(refused > 0 && grown > 0 && grown + refused == 23, "\(refused) refused, \(grown) grown")
    },
]
