import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("preemption") struct PreemptionTests {
    private func ratio(
        _ low: Double, _ high: Double, _ variant: String = Preemption.removed.name, of operation: String = "pause",
        beside work: String = "maps", version: String = "go1.27.3", isAtLeast: Bool = false
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [
            .variant: .string(variant), .operation: .string(operation), .work: .string(work), .peer: .string(version),
        ]
        if isAtLeast { parameters[.atLeast] = true }
        return .ratio(
            suite: "preemption", case: "\(work) \(operation) \(version)", baseline: "original",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 7), parameters: parameters)
    }

    private func verdict(_ records: Record...) -> ClaimVerdict {
        Preemption().verdict(on: records + [ratio(0.8, 1.3, Preemption.again)])
    }

    @Test func aPauseThatIsNotTwiceAsLongConfirmsIt() {
        #expect(verdict(ratio(0.9, 1.3)).verdict == .confirmed)
        #expect(verdict(ratio(1.3, 1.9)).verdict == .confirmed)
    }

    @Test func onePauseDecidesWhateverElseIsLonger() {
        let verdict = verdict(
            ratio(500, 900, of: "collect"), ratio(500, 900, beside: "assembly"), ratio(0.9, 1.3))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.first?.median == 1.1)
    }

    @Test func aLongerPauseRefutesItAndTheSameIsSaidOfTheOtherForms() {
        let verdict = verdict(
            ratio(8, 12), ratio(0.9, 1.1, Preemption.kept.name), ratio(0.8, 1.2, Preemption.probes.name),
            ratio(7, 9, Preemption.kept.name, of: "sleep"), ratio(7, 9, Preemption.probes.name, beside: "reflection"))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.hasSuffix(
                "against the original, without checks 10.0 [8.0, 12.0; n = 7] times, with the runtime's checks "
                    + "1.0 [0.9, 1.1; n = 7] times, with probes beside these 1.0 [0.8, 1.2; n = 7] times, "
                    + "with all checks again 1.1 [0.8, 1.3; n = 7] times"))
        func median(_ figure: Figure) -> Double? { verdict.measured.first { $0.name == figure.name }?.median }
        #expect(median(.pauseWithoutChecks) == 10)
        #expect(median(.pauseWithRuntimesChecks) == 1 && median(.pauseWithProbes) == 1)
        #expect(Set([Preemption.removed, Preemption.kept, Preemption.probes].map(\.name)).count == 3)
    }

    @Test func onlyAPauseThatDidNotEndIsAtLeast() {
        let bound = verdict(ratio(8, 12, isAtLeast: true))
        #expect(bound.verdict == .refuted)
        #expect(bound.reason.contains("without checks at least 10.0 [8.0, 12.0; n = 7] times"))
        #expect(bound.measured.first?.isAtLeast == true)
        // A bound from below does not tell that nothing is longer.
        #expect(verdict(ratio(0.9, 1.1, isAtLeast: true)).verdict != .confirmed)
        let other = verdict(ratio(4, 6), ratio(8, 12, of: "collect", isAtLeast: true))
        #expect(other.measured.first?.isAtLeast != true)
    }

    @Test func whatTheOriginalShowsAsWellIsNotDistinguishable() {
        let records = [ratio(1.5, 2.5), ratio(0.5, 3, Preemption.again)]
        #expect(Preemption().verdict(on: records).verdict == .notDistinguishable)
        let longer = [ratio(2.5, 3), ratio(0.5, 3, Preemption.again)]
        #expect(Preemption().verdict(on: longer).verdict == .notDistinguishable)
    }

    @Test func anIntervalOnBothSidesOfTwiceDecidesNothing() {
        #expect(verdict(ratio(1.1, 5)).verdict == .notMeasurable)
    }

    @Test func theNewestGoDecides() {
        let verdict = verdict(ratio(8_000, 12_000, version: "go1.19.8", isAtLeast: true), ratio(8, 12))
        #expect(verdict.measured.first?.median == 10)
        #expect(
            verdict.measured.map(\.name).suffix(2)
                == ["go1.27.3", "go1.19.8"].map {
                    "pause of a collection beside iterating a map, \($0), without checks"
                })
        #expect(verdict.measured.map { $0.isAtLeast == true }.suffix(2) == [false, true])
        #expect(!verdict.reason.contains("go1.19.8"))
    }

    @Test func withoutThatPauseItIsNotMeasurable() {
        #expect(verdict(ratio(8, 12, of: "sleep")).verdict == .notMeasurable)
        #expect(Preemption().verdict(on: [], missing: ["Go"]).reason == "missing: Go")
    }
}
