// Hibernation by policy: sweeps at times that the tests name. What counts memory or lets system calls fail is in
// CrashTests, in processes of its own.
import CShim
import Glibc
import StackWords
import TestSupport
import Testing

@testable import Faultline

private typealias Sleeper = Coroutine<Void, Int, Bool>

/// Suspends again and again, and ends with whether its words were the same each time.
private func sleeper(_ seed: Int, _ configuration: StackConfiguration = .init(strategy: smallest)) throws -> Sleeper {
    try Sleeper(configuration: configuration) { (co: borrowing _, _) in
        var isIntact = true
        try withStackWords(50) { words in
            for turn in 0..<Int.max {
                for n in words.indices { words[n] = UInt64(n &* seed &+ turn) }
                do { try co.suspend(turn) } catch { break }
                isIntact = isIntact && words.indices.allSatisfy { words[$0] == UInt64($0 &* seed &+ turn) }
            }
        }
        return isIntact
    }
}

private func suspended(_ count: Int, _ configuration: StackConfiguration = .init(strategy: smallest)) throws
    -> [Sleeper]
{
    try (0..<count).map { n in
        let co = try sleeper(n + 1, configuration)
        _ = try co.resume()
        return co
    }
}

/// Whether each goes on as it should.
private func go(_ all: [Sleeper]) throws -> Bool {
    try all.allSatisfy {
        if case .suspended = try $0.resume() { return true }
        return false
    }
}

private let second: UInt64 = 1_000_000_000

extension Stacks {
    @Suite struct HibernationByPolicy {
        @Test func whatWasNotResumedForThatLongHibernates() throws {
            try onThread {
                try HibernationPolicy(idle: .seconds(10)).apply()
                let all = try suspended(20)
                let start = 1000 * second
                var sweep = HibernationPolicy.sweep(at: start)
                #expect(sweep.hibernated == 0 && sweep.waiting == 20 && sweep.refused == 0)
                #expect(sweep.resident == nil && sweep.residentError == nil)
                #expect(all.allSatisfy { !$0.isHibernated && $0.isResumable })
                #expect(try go(Array(all[..<5])))
                sweep = HibernationPolicy.sweep(at: start + 10 * second - 1_000_000)
                #expect(sweep.hibernated == 0 && sweep.waiting == 20)
                #expect(try go(Array(all[5..<10])))
                sweep = HibernationPolicy.sweep(at: start + 10 * second)
                #expect(sweep.hibernated == 10 && sweep.waiting == 10)
                #expect(all.map { $0.isHibernated } == (0..<20).map { $0 >= 10 })
                // The first five have been idle since the second sweep, the next five since the third.
                #expect(HibernationPolicy.sweep(at: start + 20 * second - 1_000_000).hibernated == 5)
                #expect(HibernationPolicy.sweep(at: start + 20 * second - 1_000_000).hibernated == 0)
                #expect(HibernationPolicy.sweep(at: start + 20 * second).hibernated == 5)
                #expect(try go(all))
                #expect(HibernationPolicy.sweep(at: start + 21 * second).waiting == 20)
                for co in all { co.cancel() }
            }
        }

        /// The marks have 32 bits of milliseconds: they wrap after 49 days.
        @Test func theClockMayWrap() throws {
            try onThread {
                try HibernationPolicy(idle: .seconds(10)).apply()
                let all = try suspended(3)
                let wrap = (UInt64(UInt32.max) + 1) * 1_000_000
                #expect(HibernationPolicy.sweep(at: wrap - 5 * second).waiting == 3)
                #expect(HibernationPolicy.sweep(at: wrap + 5 * second - 1_000_000).hibernated == 0)
                #expect(HibernationPolicy.sweep(at: wrap + 5 * second).hibernated == 3)
                #expect(try go(all))
            }
        }

        @Test func withoutAnIdleTimeTheFirstSweepIsEnough() throws {
            try onThread {
                try HibernationPolicy(idle: .zero).apply()
                let all = try suspended(7)
                #expect(HibernationPolicy.sweep().hibernated == 7)
                #expect(all.allSatisfy { $0.isHibernated })
                HibernationPolicy.remove()
                #expect(try go(all))
                #expect(HibernationPolicy.sweep().waiting == 0 && !all.contains { $0.isHibernated })
            }
        }

        @Test func anIdleCoroutineDoesWhatEveryOtherDoes() throws {
            try onThread {
                try HibernationPolicy(idle: .seconds(10)).apply()
                func idle() throws -> [Sleeper] {
                    let all = try suspended(4)
                    #expect(HibernationPolicy.sweep(at: second).waiting == 4)
                    #expect(all.allSatisfy { $0.isResumable && !$0.isHibernated })
                    return all
                }
                var all = try idle()
                for co in all { try co.hibernate() }
                #expect(all.allSatisfy { $0.isHibernated })
                #expect(try go(all))
                all = []
                all = try idle()
                for co in all { co.cancel() }
                #expect(!all.contains { $0.isResumable })
                all = []
                all = try idle()
                #expect(all[0].statistics == all[1].statistics)
                all = []
                let generator = Generator<Int> { yield in for n in 0..<5 { try yield.suspend(n) } }
                let iterator = generator.makeIterator()
                for n in 0..<5 {
                    #expect(iterator.next() == n)
                    #expect(HibernationPolicy.sweep(at: UInt64(n) * second).waiting == 1)
                }
                #expect(iterator.next() == nil)
                #expect(HibernationPolicy.sweep(at: 9 * second).waiting == 0)
            }
        }

