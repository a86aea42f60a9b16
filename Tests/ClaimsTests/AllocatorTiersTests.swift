import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("allocator-tiers") struct AllocatorTiersTests {
    private func record(_ name: String, _ time: Double, _ metric: Metric = .time) -> Record {
        Record(
            suite: "allocator-tiers", case: name, metric: metric,
            estimate: Estimate(median: time, low: time * 0.9, high: time * 1.1, samples: 9))
    }

    private func verdict(_ times: Double..., further: [Record] = []) -> ClaimVerdict {
        AllocatorTiers().verdict(
            on: further
                + zip([AllocatorTiers.cache, AllocatorTiers.pool, AllocatorTiers.heap], times).map { record($0, $1) })
    }

    @Test func aboutTheClaimedTimesConfirmIt() { #expect(verdict(1.5, 12, 70).verdict == .confirmed) }

    @Test func oneThatIsFarOffRefutesItAndIsNamed() {
        let verdict = verdict(13, 12, 100)
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.hasSuffix(
                "does not hold: the processor's cache allocates one in 13.0 [11.7, 14.3; n = 9] ns, claimed 1"))
        #expect(self.verdict(1, 10, 2000).verdict == .refuted)
    }

    @Test func aroundABoundMoreRoundsAreNeeded() { #expect(verdict(2, 10, 100).verdict == .notMeasurable) }

    @Test func freeingAndOtherSizesAreFiguresAndDecideNothing() {
        let verdict = verdict(
            1.5, 12, 70,
            further: [
                record(AllocatorTiers.cache, 500, .timeOfFreeing), record(AllocatorTiers.emptyCache, 900),
            ])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [1.5, 12, 70, 900, 500])
    }

    @Test func everyTierIsNeeded() { #expect(verdict(1, 10).verdict == .notMeasurable) }
}
