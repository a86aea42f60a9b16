// Coroutines that hibernate: what they hold comes back, whichever access asks for it first.
import CShim
import Glibc
import StackWords
import TestNeeds
import TestSupport
import Testing

import struct Measurement.SeededGenerator

@testable import Faultline

/// Kept by the body on its stack.
private typealias Words = UnsafeMutableBufferPointer<UInt64>
private typealias Sleeper = Coroutine<Void, Words, Void>

/// Values of every width, zeros, and addresses of the words themselves, which follow a stack that moves: whatever the
/// store encodes differently.
private func word(_ random: inout SeededGenerator, near address: UInt) -> UInt64 {
    switch random.next() % 6 {
    case 0: 0
    case 1: UInt64(address) + random.next() % 8
    case 2: 0x5555_0000_0000 | random.next() >> 32
    default: random.next() >> (random.next() % 64)
    }
}

/// Suspends below `depth` frames that each hold words of a pattern, and checks them on the way back.
private func descend(_ co: borrowing Sleeper.Suspender, _ depth: Int, _ random: inout SeededGenerator) throws -> Bool {
    let (count, seed) = (Int(random.next() % 40) + 1, random.next())
    var isIntact = false
    try withStackWords(count) { words in
        let address = UInt(bitPattern: words.baseAddress)
        var pattern = SeededGenerator(seed: seed)
        for n in words.indices { words[n] = word(&pattern, near: address) }
        let below = depth == 0 ? true : try descend(co, depth - 1, &random)
        if depth == 0 { try co.suspend(words) }
        pattern = SeededGenerator(seed: seed)
        isIntact = words.allSatisfy { $0 == word(&pattern, near: address) } && below
    }
    return isIntact
}

/// A coroutine that holds `count` zeros and suspends for ever; it counts how often it was continued.
private func holder(_ count: Int, _ configuration: StackConfiguration = .init()) throws -> Sleeper {
    try Sleeper(configuration: configuration) { (co: borrowing _, _) in
        try withStackWords(count) { words in
            words.initialize(repeating: 0)
            while true { try co.suspend(words) }
        }
    }
}

private func suspended(_ co: Sleeper) throws -> Words {
    guard case .suspended(let words) = try co.resume() else { throw StackError.finished }
    return words
}

/// The smallest in which the frames have room.
private let smallestSlot = isSanitized ? 256 << 10 : 64 << 10
private let small = StackConfiguration(strategy: .fault, initial: 4096, reservation: smallestSlot)

extension Stacks {
    @Suite struct Hibernation {
        private static let kinds: [StackConfiguration] = [
            .init(), small, .init(strategy: .faultMove, initial: 4096), .init(strategy: .faultMove, mover: .mremap),
            .init(strategy: .demand), .init(strategy: .checkMove), .init(strategy: .checkSegment),
            .init(strategy: .checkFixed), .init(strategy: .fault, reservation: 64 << 20),
        ]

        // The arenas of mremap have no userfaultfd.
        @Test(
            arguments: kinds.map { ($0, true) } + kinds.filter { $0.mover != .mremap }.map { ($0, false) })
        func whatTheFramesHoldIsTheSameAfterManyCycles(_ kind: StackConfiguration, _ isUnshared: Bool) throws {
            if kind.strategy.moves { try Need.noSanitizer.check() }
            var random = SeededGenerator(seed: 11)
            // Plain code has only what is there at first where checks make room.
            let growsByFaults = [.fault, .faultMove, .demand].contains(kind.strategy)
            let deepest = kind == small || !growsByFaults ? 4 : 120
            for round in 0..<40 {
                let depth = Int(random.next() % UInt64(deepest))
                var own = SeededGenerator(seed: UInt64(round))
                var intact = 0
                let co = try Sleeper(configuration: kind) { (co: borrowing _, _) in
                    for _ in 0..<4 where try descend(co, depth, &own) { intact += 1 }
                }
                for _ in 0..<4 {
                    guard case .suspended = try co.resume() else { throw StackError.finished }
                    try co.hibernate(isUnshared: isUnshared)
                    #expect(co.isHibernated && co.isResumable)
                    try co.hibernate(isUnshared: isUnshared)  // changes nothing
                }
                _ = try co.resume()
                #expect(intact == 4, "round \(round), depth \(depth)")
            }
        }

