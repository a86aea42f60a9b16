import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("preemption") struct PreemptionTests {
    private func ratio(
        _ name: String, _ low: Double, _ high: Double, _ variant: String = Preemption.removed.name,
        isAtLeast: Bool = false
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [.variant: .string(variant)]
        if isAtLeast { parameters[.atLeast] = true }
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
            ratio("maps sleep go1", 0.9, 1.1, Preemption.kept.name),
            ratio("calls sleep go1", 0.9, 5, Preemption.kept.name),
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
        let verdict = verdict([ratio("maps collect go1", 8, 12, isAtLeast: true)])
        #expect(verdict.reason.hasSuffix("beside maps collect go1 at least 10.0 times [8.0, 12.0]"))
        #expect(verdict.measured.allSatisfy { $0.isAtLeast == true })
        // A bound from below does not tell that nothing is longer, nor which is the longest.
        let small = self.verdict([ratio("maps collect go1", 0.9, 1.1, isAtLeast: true)])
        #expect(small.verdict == .notMeasurable)
        let hidden = self.verdict([ratio("maps collect go1", 4, 6, isAtLeast: true), ratio("maps sleep go1", 8, 12)])
        #expect(hidden.measured.first?.median == 10 && hidden.measured.first?.isAtLeast == true)
    }

    @Test func probesAreSaidBeside() {
        let verdict = verdict([
            ratio("maps sleep go1", 8, 12), ratio("maps sleep go1", 0.9, 1.1, Preemption.kept.name),
            ratio("maps sleep go1", 0.8, 1.2, Preemption.probes.name),
        ])
        #expect(
            verdict.reason.hasSuffix(
                "cures maps sleep go1 1.0 times [0.9, 1.1]; keeping them beside probes cures maps sleep go1 1.0 times "
                    + "[0.8, 1.2]"))
        #expect(verdict.measured.contains { $0.name == Figure.longestWaitWithProbes.name })
        #expect(Set([Preemption.removed, Preemption.kept, Preemption.probes].map(\.name)).count == 3)
    }

    @Test func theRuntimesChecksMayCureSomeOrNone() {
        let slow = [ratio("maps sleep go1", 8, 12), ratio("reflection sleep go1", 4, 6)]
        let some = verdict(
            slow + [
                ratio("maps sleep go1", 0.9, 1.1, Preemption.kept.name),
                ratio("reflection sleep go1", 3, 5, Preemption.kept.name),
            ])
        #expect(
            some.reason.hasSuffix(
                "; keeping the runtime's checks cures maps sleep go1 1.0 times [0.9, 1.1], does not cure "
                    + "reflection sleep go1 4.0 times [3.0, 5.0]"))
        let none = verdict(slow + [ratio("reflection sleep go1", 3, 5, Preemption.kept.name)])
        #expect(none.verdict == .refuted)
        #expect(none.reason.hasSuffix("checks does not cure reflection sleep go1 4.0 times [3.0, 5.0]"))
        let open = verdict(slow + [ratio("maps sleep go1", 1, 3, Preemption.kept.name)])
        #expect(open.reason.hasSuffix("checks may not cure maps sleep go1 2.0 times [1.0, 3.0]"))
        // What is not slow without checks is nothing to cure.
        let other = verdict(slow + [ratio("calls sleep go1", 3, 5, Preemption.kept.name)])
        #expect(!other.reason.contains("keeping"))
    }

    @Test func anIntervalOnBothSidesOfTwiceDecidesNothing() {
        let verdict = verdict([ratio("maps sleep go1", 1, 3), ratio("calls sleep go1", 0.9, 1.1)])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasSuffix("twice as long: maps sleep go1 2.0 times [1.0, 3.0]"))
    }

    @Test func theNewestGoDecides() {
        func of(_ version: String, _ low: Double, _ high: Double) -> Record {
            var record = ratio("maps sleep \(version)", low, high, isAtLeast: version == "go1.19.8")
            record.parameters[.peer] = .string(version)
            return record
        }
        let verdict = verdict([of("go1.19.8", 8_000, 12_000), of("go1.27.3", 8, 12)])
        #expect(verdict.measured.first?.median == 10)
        #expect(
            verdict.measured.map(\.name).suffix(2)
                == ["maps sleep go1.27.3, no checks", "maps sleep go1.19.8, no checks"])
        #expect(verdict.measured.map { $0.isAtLeast == true } == [false, false, true])
        #expect(!verdict.reason.contains("go1.19.8"))
    }

    @Test func withoutGoItIsNotMeasurable() {
        #expect(verdict([]).verdict == .notMeasurable)
        #expect(Preemption().verdict(on: [], missing: ["Go"]).reason == "missing: Go")
    }
}
