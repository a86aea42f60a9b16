// Symmetric transfer: a coroutine hands over to another without going back to its resumer.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

private typealias Player = Coroutine<Int, Int, Int>

/// Players that know each other.
private final class Ring {
    var players: [Player] = []
    var log: [String] = []
    subscript(index: Int) -> Player { players[index % players.count] }
}

private struct Failure: Error, Equatable {}

@inline(never) private func recurseForEver(_ depth: Int = 0) -> Int {
    keep(depth) < 0 ? 0 : recurseForEver(depth + 1) + keep(depth)
}

/// A ring of `count` players that hand a number on, each time one larger, until it is `end`.
private func ring(_ count: Int, end: Int, _ configurations: [StackConfiguration] = [.init()]) throws -> Ring {
    let ring = Ring()
    for index in 0..<count {
        let configuration = configurations[index % configurations.count]
        ring.players.append(
            try Player(configuration: configuration) { [unowned ring] (co: borrowing _, first) in
                let held = Tracked()
                defer { withExtendedLifetime(held) {} }
                var number = first
                while number < end { number = try co.transfer(to: ring[index + 1], number + 1) }
                return number * 1000 + index
            })
    }
    return ring
}

extension Stacks {
    @Suite struct Transfers {
        @Test func aTokenGoesRoundARing() throws {
            do {
                let ring = try ring(100, end: 10_000)
                // The first resume returns when whichever has the token then ends.
                guard case .finished(10_000_000) = try ring[0].resume(0) else {
                    Issue.record("another end")
                    return
                }
                #expect(!ring[0].isResumable && ring.players.dropFirst().allSatisfy { $0.isResumable })
                #expect(Tracked.alive == 99)
            }
            #expect(Tracked.alive == 0)
        }

        @Test func aStepIsThatOfWhoCameBack() throws {
            let ring = Ring()
            ring.players = [
                try Player { [unowned ring] (co: borrowing _, input) in
                    let answer = try co.transfer(to: ring[1], input + 1)
                    return try co.suspend(answer + 1)
                },
                try Player { (co: borrowing _, input) in
                    try co.suspend(input * 10)
                    throw Failure()
                },
            ]
            let (first, second) = (ring[0], ring[1])
            guard case .suspended(20) = try first.resume(1) else {
                Issue.record("not the second's output")
                return
            }
            #expect(first.isResumable && second.isResumable)
            // Resumed itself, the first one goes on behind its transfer.
            guard case .suspended(6) = try first.resume(5) else {
                Issue.record("not the first's output")
                return
            }
            #expect(throws: Failure.self) { try second.resume(7) }
            #expect(!second.isResumable)
            guard case .finished(3) = try first.resume(3) else {
                Issue.record("not the first's result")
                return
            }
        }