        @Test func anEmptyStoreHoldsNothing() throws {
            StackPool.drain()
            let before = HibernationStore.usage
            do {
                let all = try (0..<500).map { try holder($0 * 16 % 6000 + 1, .init(strategy: smallest)) }
                for co in all {
                    let words = try suspended(co)
                    for n in words.indices { words[n] = UInt64.max - UInt64(n) }
                    try co.hibernate()
                }
                #expect(HibernationStore.usage.records == before.records + 500)
                // Four bytes of each word, but for those that the dictionary may have learned.
                #expect(HibernationStore.usage.bytes - before.bytes > 500 * (2493 - 256) * 4)
                for (n, co) in all.enumerated() where n % 2 == 0 { _ = try suspended(co) }
                #expect(HibernationStore.usage.records == before.records + 250)
                // Optimized code would let them go after their last use.
                withExtendedLifetime(all) {}
            }
            StackPool.drain()
            #expect(HibernationStore.usage == before)
        }

        /// Wherever the stack pointer stands in its page, the red zone's reach into the guard included.
        @Test func aStackPointerBesideTheGuardIsNoHindrance() throws {
            for count in 1...700 {
                let co = try holder(count, small)
                try suspended(co)[count - 1] = UInt64(count)
                try co.hibernate()
                #expect(try suspended(co)[count - 1] == UInt64(count))
            }
        }

        @Test(arguments: [1, 3000]) func aStrayAccessIsRestoredFirst(_ count: Int) throws {
            let co = try holder(count)
            for access in 0..<4 {
                let words = try suspended(co)
                words[0] = 7
                words[count - 1] = 8
                try co.hibernate()
                let before = FaultStatistics.process
                switch access {
                case 0: #expect(words[count - 1] == 8)
                case 1: #expect(words[0] == (count == 1 ? 8 : 7))
                case 2: words[0] = 9
                default: words[count - 1] = 9
                }
                let after = FaultStatistics.process
                #expect(!co.isHibernated)
                #expect(after.wakeUpsByFault == before.wakeUpsByFault + 1)
                #expect(after.traps["hibernated"]! == before.traps["hibernated"]! + 1)
                #expect(words[count - 1] == (access == 3 || (access == 2 && count == 1) ? 9 : 8))
                let again = try suspended(co)
                #expect(again.baseAddress == words.baseAddress && again[count - 1] == words[count - 1])
                #expect(FaultStatistics.process.wakeUpsByResume == before.wakeUpsByResume)
            }
        }

        @Test func aRestoredStackHibernatesAgain() throws {
            let co = try holder(1)
            let words = try suspended(co)
            let before = HibernationStore.usage.records
            for n in 1...100 {
                try co.hibernate()
                #expect(words[0] == UInt64(n) - 1)  // restored by this
                words[0] = UInt64(n)
                #expect(HibernationStore.usage.records == before + 1)
            }
            _ = try suspended(co)
            #expect(words[0] == 100 && HibernationStore.usage.records == before)
        }

        @Test(.needs(.noSanitizer)) func aMovedStackIsForwardedAndThenRestored() throws {
            let co = try Sleeper(configuration: .init(strategy: .faultMove, initial: 4096)) { (co: borrowing _, _) in
                try withStackWords(4) { words in
                    words.initialize(repeating: 5)
                    try co.suspend(words)
                    touch(pages: 100)  // more than the largest slot that unoptimized frames may need before
                    try co.suspend(words)
                    try co.suspend(words)
                }
            }
            let former = try suspended(co)
            let now = try suspended(co)
            #expect(former.baseAddress != now.baseAddress)
            try co.hibernate()
            #expect(former[2] == 5)
            #expect(!co.isHibernated)
            #expect(try suspended(co)[2] == 5)
        }

