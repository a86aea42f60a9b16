import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("short-goroutines") struct ShortGoroutinesTests {
    private func verdict(_ shares: Double...) -> ClaimVerdict {
        ShortGoroutines().verdict(
            on: zip(ShortGoroutines.bounds, shares).map { bytes, share in
                .ratio(
                    suite: "short-goroutines", case: ShortGoroutines.name, baseline: ShortGoroutines.all,
                    estimate: Estimate(median: share, low: share * 0.95, high: share * 1.05, samples: 15),
                    parameters: [.bytes: .int(bytes)])
            })
    }

    @Test func aboutTheClaimedShareConfirmsIt() {
        let verdict = verdict(0.35, 0.6, 0.8)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason.hasPrefix(
                "of the goroutines of a server and its clients 35 % [33.2, 36.8; n = 15] used at most")
        )
    }

    @Test func fewerOrMoreRefuteIt() {
        #expect(verdict(0.01, 0.1, 0.2).verdict == .refuted)
        #expect(verdict(0.7, 0.8, 0.9).verdict == .refuted)
    }

    @Test func aroundABoundMoreRoundsAreNeeded() { #expect(verdict(0.37 * 1.25, 0.6, 0.8).verdict == .notMeasurable) }

    @Test func everyBoundIsNeeded() { #expect(verdict(0.37).verdict == .notMeasurable) }
}
