import Faultline
import Measurement
import Report
import Testing
import Workloads

@testable import Claims

@Suite("hot-split") struct HotSplitTests {
    private enum Kind { case segmented, copying, other }

    private static func at(_ name: String, _ kind: Kind, _ low: Double, _ high: Double, position: String = "at")
        -> Record
    {
        .ratio(
            suite: "hot-split", case: "\(name) \(position)", baseline: "\(name) above",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [
                "position": .string(position), "segmented": .bool(kind == .segmented),
                "copying": .bool(kind == .copying),
            ])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { HotSplit().verdict(on: records) }

    @Test func slowSegmentsAndFastCopiesConfirmIt() {
        let verdict = verdict(
            Self.at("check-segment", .segmented, 900, 1000), Self.at("libgcc", .segmented, 200, 300),
            Self.at("check-move", .copying, 0.9, 1.1), Self.at("go1.19", .copying, 1, 1.2))
        #expect(verdict.verdict == .confirmed)
        // The mildest split and the worst copy decide.
        #expect(verdict.measured.map(\.median) == [250, 1.1])
        #expect(verdict.reason.contains("libgcc at the boundary 250.0 [200.0, 300.0]"))
    }

    @Test func segmentsThatAreNotSlowRefuteIt() {
        #expect(
            verdict(Self.at("a", .segmented, 0.9, 1.1), Self.at("b", .copying, 0.9, 1.1)).verdict == .refuted)
    }

    @Test func copyingThatCuresNothingRefutesIt() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .copying, 0.9, 1.1), Self.at("c", .copying, 5, 6))
        #expect(verdict.verdict == .refuted)
    }

    @Test func oneSlowKindOfSegmentsIsADependence() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .segmented, 1, 1.1), Self.at("c", .copying, 0.9, 1.1))
        #expect(verdict.verdict == .depends)
    }

    @Test(arguments: [(1.5, 2.5, 0.9, 1.1), (900, 1000, 1.5, 2.5)])
    func anIntervalAroundTheLimitNeedsMoreRounds(_ low: Double, _ high: Double, _ least: Double, _ most: Double) {
        let verdict = verdict(Self.at("a", .segmented, low, high), Self.at("b", .copying, least, most))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("an interval contains 2"))
    }

    @Test func otherStrategiesAndPositionsDecideNothing() {
        let verdict = verdict(
            Self.at("a", .segmented, 900, 1000), Self.at("b", .copying, 0.9, 1.1), Self.at("fault", .other, 50, 60),
            Self.at("a", .segmented, 0.9, 1.1, position: "below"), Self.at("b", .copying, 50, 60, position: "below"))
        #expect(verdict.verdict == .confirmed)
    }

    @Test func withoutSegmentsOrCopiesItIsNotMeasurable() {
        #expect(verdict(Self.at("b", .copying, 1, 1.1)).reason == "no stack of segments was measured at its boundary")
        #expect(
            verdict(Self.at("a", .segmented, 9, 10)).reason == "no stack that is copied was measured at its boundary")
        #expect(verdict().verdict == .notMeasurable)
    }
}

/// Where stacks grow, by counts.
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
