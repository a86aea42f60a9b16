import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("break-even") struct BreakEvenTests {
    private static let end = 1_000_000

    private static func record(
        _ name: String, _ metric: Metric, _ median: Double, _ low: Double, _ high: Double,
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        BreakEven().record(
            name, metric, Estimate(median: median, low: low, high: high, samples: 8),
            [.initial: 4096, .sweepEnd: .int(end)].merging(parameters) { $1 })
    }

    private static func crossing(_ name: String, _ median: Double, _ low: Double, _ high: Double) -> Record {
        record(name, .crossing, median, low, high)
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { BreakEven().verdict(on: records) }

    @Test func winningFromTheFirstCallConfirmsIt() {
        let verdict = verdict(Self.crossing("a", 1, 1, 1), Self.crossing("b", 1, 1, 1))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason == "a wins from the first call; b wins from the first call")
    }

    @Test func neverWinningWithinTheSweepRefutesIt() {
        let verdict = verdict(Self.crossing("a", 1e7, 1e6, 1e7))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason == "a does not win within 1,000,000 calls per growth")
    }

    @Test func aCrossingIsADependenceWithItsNumbers() {
        let verdict = verdict(
            Self.crossing("a", 23_456, 18_000, 40_123), Self.record("a", .predictedCrossing, 21_000, 20_000, 22_000),
            Self.record("a", .checkCost, 0.3, 0.2, 0.4),
            Self.record("a", .checkCostAtFirst, 0.5, 0.4, 0.6, [.calls: 10_000]),
            Self.record("noise", .checkCost, 0, -0.05, 0.02, [.nullControl: true]))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason == "a wins from 23,500 [18,000, 40,100] calls per growth (predicted 21,000, "
                + "a check costs 0.3 [0.2, 0.4] ns a call, 0.5 in the first 10000, noise 0.05)")
        #expect(verdict.measured.map(\.median) == [23_456])
    }

    @Test func aCostWithinTheNoiseIsSaidAndTheIntervalUnbounded() {
        let verdict = self.verdict(
            Self.crossing("a", 2e6, 18_000, 1e7), Self.record("a", .predictedCrossing, 1e7, 20_000, 1e7),
            Self.record("a", .checkCost, 0.01, -0.04, 0.06),
            Self.record("noise", .checkCost, 0, -0.05, 0.02, [.nullControl: true]))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.contains(
                "a wins in less than half of the layouts within 1,000,000 calls per growth, [18,000, unbounded]"))
        let bounded = self.verdict(Self.crossing("a", 23_456, 18_000, 1e7))
        #expect(bounded.reason == "a wins from 23,500 [18,000, unbounded] calls per growth")
        #expect(verdict.reason.contains("predicted more than 1,000,000"))
        #expect(verdict.reason.contains("not clearly above the noise of 0.05"))
    }

    @Test func noiseOfAnotherSizeIsNotCompared() {
        let verdict = verdict(
            Self.crossing("a", 20_000, 18_000, 22_000), Self.record("a", .checkCost, 0.3, 0.2, 0.4),
            Self.record("noise", .checkCost, 0, -9, 9, [.initial: 65536, .nullControl: true]))
        #expect(!verdict.reason.contains("noise"))
    }

    @Test func someThatWinAtOnceAndSomeThatNeverDoAreADependence() {
        #expect(verdict(Self.crossing("a", 1, 1, 1), Self.crossing("b", 1e7, 1e6, 1e7)).verdict == .depends)
    }

    @Test func programsAreNamedWithTheirCalls() {
        let verdict = verdict(
            Self.crossing("a", 1, 1, 1), Self.record("fib", .callsPerGrowth, 242_785, 242_785, 242_785))
        #expect(verdict.reason.hasSuffix("calls per growth of programs: fib 243,000"))
    }

    @Test func withoutACrossingItIsNotMeasurable() {
        #expect(verdict().verdict == .notMeasurable)
        #expect(verdict(Self.record("a", .checkCost, 1, 1, 1)).reason.contains("no crossing"))
    }
}

@Suite("Crossings") struct CrossingTests {
    private static let calls = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

    /// A growth and calls of these costs in nanoseconds.
    private static func curve(growth: Double, perCall: Double) -> CostCurve {
        CostCurve(calls: calls, times: calls.map { growth + perCall * Double($0) })
    }

    private func crossing(_ trap: (Double, Double), _ checked: (Double, Double)) -> Crossing {
        Crossing(
            trap: Self.curve(growth: trap.0, perCall: trap.1),
            checked: Self.curve(growth: checked.0, perCall: checked.1))
    }

    @Test(arguments: [5.0, 300, 20_000, 250_000])
    func straightLinesCrossWhereTheyShould(_ calls: Double) {
        let crossing = crossing((1000 + calls * 0.5, 2), (1000, 2.5))
        #expect(abs(crossing.measured - calls) < calls * 1e-6)
        #expect(abs(crossing.checkCost - 0.5) < 1e-6)
        // The first point has a call already.
        #expect(abs(crossing.predicted - calls) < 1.5)
    }

    @Test func theFirstCallsAreLookedAtAlone() {
        var times = Self.curve(growth: 1000, perCall: 2).times
        // A check costs 1 ns in the first 1,000 calls and nothing more from then on.
        for index in times.indices { times[index] += min(999, Double(Self.calls[index] - 1)) }
        let crossing = Crossing(
            trap: Self.curve(growth: 1000, perCall: 2), checked: CostCurve(calls: Self.calls, times: times))
        #expect(abs(crossing.checkCost(upTo: 3) - 1) < 1e-9)
        #expect(crossing.checkCost < 0.002)
    }

    @Test func aTrapThatIsNoSlowerWinsAtOnce() {
        let crossing = crossing((900, 2), (1000, 2.5))
        #expect(crossing.measured == 1)
        #expect(crossing.predicted == 1)
        #expect(crossing.growthDifference < 0)
    }

    @Test func checksThatCostNothingAreNeverPaidFor() {
        let crossing = crossing((2000, 2), (1000, 2))
        #expect(crossing.measured == crossing.beyond)
        #expect(crossing.predicted == crossing.beyond)
        #expect(crossing.beyond == 10_000_000)
    }

    /// The trap takes 1000 ns and 2 ns a call; the checked growth as much, and these nanoseconds more at each point.
    private func crossing(gains: [Double]) -> Crossing {
        let trap = Self.curve(growth: 1000, perCall: 2)
        let checked = CostCurve(calls: Self.calls, times: zip(trap.times, gains).map { $0 + $1 })
        return Crossing(trap: trap, checked: checked)
    }

    @Test func aLossThatOutweighsTheGainsBeforeItMovesTheCrossing() {
        let measured = crossing(gains: [0, 0, 100, -300, 10_000, 100_000, 1_000_000]).measured
        #expect(measured > 1000 && measured < 10_000)
    }

    @Test func aLossThatIsSmallBesideTheGainsIsNoise() {
        // 1 % at 100,000 calls against a tenth and more at every other point.
        #expect(crossing(gains: [100, 102, 120, 300, 2100, -2000, 200_000]).measured == 1)
        #expect(crossing(gains: [100, 102, 120, 300, 2100, 20_000, -2000]).measured == 1)
        #expect(crossing(gains: [-100, -102, -120, -300, -2100, 2000, -200_000]).measured == 10_000_000)
    }
}