        // In a process of its own, because the refused call is every stack's.
        @Test func aGeneratorThatCannotBeRestoredNowGoesOnLater() async throws {
            await #expect(processExitsWith: .success) { try Self.goOnLater() }
        }

        // Not async: a generator stays on its thread.
        private static func goOnLater() throws {
            try HibernationPolicy(idle: .zero).apply()
            let iterator = Generator<Int> { yield in for n in 0..<3 { try yield.suspend(n) } }.makeIterator()
            for n in 0..<3 {
                let element = try iterator.nextElement()
                #expect(element == n)
                #expect(HibernationPolicy.sweep().hibernated == 1)
                fl_debug_fail(.FL_SITE_RESTORE_COPY, ENOMEM, 0)
                #expect(
                    throws: StackError.unavailable(.init(.call(.FL_SITE_RESTORE_COPY), ENOMEM, for: .restoration))
                ) {
                    try iterator.nextElement()
                }
                fl_debug_fail(.FL_SITE_RESTORE_COPY, 0, 0)
            }
            let last = try iterator.nextElement()
            #expect(last == nil)
        }

        @Test func whatAnAccessRestoredIsIdleAnew() throws {
            try onThread {
                try HibernationPolicy(idle: .seconds(10)).apply()
                let co = try Coroutine<Void, UInt, Void>(configuration: .init(strategy: smallest)) {
                    (co: borrowing _, _) in
                    try withStackWords(1) { words in
                        words[0] = 5
                        try co.suspend(UInt(bitPattern: words.baseAddress))
                    }
                }
                guard case .suspended(let address) = try co.resume() else { throw StackError.finished }
                _ = HibernationPolicy.sweep(at: second)
                #expect(HibernationPolicy.sweep(at: 11 * second).hibernated == 1)
                #expect(UnsafePointer<UInt64>(bitPattern: address)?.pointee == 5)
                #expect(!co.isHibernated)
                #expect(HibernationPolicy.sweep(at: 100 * second).waiting == 1)
                #expect(HibernationPolicy.sweep(at: 109 * second).hibernated == 0)
                #expect(HibernationPolicy.sweep(at: 110 * second).hibernated == 1)
                _ = try co.resume()
            }
        }

        @Test func whatCannotHibernateIsCountedAndLeftAlone() throws {
            try onThread {
                try HibernationPolicy(idle: .zero).apply()
                let kinds: [StackConfiguration] = [
                    .init(strategy: .fixed, maximum: 64 << 10), .init(strategy: .growsDown),
                    .init(guardKind: .protNone),
                ]
                let all = try kinds.flatMap { try suspended(2, $0) }
                let other = try suspended(1)
                for _ in 0..<2 {
                    let sweep = HibernationPolicy.sweep()
                    #expect(sweep.refused == 6 && sweep.waiting == 0)
                }
                #expect(other[0].isHibernated && !all.contains { $0.isHibernated })
                #expect(try go(all + other))
                for co in all + other { co.cancel() }
            }
        }

        @Test func whatIsNotSuspendedIsLeftAlone() throws {
            try onThread {
                try HibernationPolicy(idle: .zero).apply()
                let fresh = try sleeper(1)
                let ended = try sleeper(2)
                _ = try ended.resume()
                ended.cancel()
                // A sweep from within: the caller is running, and so is what resumed it.
                let outer = try Coroutine<Void, Void, HibernationPolicy.Sweep> { (_: borrowing _, _) in
                    let inner = try Coroutine<Void, Void, HibernationPolicy.Sweep> { (_: borrowing _, _) in
                        HibernationPolicy.sweep()
                    }
                    guard case .finished(let sweep) = try inner.resume() else { throw StackError.finished }
                    return sweep
                }
                guard case .finished(let sweep) = try outer.resume() else { throw StackError.finished }
                #expect(sweep.hibernated == 0 && sweep.waiting == 0 && sweep.refused == 0)
                #expect(try go([fresh]))
            }
        }

        @Test func eachThreadHasAPolicyOfItsOwn() throws {
            var turn = pthread_barrier_t()
            pthread_barrier_init(&turn, nil, 3)
            nonisolated(unsafe) let barrier = withUnsafeMutablePointer(to: &turn) { $0 }
            let workers = (0..<3).map { thread in
                Worker {
                    if thread > 0 { try HibernationPolicy(idle: .zero).apply() }
                    let all = try suspended(10 * (thread + 1))
                    pthread_barrier_wait(barrier)
                    let sweep = HibernationPolicy.sweep()
                    #expect(sweep.hibernated == (thread == 0 ? 0 : all.count) && sweep.waiting == 0)
                    pthread_barrier_wait(barrier)
                    #expect(all.allSatisfy { $0.isHibernated == (thread > 0) })
                    #expect((HibernationPolicy.current == nil) == (thread == 0))
                    #expect(try go(all))
                    for co in all { co.cancel() }
                }
            }
            for worker in workers { try worker.result() }
            pthread_barrier_destroy(barrier)
        }

