import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("strip-start") struct StripStartTests {
    private func ratio(_ linking: StripStart.Linking, _ low: Double, _ high: Double, isCold: Bool = false) -> Record {
        .ratio(
            suite: "strip-start", case: linking.rawValue, baseline: "usual",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 101),
            parameters: [.cold: .bool(isCold)])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { StripStart().verdict(on: records) }

    @Test func asMuchSoonerConfirmsIt() {
        #expect(verdict(ratio(.stripped, 0.8, 0.83)).verdict == .confirmed)
        #expect(verdict(ratio(.stripped, 0.5, 0.6)).verdict == .confirmed)
    }

    @Test func hardlySoonerRefutesItWhateverColdFilesDo() {
        let verdict = verdict(
            ratio(.stripped, 0.97, 0.99), ratio(.stripped, 0.6, 0.7, isCold: true), ratio(.independent, 1.1, 1.2))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.measured.map(\.median).last == 1.15)
        #expect(verdict.reason.hasPrefix("stripped it takes 0.98 [0.97, 0.99; n = 101] of the time, claimed 0.82"))
    }

    @Test func aroundTheClaimMoreRoundsAreNeeded() {
        #expect(verdict(ratio(.stripped, 0.8, 0.9)).verdict == .notMeasurable)
    }

    @Test func aStartWithoutTheFileAloneIsNotEnough() {
        #expect(verdict(ratio(.stripped, 0.6, 0.7, isCold: true)).verdict == .notMeasurable)
    }
}