        @Test func anErrorAndAStackFaultReachTheResumer() throws {
            let ring = Ring()
            let isolated = StackConfiguration(maximum: 256 << 10, isIsolated: true)
            for overflows in [false, true] {
                ring.players = [
                    try Player { [unowned ring] (co: borrowing _, _) in try co.transfer(to: ring[1], 0) },
                    try Player(configuration: isolated) { _, _ in
                        if overflows { return recurseForEver() }
                        throw Failure()
                    },
                ]
                do {
                    _ = try ring[0].resume(0)
                    Issue.record("no error")
                } catch StackFault.overflow(let overflow) {
                    #expect(overflows && overflow.limit == 256 << 10)
                } catch { #expect(error as? Failure == Failure() && !overflows) }
                #expect(ring[0].isResumable && !ring[1].isResumable)
                guard case .finished(9) = try ring[0].resume(9) else {
                    Issue.record("the first one did not go on")
                    return
                }
            }
        }

        @Test func cancellationEndsAWaitInATransfer() throws {
            let ring = Ring()
            ring.players = [
                try Player { [unowned ring] (co: borrowing _, _) in
                    do { return try co.transfer(to: ring[1], 1) } catch is CoroutineCancelled {
                        ring.log.append("cancelled")
                    }
                    // It may hand over no more.
                    do { return try co.transfer(to: ring[1], 2) } catch is CoroutineCancelled {
                        ring.log.append("still")
                    }
                    return 0
                },
                try Player { [unowned ring] (co: borrowing _, input) in
                    ring.log.append("got \(input)")
                    return try co.suspend(input)
                },
            ]
            _ = try ring[0].resume(0)
            ring[0].cancel()
            #expect(ring.log == ["got 1", "cancelled", "still"])
            #expect(!ring[0].isResumable && ring[1].isResumable)
        }

        @Test func aCoroutineThatHasEndedIsNotHandedOverTo() throws {
            let ended = try Player { _, _ in 0 }
            _ = try ended.resume(0)
            let co = try Player { (co: borrowing _, _) in
                #expect(throws: StackError.finished) { try co.transfer(to: ended, 0) }
                return try co.suspend(1)
            }
            guard case .suspended(1) = try co.resume(0), case .finished(5) = try co.resume(5) else {
                Issue.record("it did not go on")
                return
            }
        }

        @Test func aHibernatedCoroutineIsRestored() throws {
            let sleeper = try Player { (co: borrowing _, input) in
                var input = input
                while true { input = try co.suspend(input + sum(to: 10)) }
            }
            guard case .suspended(56) = try sleeper.resume(1) else { return }
            do { try sleeper.hibernate(isUnshared: true) } catch StackError.notHibernatable { return }
            let co = try Player { (co: borrowing _, input) in try co.transfer(to: sleeper, input) }
            guard case .suspended(57) = try co.resume(2) else {
                Issue.record("not the sleeper's output")
                return
            }
            #expect(!sleeper.isHibernated)
            // And the one that handed over may hibernate meanwhile.
            try co.hibernate(isUnshared: true)
            guard case .finished(8) = try co.resume(8) else {
                Issue.record("it did not go on")
                return
            }
        }

        @Test func everyStrategyHandsOverToEveryOther() throws {
            let strategies = StackStrategy.allCases.filter { !$0.needsChecks && !($0.moves && isSanitized) }
            let ring = Ring()
            for (index, strategy) in strategies.enumerated() {
                ring.players.append(
                    try Player(configuration: .init(strategy: strategy)) { [unowned ring] (co: borrowing _, first) in
                        var number = first
                        // Deeper each time, so that each grows between its transfers.
                        for round in 1...20 {
                            if sum(to: round * 100) != round * 100 * (round * 100 + 1) / 2 { return -1 }
                            number = try co.transfer(to: ring[index + 1], number + 1)
                        }
                        return number
                    })
            }
            guard case .finished(let last) = try ring[0].resume(0) else { return }
            #expect(last == 20 * strategies.count)
        }

        @Test func whatAThreadKeepsFollowsEach() throws {
            let ring = Ring()
            for index in 0..<3 {
                ring.players.append(
                    try Player(configuration: .init(keepsFloatingPointControl: index == 1)) {
                        [unowned ring] (co: borrowing _, first) in
                        try Bound.$number.withValue(index + 1) {
                            var number = first
                            for _ in 0..<5 {
                                number = try co.transfer(to: ring[index + 1], number + 1)
                                #expect(Bound.number == index + 1)
                            }
                            return number
                        }
                    })
            }
            try Bound.$number.withValue(9) {
                guard case .finished(15) = try ring[0].resume(0) else {
                    Issue.record("another end")
                    return
                }
                #expect(Bound.number == 9)
            }
            #expect(Bound.number == 0)
        }

        @Test func anExceptionThatIsHandledStaysWithItsCoroutine() throws {
            let ring = Ring()
            for index in 0..<2 {
                ring.players.append(
                    try Player { [unowned ring] (co: borrowing _, first) in
                        var number = first
                        let caught = around(.catching(index + 40)) {
                            do {
                                for _ in 0..<3 {
                                    number = try co.transfer(to: ring[index + 1], number + 1)
                                    #expect(ts_handles_exception())
                                }
                            } catch is CoroutineCancelled {}
                        }
                        return Int(caught)
                    })
            }
            guard case .finished(40) = try ring[0].resume(0) else {
                Issue.record("another exception")
                return
            }
            #expect(!ts_handles_exception())
        }

        @Test func aGeneratorThatHandsOverEndsWithTheOther() throws {
            let other = try Coroutine<Void, Int, Void> { (co: borrowing _, _) in try co.suspend(100) }
            let iterator = Generator<Int> { yield in
                try yield.suspend(1)
                try yield.transfer(to: other, ())
                try yield.suspend(2)
            }.makeIterator()
            #expect(iterator.next() == 1 && iterator.next() == 100)
            // Resumed itself, it goes on behind its transfer.
            #expect(iterator.next() == 2 && iterator.next() == nil && iterator.error == nil)
            let ended = try Coroutine<Void, Int, Void> { (_: borrowing _, _) in }
            let short = Generator<Int> { yield in
                try yield.transfer(to: ended, ())
                try yield.suspend(3)
            }.makeIterator()
            #expect(short.next() == nil && short.next() == nil && short.error == nil)
        }

        @Test(.needs(.noSanitizer)) func aRunningCoroutineIsNotHandedOverTo() async throws {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                let ring = Ring()
                ring.players = [
                    try Player { [unowned ring] (_: borrowing _, _) in
                        _ = try ring[1].resumeHere(0)
                        return 0
                    },
                    try Player { [unowned ring] (co: borrowing _, _) in try co.transfer(to: ring[0], 0) },
                ]
                _ = try ring[0].resumeHere(0)
            }
            expectMessage(result, "while it runs")
        }

