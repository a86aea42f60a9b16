import Claims
import Measurement
import Report
import Testing

@Suite("trap-cost") struct TrapCostTests {
    private func verdict(_ crossings: Double...) -> Verdict {
        TrapCost().verdict(
            on: crossings.map {
                Record(suite: "trap-cost", case: "growth", metric: "crossings", unit: .count, exactly: $0)
            }
        ).verdict
    }

    @Test func fourCrossingsOrMoreConfirmIt() {
        #expect(verdict(4) == .confirmed)
        #expect(verdict(6) == .confirmed)
    }

    @Test func fewerRefuteIt() { #expect(verdict(3) == .refuted) }

    @Test func withoutACountItIsNotMeasurable() { #expect(verdict() == .notMeasurable) }
}
