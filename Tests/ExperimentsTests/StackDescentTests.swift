import Faultline
import Testing
import Workloads

@testable import Experiments

@Suite("Descents", .serialized) struct DescentTests {
    private func descent(_ configuration: StackConfiguration) throws -> StackDescent {
        let hooks = StackCheckHooks(
            morestack: CheckedCode.morestack, allocateStackSpace: CheckedCode.allocateStackSpace)
        let code = try DescentCode(configuration.strategy.needsChecks ? .checked : .plain, hooks: hooks)
        return StackDescent(configuration: configuration, code: code)
    }

    @Test(arguments: [StackStrategy.fault, .faultMove, .checkMove, .checkSegment])
    func aStackGrowsAtItsBoundaryAndNotAbove(_ strategy: StackStrategy) throws {
        let descent = try descent(StackConfiguration(strategy: strategy))
        let boundary = try #require(try descent.boundary())
        #expect(try descent.run(levels: boundary - 1, .loop(50)).statistics.growths == 0)
        let growths = try descent.run(levels: boundary, .loop(50)).statistics.growths
        // Segments are given back when their function returns: the hot split.
        #expect(growths == (strategy == .checkSegment ? 50 : 1))
        // Further down the descent itself grows the stack, and the loop has room.
        #expect(try descent.run(levels: boundary + 16, .loop(50)).statistics.growths == 1)
    }

    @Test(arguments: [StackStrategy.faultMove, .checkMove])
    func aStackThatMovedBackGrowsAgain(_ strategy: StackStrategy) throws {
        let descent = try descent(StackConfiguration(strategy: strategy))
        let boundary = try #require(try descent.boundary())
        let deep = descent.code.descent(levels: boundary + 1000, .calls(1))
        let co = try Coroutine<Void, Void, Void>(configuration: descent.configuration) { (co: borrowing _, _) in
            while true {
                #expect(deep.isRight(deep.run()))
                try co.suspend(())
                try co.suspend(())
            }
        }
        for cycle in 1...50 {
            _ = try co.resume()
            let growths = co.statistics.growths
            #expect(growths >= cycle)
            #expect(try !co.shrink().hasMoved)
            _ = try co.resume()
            #expect(try co.shrink().hasMoved)
            #expect(co.statistics.growths == growths)
        }
    }

    @Test(arguments: [StackStrategy.fixed, .demand, .growsDown, .checkFixed])
    func stacksThatDoNotGrowHaveNoBoundary(_ strategy: StackStrategy) throws {
        #expect(try descent(StackConfiguration(strategy: strategy)).boundary() == nil)
    }

    @Test(arguments: [1, 2, 3, 10, 1000]) func callsAreAsManyAsAskedFor(_ count: Int) throws {
        // A wrong count is an error.
        _ = try descent(StackConfiguration(strategy: .demand)).run(levels: 3, .calls(count))
    }

    @Test func theDepthOfAnAbandonedDescentIsKnown() throws {
        let descent = try descent(StackConfiguration(strategy: .fault, maximum: 64 << 10, isIsolated: true))
        let endless = descent.code.descent(levels: 0, .ackermann(4, 5))
        #expect(throws: StackFault.self) { try withStack(descent.configuration) { _ = endless.run() } }
        #expect(endless.deepest > 100)
        let small = descent.code.descent(levels: 0, .ackermann(2, 3))
        #expect(try withStack(descent.configuration) { small.run() } == 9)
    }
}
