import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("initial-size") struct InitialSizeTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: 11)
    }

    /// What goroutines did that begin with 2 KB and with 8 KB.
    private func records(
        _ peer: String = "go1.27.3", growths: (Double, Double) = (1.8, 0.3), copying: (Double, Double) = (127e6, 33e6),
        collections: (Double, Double) = (42, 11), isPaired: Bool = true
    ) -> [Record] {
        let totals: [(Metric, (Double, Double))] =
            isPaired ? [(.timeOfCopying, copying), (.collections, collections)] : []
        let changes = totals.map { metric, values in
            InitialSize().ratio(
                InitialSize.change(metric), to: "from 2048 bytes", estimate(values.1 / values.0),
                [.peer: .string(peer), .strategy: "goroutine", .initial: 8192])
        }
        return changes
            + [(Metric.growths, growths), (.timeOfCopying, copying), (.collections, collections)].flatMap {
                metric, values in
                [(2048, values.0), (8192, values.1)].map { size, value in
                    Record(
                        suite: "initial-size", case: "requests", metric: metric, estimate: estimate(value),
                        parameters: [.peer: .string(peer), .strategy: "goroutine", .initial: .int(size)])
                }
            }
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict { InitialSize().verdict(on: records.flatMap { $0 }) }

    @Test func theClaimedNumbersConfirmIt() {
        let verdict = verdict(records())
        #expect(verdict.verdict == .confirmed)
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
    }

    @Test func ofTotalsTheRatioCounts() {
        #expect(verdict(records(copying: (12.7e6, 3.3e6), collections: (84, 22))).verdict == .confirmed)
    }

    @Test func oneOtherNumberRefutesItAndIsNamed() {
        #expect(verdict(records(growths: (2.4, 0.3))).verdict == .refuted)
        #expect(verdict(records(copying: (127e6, 100e6))).verdict == .refuted)
        let verdict = verdict(records(collections: (42, 42)))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasSuffix("does not hold: collections times 1.0 [0.98, 1.02; n = 11], claimed 0.26"))
    }

    @Test func totalsThatWereNotPairedDecideNothing() {
        let verdict = verdict(records(isPaired: false))
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.hasSuffix(
                "undecided: copying was not compared round by round; collections was not compared round by round"))
        #expect(self.verdict(records(growths: (2.4, 0.3), isPaired: false)).verdict == .refuted)
    }

    @Test func anIntervalAroundABoundDecidesNothing() {
        #expect(verdict(records(growths: (1.8 * 1.25, 0.3))).verdict == .notMeasurable)
    }

    @Test func theNewestGoDecides() {
        #expect(verdict(records("go1.19.8", growths: (9, 1)), records()).verdict == .confirmed)
    }

    @Test func withoutGoItIsNotMeasurable() {
        let own = Record(
            suite: "initial-size", case: "requests", metric: .growths, exactly: 1,
            parameters: [.peer: "faultline", .strategy: "fault", .initial: 4096])
        let verdict = InitialSize().verdict(on: [own], missing: ["Go is not measured: install golang-go"])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason == "missing: Go is not measured: install golang-go")
    }
}