        @Test(.needs(.noSanitizer)) func onlyTheInnermostStackHandsOver() async throws {
            let result = await #expect(processExitsWith: .signal(SIGILL), observing: [\.standardErrorContent]) {
                let other = try Player { _, _ in 0 }
                let co = try Player { (co: borrowing _, _) in
                    try withGrowableStack { try co.transfer(to: other, 0) }
                }
                _ = try co.resumeHere(0)
            }
            expectMessage(result, "transfer was called on another stack")
        }
    }

    @Suite struct Backtraces {
        @inline(never) private static func inner(_ co: borrowing Player.Suspender, _ depth: Int) throws -> Int {
            if depth == 0 { return try co.suspend(keep(0)) }
            return try inner(co, depth - 1) + keep(1)
        }

        @Test(arguments: StackStrategy.allCases)
        func aSuspendedCoroutineShowsItsFrames(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let co = try Player(configuration: .init(strategy: strategy)) { (co: borrowing _, _) in
                try Self.inner(co, 5)
            }
            #expect(co.backtrace.isEmpty)
            _ = try co.resume(0)
            let frames = co.backtrace
            #expect(frames.count { $0.symbol?.contains("inner") == true } == 6, "\(frames)")
            #expect(frames.last?.symbol?.contains("fl_run_mailbox") == true, "\(frames)")
            guard case .finished(7) = try co.resume(2) else {
                Issue.record("it did not go on")
                return
            }
            #expect(co.backtrace.isEmpty)
        }

        @Test(.needs(.guardPages)) func aHibernatedCoroutineGoesOnHibernating() throws {
            let co = try Player { (co: borrowing _, _) in try Self.inner(co, 5) }
            _ = try co.resume(0)
            let awake = co.backtrace
            try co.hibernate(isUnshared: true)
            let hibernated = co.backtrace
            #expect(co.isHibernated)
            #expect(hibernated.map(\.address) == awake.map(\.address) && awake.count > 6)
            _ = try co.resume(0)
        }

        @Test func aDeepOneHasTwoHundredAndFiftySixFrames() throws {
            let co = try Player { (co: borrowing _, _) in try Self.inner(co, 1000) }
            _ = try co.resume(0)
            #expect(co.backtrace.count == 256)
        }

        @Test func inABodyThatRunsThereAreNone() throws {
            let ring = Ring()
            ring.players = [try Player { [unowned ring] _, _ in ring[0].backtrace.count }]
            guard case .finished(0) = try ring[0].resume(0) else {
                Issue.record("frames of a running coroutine")
                return
            }
        }
    }
}
