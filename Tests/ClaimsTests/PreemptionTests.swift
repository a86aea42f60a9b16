import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("preemption") struct PreemptionTests {
    private func ratio(
        _ name: String, _ low: Double, _ high: Double, kept: Bool = false, unended: Int? = nil
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [.variant: kept ? "checks in the runtime only" : "no checks"]
        if let unended { parameters[.unended] = .int(unended) }
        return .ratio(
            suite: "preemption", case: name, baseline: "original",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 5), parameters: parameters)
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { Preemption().verdict(on: records) }

    @Test func whereNothingTakesLongerItIsConfirmed() {
        let verdict = verdict([ratio("maps sleep go1", 0.9, 1.3), ratio("calls sleep go1", 0.8, 1)])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason == "without checks no wait takes longer: maps sleep go1 1.1 times [0.9, 1.3]")
        #expect(verdict.measured.first?.name == verdict.claimed.first?.name)
    }

    @Test func oneLongerWaitRefutesItAndTheRuntimesChecksCureIt() {
        let verdict = verdict([
            ratio("maps sleep go1", 8, 12), ratio("calls sleep go1", 0.9, 1.1),
            ratio("maps sleep go1", 0.9, 1.1, kept: true), ratio("calls sleep go1", 0.9, 5, kept: true),
        ])
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "without checks others wait longer beside maps sleep go1 10.0 times [8.0, 12.0]; not beside "
                + "calls sleep go1; keeping the runtime's checks cures maps sleep go1 1.0 times [0.9, 1.1]")
        #expect(verdict.measured.first?.median == 10)
        #expect(verdict.measured.contains { $0.name == Figure.longestWaitWithRuntimesChecks.name })
    }

    @Test func aWaitThatDidNotEndIsALeastOne() {
        let verdict = verdict([ratio("maps collect go1", 8, 12, unended: 3)])
        #expect(verdict.reason.hasSuffix("beside maps collect go1 at least 10.0 times [8.0, 12.0]"))
    }

    @Test func theRuntimesChecksMayCureSomeOrNone() {
        let slow = [ratio("maps sleep go1", 8, 12), ratio("reflection sleep go1", 4, 6)]
        let some = verdict(
            slow + [ratio("maps sleep go1", 0.9, 1.1, kept: true), ratio("reflection sleep go1", 3, 5, kept: true)])
        #expect(
            some.reason.hasSuffix(
                "; keeping the runtime's checks cures maps sleep go1 1.0 times [0.9, 1.1], does not cure "
                    + "reflection sleep go1 4.0 times [3.0, 5.0]"))
        let none = verdict(slow + [ratio("reflection sleep go1", 3, 5, kept: true)])
        #expect(none.verdict == .refuted)
        #expect(none.reason.hasSuffix("checks does not cure reflection sleep go1 4.0 times [3.0, 5.0]"))
        let open = verdict(slow + [ratio("maps sleep go1", 1, 3, kept: true)])
        #expect(open.reason.hasSuffix("checks may not cure maps sleep go1 2.0 times [1.0, 3.0]"))
        // What is not slow without checks is nothing to cure.
        let other = verdict(slow + [ratio("calls sleep go1", 3, 5, kept: true)])
        #expect(!other.reason.contains("keeping"))
    }

    @Test func anIntervalOnBothSidesOfTwiceDecidesNothing() {
        let verdict = verdict([ratio("maps sleep go1", 1, 3), ratio("calls sleep go1", 0.9, 1.1)])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasSuffix("twice as long: maps sleep go1 2.0 times [1.0, 3.0]"))
    }

    @Test func withoutGoItIsNotMeasurable() {
        #expect(verdict([]).verdict == .notMeasurable)
        #expect(Preemption().verdict(on: [], missing: ["Go"]).reason == "missing: Go")
    }
}