        @Test func threadsMayTouchAHibernatedStackAtOnce() throws {
            let (threads, rounds, count) = (3, 2000, 2000)
            let co = try holder(count)
            let words = try suspended(co)
            var turn = pthread_barrier_t()
            pthread_barrier_init(&turn, nil, UInt32(threads + 1))
            nonisolated(unsafe) let shared = words
            nonisolated(unsafe) let barrier = withUnsafeMutablePointer(to: &turn) { $0 }
            let workers = (0..<threads).map { thread in
                Worker {
                    for round in 0..<rounds {
                        pthread_barrier_wait(barrier)
                        // Pages in different orders; each thread has words of its own on every page.
                        for step in stride(from: thread, to: count, by: 64 + thread) {
                            let place = (round + thread) % 2 == 0 ? step : count - 1 - step
                            let own = place / threads * threads + thread
                            if own < count { shared[own] += 1 }
                        }
                        pthread_barrier_wait(barrier)
                    }
                }
            }
            var expected = [UInt64](repeating: 0, count: count)
            for round in 0..<rounds {
                try co.hibernate()
                pthread_barrier_wait(barrier)
                pthread_barrier_wait(barrier)
                for thread in 0..<threads {
                    for step in stride(from: thread, to: count, by: 64 + thread) {
                        let place = (round + thread) % 2 == 0 ? step : count - 1 - step
                        let own = place / threads * threads + thread
                        if own < count { expected[own] += 1 }
                    }
                }
                if round % 3 == 0 { _ = try suspended(co) }
            }
            for worker in workers { _ = try worker.result() }
            #expect(Array(try suspended(co)) == expected)
            pthread_barrier_destroy(barrier)
        }

        /// No store of another thread is lost, neither while the words are taken down nor while they come back.
        @Test func aThreadMayStoreWhileTheStackHibernatesAndWakes() throws {
            let co = try holder(600)
            nonisolated(unsafe) let words = try suspended(co)
            let isOver = Flag()
            let worker = Worker {
                var counts: UInt64 = 0
                while !isOver.isSet {
                    counts += 1
                    // One width and then another, so that the record's size changes while it is written.
                    let place = keep(words).baseAddress! + Int(counts % 500)
                    if place.pointee >> 8 != (counts > 500 ? counts - 500 : 0) { return UInt64.max }
                    place.pointee = counts << 8
                }
                return counts
            }
            let before = FaultStatistics.process
            for round in 0..<20_000 {
                try co.hibernate()
                if round % 2 == 0 { _ = try suspended(co) }
            }
            isOver.set()
            let counts = try worker.result()
            let last = try suspended(co)
            try #require(counts != .max, "a store was lost")
            for n in 0..<min(500, counts) {
                #expect(last[Int((counts - n) % 500)] == (counts - n) << 8)
            }
            #expect(FaultStatistics.process.wakeUpsByFault > before.wakeUpsByFault)
        }

        /// A handler that interrupts the very thread that hibernates or restores the stack.
        @Test(.needs(.noThreadSanitizer)) func aSignalHandlerMayUseTheStackMeanwhile() throws {
            let co = try holder(600)
            nonisolated(unsafe) let words = try suspended(co)
            Interrupting.word = words.baseAddress! + 599
            var action = sigaction()
            var former = sigaction()
            action.sa_flags = SA_ONSTACK | SA_RESTART
            action.__sigaction_handler.sa_handler = { _ in
                Interrupting.word!.pointee += 1
                Interrupting.count += 1
            }
            sigaction(SIGUSR1, &action, &former)
            var usual = sigset_t()
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGUSR1)
            pthread_sigmask(SIG_UNBLOCK, &mask, &usual)  // Dispatch blocks signals on its threads
            let thread = pthread_self()
            let isOver = Flag()
            let worker = Worker { while !isOver.isSet { pthread_kill(thread, SIGUSR1) } }
            let before = FaultStatistics.process.wakeUpsByFault
            var cycles = 0
            while cycles < 500_000 && FaultStatistics.process.wakeUpsByFault < before + 50 {
                try co.hibernate()
                _ = try suspended(co)
                cycles += 1
            }
            isOver.set()
            _ = try worker.result()
            pthread_sigmask(SIG_SETMASK, &usual, nil)
            sigaction(SIGUSR1, &former, nil)
            #expect(words[599] == Interrupting.count && Interrupting.count > 0)
            #expect(FaultStatistics.process.wakeUpsByFault > before, "after \(cycles) cycles")
        }

