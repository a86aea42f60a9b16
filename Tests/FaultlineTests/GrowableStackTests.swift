// withGrowableStack: where it may be called from, and what passes through it.
import CShim
import Faultline
import Glibc
import TestNeeds
import TestSupport
import Testing

private struct Failure: Error, Equatable { let depth: Int }

@inline(never) private func throwDeep(_ depth: Int) throws -> Int {
    if depth == 0 { throw Failure(depth: 42) }
    return try throwDeep(depth - 1) + keep(1)
}

// ThreadSanitizer can follow 62,976 calls.
private let deep = isSanitized ? 10_000 : 100_000
private let deepSum = deep * (deep + 1) / 2

extension Stacks {
    @Suite struct GrowableStack {
        @Test func aGrowableStackRunsOnADetachedThread() throws {
            #expect(try onThread { try withGrowableStack { sum(to: deep) } } == deepSum)
        }

        @Test func aGrowableStackRunsInATask() async throws {
            let results = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try withGrowableStack { sum(to: deep) } } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(results == Array(repeating: deepSum, count: 8))
        }

        @Test func growableStacksNest() throws {
            func nested(_ level: Int) throws -> Int {
                if level == 0 { return sum(to: 10_000) }
                return try withGrowableStack { try nested(level - 1) + sum(to: 1000) }
            }
            #expect(try nested(20) == 50_005_000 + 20 * 500_500)
        }

        @Test func theThreadIsTheSameAfterwards() throws {
            let before = pthread_self()
            let inside = try withGrowableStack { pthread_self() }
            #expect(before == inside && before == pthread_self())
        }

        @Test func errorsPassFromAnyDepth() throws {
            #expect(throws: Failure(depth: 42)) { try withGrowableStack { try throwDeep(deep) } }
            #expect(throws: Failure(depth: 42)) { try withGrowableStack { try throwDeep(0) } }
        }

        @Test func resultsWithReferencesPass() throws {
            do {
                let result = try withGrowableStack { (0..<10).map { _ in Tracked() } }
                withExtendedLifetime(result) { #expect(result.count == 10 && Tracked.alive == 10) }
            }
            #expect(Tracked.alive == 0)
        }

        @Test(.needs(.noSanitizer)) func aGrowableStackRunsInsideACoroutineOnAMovingStack() throws {
            let (result, statistics) = try measured(.init(strategy: .faultMove, initial: 4096)) {
                let before = sum(to: 1000)
                let inside = try withGrowableStack { sum(to: deep) }
                return before + inside + sum(to: 20_000)
            }
            #expect(result == 500_500 + deepSum + 200_010_000)
            #expect(statistics.allMoves >= 2)
        }

        @Test func manyThreadsUseThemAtOnce() throws {
            // Each thread prepares itself, grows, moves and gives everything back.
            let threads = (0..<8).map { _ in
                Worker {
                    for _ in 0..<(isSanitized ? 2 : 20) {
                        guard try withGrowableStack({ sum(to: 20_000) }) == 200_010_000,
                            try withStack(.init(strategy: smallest, initial: 4096), { sum(to: 20_000) })
                                == 200_010_000
                        else { return false }
                    }
                    return true
                }
            }
            for thread in threads { #expect(try thread.result()) }
        }

        @Test func overflowIsAnErrorThatNamesTheLimit() throws {
            for _ in 0..<10 {
                let error = #expect(throws: StackFault.self) {
                    try withGrowableStack(maximum: 1 << 20) { sum(to: 10_000_000) }
                }
                guard case .overflow(let overflow) = error else {
                    Issue.record("no overflow: \(error as Any)")
                    return
                }
                #expect(overflow.limit == 1 << 20)
                #expect(overflow.bytesInUse > 1 << 19 && overflow.bytesInUse <= (1 << 20) + 256)
                #expect(overflow.refused == nil)
                #expect(overflow.backtrace.count == 32)
                #expect(overflow.backtrace.contains { $0.symbol?.contains("sum") == true })
                #expect("\(error!)".contains("1048576"))
            }
            #expect(try withGrowableStack { sum(to: deep) } == deepSum)
        }

        @Test func theWholeMaximumIsUsable() throws {
            for size in [8 << 20, 256 << 20] {
                let used = try withGrowableStack(maximum: size) { () -> Int in
                    // All but what the frames above need.
                    touch(pages: size / 4096 - 3)
                    return size
                }
                #expect(used == size)
                #expect(throws: StackFault.self) {
                    try withGrowableStack(maximum: size) { touch(pages: size / 4096 + 1) }
                }
            }
        }
    }
}
