import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("false-sharing") struct FalseSharingTests {
    private func verdict(_ low: Double, _ high: Double) -> ClaimVerdict {
        FalseSharing().verdict(on: [
            .ratio(
                suite: "false-sharing", case: FalseSharing.together, baseline: FalseSharing.apart,
                estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 9)),
            FalseSharing().record(FalseSharing.together, .time, exactly: 40),
        ])
    }

    @Test func slowerInOneLineConfirmsIt() {
        let verdict = verdict(3, 5)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason == "in one cache line a change takes 4.0 [3.0, 5.0; n = 9] times as long as apart; "
                + "together 40.0 ns"
        )
    }

    @Test func asFastRefutesIt() { #expect(verdict(0.98, 1.02).verdict == .refuted) }

    @Test func aroundTheBoundMoreRoundsAreNeeded() { #expect(verdict(1, 1.3).verdict == .notMeasurable) }

    @Test func withoutRecordsItIsNotMeasurable() {
        #expect(FalseSharing().verdict(on: [], missing: ["two processors"]).reason == "missing: two processors")
    }
}