        /// Entries of the table change hands between threads all the time meanwhile.
        @Test func threadsSweepWhileOthersMakeResumeAndEndTheirs() throws {
            let workers = (0..<4).map { thread in
                Worker {
                    try HibernationPolicy(idle: .zero).apply()
                    var all: [Sleeper] = []
                    var state = UInt64(thread + 1)
                    var hibernated = 0
                    for round in 0..<4000 {
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        let choice = Int(state >> 33)
                        if all.count < 40 || choice % 5 == 0 {
                            let co = try sleeper(choice)
                            _ = try co.resume()
                            all.append(co)
                        } else if choice % 5 == 1 {
                            let last = all.swapRemove(choice % all.count)
                            guard case .suspended = try last.resume() else { throw StackError.finished }
                        } else {
                            guard case .suspended = try all[choice % all.count].resume() else {
                                throw StackError.finished
                            }
                        }
                        if all.count > 60 { all.removeLast(30) }
                        if round % 16 == 0 { hibernated += HibernationPolicy.sweep().hibernated }
                        if round % 200 == 0 { StackPool.drain() }
                    }
                    return hibernated
                }
            }
            for worker in workers { #expect(try worker.result() > 1000) }
        }

        @Test(arguments: [nil, Duration.seconds(10)]) func whatIsFoundIdleAgainIsShrunkOnce(_ idle: Duration?) throws {
            try onThread {
                try HibernationPolicy(idle: idle, shrinksIdle: true).apply()
                let all = try (0..<4).map { _ in
                    let co = try Coroutine<Void, Void, Void> { (co: borrowing _, _) in
                        while true {
                            touch(pages: 60)
                            try co.suspend(())
                        }
                    }
                    _ = try co.resume()
                    return co
                }
                for turn in 0..<3 {
                    let start = UInt64(turn) * 100 * second
                    var sweep = HibernationPolicy.sweep(at: start)
                    #expect(sweep.waiting == 4 && sweep.shrunk == 0 && sweep.releasedBytes == 0)
                    sweep = HibernationPolicy.sweep(at: start + second)
                    #expect(sweep.shrunk == 4 && sweep.releasedBytes > 4 * 50 * 4096 && sweep.hibernated == 0)
                    #expect(sweep.waiting == (idle == nil ? 0 : 4))
                    sweep = HibernationPolicy.sweep(at: start + 2 * second)
                    #expect(sweep.shrunk == 0 && sweep.releasedBytes == 0)
                    sweep = HibernationPolicy.sweep(at: start + 20 * second)
                    #expect(sweep.hibernated == (idle == nil ? 0 : 4) && sweep.shrunk == 0)
                    for co in all { _ = try co.resume() }
                }
            }
        }

        @Test func stepsComeRound() throws {
            try onThread {
                try HibernationPolicy(idle: .zero).apply()
                let all = try suspended(100)
                var (steps, hibernated) = (0, 0)
                while true {
                    let step = HibernationPolicy.step(at: second, entries: 16)
                    steps += 1
                    hibernated += step.sweep.hibernated
                    if step.isComplete { break }
                }
                #expect(hibernated == 100 && steps >= 100 / 16)
                #expect(try go(all))
                for co in all { co.cancel() }
            }
        }

        @Test(arguments: [
            (HibernationPolicy(), "needs an idle time or a resident budget, or has to shrink"),
            (HibernationPolicy(idle: .nanoseconds(-1)), "an idle time of"),
            (HibernationPolicy(idle: .seconds(25 * 86_400)), "an idle time of"),
            (HibernationPolicy(residentBudget: -1), "a resident budget of -1 bytes"),
        ]) func whatIsOutOfRangeIsRefused(_ policy: HibernationPolicy, _ text: String) throws {
            try onThread {
                do {
                    try policy.apply()
                    Issue.record("applied: \(policy)")
                } catch { #expect("\(error)".contains(text), "\(error)") }
                #expect(HibernationPolicy.current == nil)
                let valid = HibernationPolicy(idle: .microseconds(1), residentBudget: 1 << 40, isUnshared: true)
                try valid.apply()
                let current = try #require(HibernationPolicy.current)
                #expect(current.idle == .milliseconds(1))  // rounded up
                #expect(current.residentBudget == 1 << 40 && current.isUnshared)
                HibernationPolicy.remove()
                #expect(HibernationPolicy.current == nil)
            }
        }
    }
}

extension Array {
    /// Takes an element out; the last one takes its place.
    fileprivate mutating func swapRemove(_ index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
