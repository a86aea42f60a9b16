import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("minimum-stack") struct MinimumStackTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.99, high: value * 1.01, samples: 7)
    }

    /// Goroutines as they are and on stacks of pages.
    private func records(_ peer: String = "go1.27.3", goroutine: Double = 2700, pages: Double) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.peer: .string(peer), .count: 100_000]
        return [
            Record(
                suite: "minimum-stack", case: "goroutine", metric: .memory, estimate: estimate(goroutine),
                parameters: shared),
            Record(
                suite: "minimum-stack", case: "goroutine without checks", metric: .memory, estimate: estimate(pages),
                parameters: shared),
            .ratio(
                suite: "minimum-stack", case: "goroutine without checks", baseline: "goroutine",
                estimate: estimate(pages / goroutine), parameters: shared),
        ]
    }

    private func verdict(_ records: [Record]..., missing: [String] = []) -> ClaimVerdict {
        MinimumStack().verdict(on: records.flatMap { $0 }, missing: missing)
    }

    @Test func twiceAsMuchInGoConfirmsIt() {
        let verdict = verdict(records(pages: 5600))
        #expect(verdict.verdict == .confirmed)
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
        #expect(verdict.reason.contains("2.07 [2.05, 2.09; n = 7] times as much"))
    }

    @Test func moreOrLessRefutesIt() {
        #expect(verdict(records(pages: 3000)).verdict == .refuted)
        #expect(verdict(records(pages: 9000)).verdict == .refuted)
    }

    @Test func aroundABoundMoreRoundsAreNeeded() {
        #expect(verdict(records(pages: 2700 * 2.2)).verdict == .notMeasurable)
    }

    @Test func theNewestGoDecides() {
        #expect(verdict(records("go1.19.8", pages: 9000), records(pages: 5500)).verdict == .confirmed)
    }

    @Test func whatElseTakesMemoryIsSaidBesideAndDecidesNothing() {
        let own = Record.ratio(
            suite: "minimum-stack", case: "coroutine", baseline: "goroutine", estimate: estimate(3.2),
            parameters: [.slot: 65_536, .guard: "guard-pages"])
        let hibernated = Record(
            suite: "minimum-stack", case: "hibernated coroutine", metric: .memory, estimate: estimate(425),
            parameters: [.slot: 65_536, .count: 100_000])
        let once = Record.ratio(
            suite: "minimum-stack", case: MinimumStack.onceDeepUnchecked, baseline: MinimumStack.onceDeep,
            estimate: estimate(11), parameters: [.peer: "go1.27.3"])
        // What was measured once is a figure and no more.
        var (ownOfAMillion, hibernatedOfAMillion) = (own, hibernated)
        (ownOfAMillion.median, ownOfAMillion.low, ownOfAMillion.high, ownOfAMillion.samples) = (9, 9, 9, 1)
        (hibernatedOfAMillion.samples, hibernatedOfAMillion.parameters[.count]) = (1, 1_000_000)
        hibernatedOfAMillion.median = 421
        let verdict = verdict(records(pages: 5500), [own, ownOfAMillion, hibernated, hibernatedOfAMillion, once])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason.hasSuffix(
                "; deep once, then parked 11.0 [10.9, 11.1; n = 7] times, this library's 3.2 to 3.2 times a "
                    + "shallow one, "
                    + "hibernated 425 B"))
        #expect(verdict.measured.first { $0.name == Figure.memoryOnceDeep.name }?.median == 11)
        #expect(verdict.measured.contains { $0.name == "coroutine in 64KiB with guard-pages against goroutines" })
    }

    @Test func oneMeasurementDecidesNothing() {
        let once = records(pages: 9000).map { record in
            var record = record
            record.samples = 1
            return record
        }
        #expect(verdict(once).verdict == .notMeasurable)
    }

    @Test func withoutGoOrAPatchedOneItIsNotMeasurable() {
        #expect(verdict([], missing: ["Go"]).reason == "missing: Go")
        #expect(verdict(Array(records(pages: 5500).prefix(1))).verdict == .notMeasurable)
    }
}
