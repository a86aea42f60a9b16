import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("indirect-calls") struct IndirectCallsTests {
    private func further(_ name: String, _ value: Double, isNull: Bool = false) -> Record {
        IndirectCalls().record(
            name, .furtherPerCall, Estimate(median: value, low: value - 0.02, high: value + 0.02, samples: 15),
            isNull ? [.nullControl: true] : [:])
    }

    private func verdict(
        indirect: Double, deep: Double, null: Double = 0, further others: [Record] = []
    ) -> ClaimVerdict {
        let names = [IndirectCalls.indirectCalls, IndirectCalls.deepChains]
        return IndirectCalls().verdict(
            on: others + names.map { further($0, null, isNull: true) }
                + zip(names, [indirect, deep]).map { further($0, $1) })
    }

    @Test func bothMoreConfirmIt() {
        let verdict = verdict(indirect: 0.2, deep: 0.1)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [0.2, 0.1])
    }

    @Test func oneThatIsLessRefutesItAndIsNamed() {
        let verdict = verdict(indirect: -0.2, deep: 0.1)
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.contains("does not hold: checks cost indirect calls beyond direct ones -0.2 [-0.22, -0.18"))
        #expect(self.verdict(indirect: 0.2, deep: -0.1).verdict == .refuted)
    }

    @Test func aDifferenceFromZeroThatItsNullControlHasTooDecidesNothing() {
        #expect(verdict(indirect: 0.01, deep: 0.1).verdict == .notDistinguishable)
        #expect(verdict(indirect: 0.2, deep: 0.1, null: 0.19).verdict == .notDistinguishable)
        #expect(verdict(indirect: 0, deep: 0).verdict == .notDistinguishable)
    }

    @Test func whatSingleChainsCostIsAFigure() {
        let single = IndirectCalls().record(
            "closure", .checksPerCall, Estimate(median: 0.4, low: 0.3, high: 0.5, samples: 15), [.depth: 10])
        let verdict = verdict(indirect: 0.2, deep: 0.1, further: [single])
        #expect(verdict.measured.last?.name == "what checks cost a call, closure, chains of 10")
        #expect(verdict.measured.last?.median == 0.4)
    }

    @Test func bothMeansAndTheirNullControlsAreNeeded() {
        #expect(IndirectCalls().verdict(on: [further(IndirectCalls.indirectCalls, 1)]).verdict == .notMeasurable)
        #expect(
            IndirectCalls().verdict(
                on: [IndirectCalls.indirectCalls, IndirectCalls.deepChains].map { further($0, 0.2) }
            ).verdict == .notMeasurable)
    }
}
