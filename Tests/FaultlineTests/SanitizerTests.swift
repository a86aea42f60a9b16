// What sanitizers are told of stacks. The same tests run without one, where the same must hold.
import Faultline
import TestNeeds
import TestSupport
import Testing

extension Stacks {
    @Suite struct Sanitizers {
        /// Abandoned frames leave neither notes of calls, of which ThreadSanitizer holds 65,536, nor closed parts
        /// around variables, which AddressSanitizer would find in the next frames at the same addresses.
        @Test(arguments: [StackStrategy.demand, .fault, .faultMove, .fixed])
        func manyOverflowsAreContained(_ strategy: StackStrategy) throws {
            if strategy.moves { try Need.noSanitizer.check() }
            let configuration = StackConfiguration(strategy: strategy, maximum: 256 << 10, isIsolated: true)
            for _ in 0..<300 {
                #expect(throws: StackFault.self) {
                    try withStack(configuration) { recurse(1_000_000) }
                }
                let sum = try withStack(configuration) { recurse(100) }
                #expect(sum == 5050)
            }
        }

        /// AddressSanitizer's frames keep addresses of the stack on the heap, where no move finds them.
        @Test func aStackThatMovesIsRefusedUnderASanitizer() throws {
            let configuration = StackConfiguration(strategy: .faultMove, initial: 4096)
            var refused: StackError?
            do {
                #expect(try withStack(configuration) { recurse(100) } == 5050)
            } catch let error as StackError { refused = error }
            #expect((refused != nil) == isSanitized)
            if let refused {
                #expect("\(refused)".contains("announce failed"))
                #expect("\(refused)".contains("a sanitizer cannot follow a stack that moves"))
            }
        }

        /// The same stack serves frames of other shapes, whether the ones before returned, were cancelled or threw.
        @Test func aStackThatIsUsedAgainHoldsNothingOfTheLastUse() throws {
            struct Failure: Error {}
            for round in 1...50 {
                let co = try Coroutine<Void, Int, Int> { (co: borrowing Coroutine<Void, Int, Int>.Suspender, _) in
                    try withExtendedLifetime(recurse(round)) { try co.suspend(round) }
                    if round % 3 == 0 { throw Failure() }
                    return recurse(2 * round)
                }
                guard case .suspended(let first) = try co.resume() else {
                    Issue.record("it did not suspend")
                    return
                }
                #expect(first == round)
                if round % 3 == 1 { continue }  // cancelled
                if round % 3 == 0 {
                    #expect(throws: Failure.self) { try co.resume() }
                } else if case .finished(let last) = try co.resume() {
                    #expect(last == round * (2 * round + 1))
                }
            }
        }

        /// 2,000 may be followed by ThreadSanitizer, of which other suites need some meanwhile.
        @Test func manyCoroutinesAreAliveAtATime() throws {
            let count = ts_has_thread_sanitizer() ? 500 : 9000
            #expect(try Self.refusal(of: count) == nil)
        }

        /// As many as ThreadSanitizer can follow, and then an error; without it all of them.
        @Test func moreCoroutinesThanThreadSanitizerFollowsAreAnError() async {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                try writeToStandardError(Self.refusal(of: 9000).map { "\($0)" } ?? "none was refused")
            }
            let expected =
                ts_has_thread_sanitizer() ? "ThreadSanitizer can follow no more coroutines" : "none was refused"
            expectMessage(result, expected)
        }

        /// Has so many coroutines at a time, and afterwards none.
        ///
        /// - Returns: Why there could not be as many.
        private static func refusal(of count: Int) throws -> StackError? {
            var alive: [Coroutine<Void, Int, Int>] = []
            var refused: StackError?
            for number in 0..<count where refused == nil {
                do {
                    let co = try Coroutine<Void, Int, Int> { (co: borrowing Coroutine<Void, Int, Int>.Suspender, _) in
                        try co.suspend(number)
                        return recurse(3)
                    }
                    if number % 2 == 0 { _ = try co.resume() }
                    alive.append(co)
                } catch let error as StackError {
                    refused = error
                }
            }
            for (number, co) in alive.enumerated() where number % 4 == 0 {
                guard case .finished(6) = try co.resume() else {
                    Issue.record("it did not finish")
                    return refused
                }
            }
            alive.removeAll()
            #expect(try withStack(StackConfiguration()) { recurse(100) } == 5050)
            return refused
        }

        /// More calls than ThreadSanitizer can follow are an overflow that says so.
        @Test func recursionGoesOnOrEndsWithAnError() throws {
            let depth = 200_000
            do {
                let sum = try withGrowableStack(maximum: 512 << 20) { recurse(depth) }
                #expect(sum == depth * (depth + 1) / 2)
                #expect(!ts_has_thread_sanitizer())
            } catch StackFault.overflow(let overflow) {
                #expect(ts_has_thread_sanitizer())
                #expect(overflow.refused?.call == "announce")
                #expect("\(StackFault.overflow(overflow))".contains("ThreadSanitizer can follow no deeper recursion"))
            }
        }

        /// Coroutines on coroutines, resumed in turn, while another thread does the same.
        @Test func nestedCoroutinesTakeTurnsOnTwoThreads() throws {
            @Sendable func work() -> Int {
                func generator(_ level: Int) -> Generator<Int> {
                    Generator<Int> { (yield: borrowing Generator<Int>.Yield) in
                        guard level > 0 else {
                            for n in 1...20 { try yield.suspend(recurse(n)) }
                            return
                        }
                        let inner = generator(level - 1)
                        for value in inner { try yield.suspend(value + 1) }
                    }
                }
                return Array(generator(3)).reduce(0, +)
            }
            let other = Worker(work)
            #expect(work() == 1600)
            #expect(try other.result() == 1600)
        }
    }
}

/// The sum of the numbers up to `depth`, with a variable in each frame whose address is taken.
@inline(never) private func recurse(_ depth: Int) -> Int {
    guard depth > 0 else { return 0 }
    var room = (depth, depth)
    return withUnsafeMutablePointer(to: &room) { keep($0).pointee.0 } + recurse(depth - 1)
}