        @Test(arguments: [false, true]) func cancellingAndDestroyingRunTheBodyToItsEnd(_ explicitly: Bool) throws {
            let before = HibernationStore.usage
            var unwound = 0
            for n in 0..<50 {
                let co = try Sleeper { (co: borrowing _, _) in
                    defer { unwound += 1 }
                    let owned = keep(Tracked())
                    try withStackWords(10) { words in
                        _ = try co.suspend(words)
                    }
                    _ = keep(owned)
                }
                let words = try suspended(co)
                try co.hibernate()
                if n % 2 == 0 { words[0] = 1 }
                if explicitly {
                    co.cancel()
                    #expect(!co.isResumable && !co.isHibernated)
                }
            }
            #expect(unwound == 50 && Tracked.alive == 0)
            StackPool.drain()
            #expect(HibernationStore.usage.records == before.records)
        }

        @Test func aSlotThatHibernatedHasItsGuardWhenItIsUsedAgain() throws {
            let configuration = StackConfiguration(strategy: .fault, initial: 4096, maximum: 64 << 10, isIsolated: true)
            for how in 0..<3 {
                StackPool.drain()
                func once() throws -> UInt {
                    let co = try Coroutine<Void, UInt, Void>(configuration: configuration) { (co: borrowing _, _) in
                        try co.suspend(UInt(ts_running_stack()!.pointee.base))
                    }
                    guard case .suspended(let base) = try co.resume() else { throw StackError.finished }
                    try co.hibernate()
                    if how == 1 { ts_read_byte(base - 8) }
                    if how == 2 { _ = try co.resume() }
                    return base
                }
                let former = try once()
                var base: UInt = 0
                #expect(throws: StackFault.self) {
                    try withStack(configuration) {
                        base = UInt(ts_running_stack()!.pointee.base)
                        touch(pages: 4)
                        try withExtendedLifetime(base) { _ = try overflow(1) }
                    }
                }
                #expect(base == former)
            }
        }

        private func overflow(_ depth: Int) throws -> Int {
            if keep(depth) < 0 { return 0 }
            return try overflow(depth + 1) + keep(1)
        }

        @Test func whatCannotHibernateSaysWhy() throws {
            func refusal(_ co: Sleeper, _ text: String) {
                do {
                    try co.hibernate()
                    Issue.record("hibernated: \(text)")
                } catch { #expect("\(error)".contains(text) && !"\(error)".contains("\n"), "\(error)") }
                #expect(!co.isHibernated)
            }
            let fresh = try holder(1)
            refusal(fresh, "it is not suspended")
            for (configuration, text) in [
                (StackConfiguration(strategy: .fixed, maximum: 64 << 10), "strategies 'fixed' and 'grows-down'"),
                (StackConfiguration(strategy: .growsDown), "strategies 'fixed' and 'grows-down'"),
                (StackConfiguration(guardKind: .protNone), "guard 'prot-none' cannot"),
                (StackConfiguration(strategy: .faultMove, mover: .mremap), "pass isUnshared"),
            ] where !(configuration.strategy.moves && isSanitized) {
                let co = try holder(3, configuration)
                _ = try suspended(co)
                refusal(co, text)
                _ = try suspended(co)  // as before
            }
            let ended = try Sleeper { (_: borrowing _, _) in }
            _ = try ended.resume()
            refusal(ended, "it is not suspended")
            var inside: Sleeper?
            inside = try Sleeper { (co: borrowing _, _) in refusal(inside!, "it is not suspended") }
            _ = try inside!.resume()
            inside = nil
        }

        @Test(arguments: [
            fl_site.FL_SITE_HIBERNATE_PROTECT, .FL_SITE_HIBERNATE_CLOSE, .FL_SITE_HIBERNATE_GUARD, .FL_SITE_STORE_MAP,
            .FL_SITE_RESTORE_COPY,
        ])
        func aRefusalLosesNothing(_ site: fl_site) throws {
            let co = try holder(site == .FL_SITE_STORE_MAP ? 12_000 : 1200)
            let words = try suspended(co)
            for n in words.indices { words[n] = UInt64.max - UInt64(n) }
            let before = HibernationStore.usage.records
            for after in [0, 0, 1] as [UInt32] {
                fl_debug_fail(site, EPERM, after)
                defer { fl_debug_fail(site, 0, 0) }
                do {
                    try co.hibernate()
                    _ = try suspended(co)
                    #expect(after > 0)
                } catch StackError.unavailable(let refusal) {
                    #expect(refusal.step == .call(site))
                }
                fl_debug_fail(site, 0, 0)
                #expect(co.isResumable && co.isHibernated == (site == .FL_SITE_RESTORE_COPY))
                _ = try suspended(co)
                #expect(words.indices.allSatisfy { words[$0] == UInt64.max - UInt64($0) })
                #expect(HibernationStore.usage.records == before)
            }
        }

        // Bounds on what is counted for a process of its own; docs and `faultline bench` have the measured numbers.
        @Test(.needs(.noSanitizer)) func tenThousandHibernatedCoroutinesTakeLittle() async throws {
            // On a thread: each coroutine would have a copy of the values that the testing library binds in its tasks.
            await #expect(processExitsWith: .success) {
                try onThread {
                    let count = 10_000
                    var all: [Coroutine<Void, Void, Void>] = []
                    all.reserveCapacity(count)
                    let (before, held) = (Memory.now, HibernationStore.usage)
                    for _ in 0..<count {
                        let co = try Coroutine<Void, Void, Void>(
                            configuration: .init(strategy: .faultMove, initial: 4096)
                        ) {
                            (co: borrowing _, _) in while true { try co.suspend(()) }
                        }
                        _ = try co.resumeHere()
                        try co.hibernate()
                        all.append(co)
                    }
                    let (after, holds) = (Memory.now, HibernationStore.usage)
                    let bookkeeping = Int(fl_stack_bookkeeping())
                    let inAll = after.resident - before.resident + after.pageTables - before.pageTables
                    // Unoptimized frames hold several times as much, and their first trap moves them to a larger slot.
                    #if DEBUG
                        let (maximum, maximumStored) = (2400, 1200)
                    #else
                        let (maximum, maximumStored) = (700, 300)
                    #endif
                    #expect(inAll < count * maximum, "\(inAll / count) bytes each, in all")
                    let bytes = holds.bytes - held.bytes
                    #expect(holds.records - held.records == count)
                    #expect(bytes < count * maximumStored, "\(bytes / count) bytes stored each")
                    #expect(holds.committed - held.committed < bytes + (1 << 20))
                    #expect(bookkeeping <= 112)
                    for co in all { _ = try co.resumeHere() }
                    #expect(HibernationStore.usage.records == held.records)
                    all.removeAll()
                    StackPool.drain()
                }
            }
        }
    }
}

/// What a signal handler of these tests uses.
private enum Interrupting {
    nonisolated(unsafe) static var word: UnsafeMutablePointer<UInt64>?
    nonisolated(unsafe) static var count: UInt64 = 0
}

/// What the kernel counts for this process, in bytes.
private struct Memory {
    let resident: Int
    let pageTables: Int

    static var now: Memory {
        let fields = KernelFile("/proc/self/status").fields
        return Memory(resident: fields["VmRSS"] ?? 0, pageTables: fields["VmPTE"] ?? 0)
    }
}
