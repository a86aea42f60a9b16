import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("shrink-free") struct ShrinkFreeTests {
    private func ratio(
        _ name: String, to baseline: String, _ value: Double, _ parameters: [ParameterName: ParameterValue]
    ) -> Record {
        .ratio(
            suite: "shrink-free", case: name, baseline: baseline,
            estimate: Estimate(median: value, low: value * 0.98, high: value * 1.02, samples: 9), parameters: parameters
        )
    }

    private func verdict(_ later: Double, peer: String = "go1.27.3", further: [Record] = []) -> ClaimVerdict {
        ShrinkFree().verdict(
            on: further + [
                ratio("first", to: "later", 8, [.peer: .string(peer)]),
                ratio("later", to: "with room", later, [.peer: .string(peer)]),
            ])
    }

    @Test func aLaterDescentAsFastAsWithRoomConfirmsIt() {
        let verdict = verdict(1)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "go1.27.3: a later descent takes 1.0 [0.98, 1.02; n = 9] of one that had room, the first 8.0 [7.8, "
                + "8.2; n = 9] times as long")
    }

    @Test func aSlowerOneRefutesIt() { #expect(verdict(2).verdict == .refuted) }

    @Test func aroundTheBoundMoreRoundsAreNeeded() { #expect(verdict(1.1).verdict == .notMeasurable) }

    @Test func otherWaysOfGrowingAreFigures() {
        let segments = ratio("later", to: "with room", 3, [.strategy: "check-segment", .peer: "faultline"])
        let verdict = verdict(1, further: [segments])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasSuffix("; this library's: check-segment 3.0 [2.94, 3.06; n = 9]"))
    }

    @Test func howOftenAStackGrewAgainIsARecordThatMayBeWritten() throws {
        try ShrinkFree().record(ShrinkFree.collected, .grownAgain, exactly: 1, [.peer: "go1.27.3"]).check()
    }

    @Test func whatACollectionGivesUpIsNotFree() {
        func collected(_ value: Double, grown: Double) -> ClaimVerdict {
            let go: [ParameterName: ParameterValue] = [.peer: "go1.27.3"]
            return verdict(
                1,
                further: [
                    ratio(ShrinkFree.collected, to: ShrinkFree.collectedWithRoom, value, go),
                    ShrinkFree().record(ShrinkFree.collected, .grownAgain, exactly: grown, go),
                    // Another version does not decide.
                    ratio(ShrinkFree.collected, to: ShrinkFree.collectedWithRoom, 9, [.peer: "go1.19.8"]),
                ])
        }
        #expect(collected(1, grown: 0).verdict == .confirmed)
        // The room was not used again, whatever it took.
        #expect(collected(1, grown: 1).verdict == .depends)
        #expect(collected(7, grown: 0).verdict == .depends)
        let slower = collected(7, grown: 1)
        #expect(slower.verdict == .depends)
        #expect(
            slower.reason.hasPrefix(
                "it depends on collections: with none between two descents it is so, after one it is not: go1.27.3: "))
        #expect(slower.reason.contains("; with a collection before it, 7.0 [6.9, 7.1; n = 9], where 100 % of descents"))
        #expect(slower.measured.contains { $0.name == Figure.descentAfterCollection.name && $0.median == 7 })
    }

    @Test func withoutGoItIsNotMeasurable() { #expect(verdict(1, peer: "faultline").verdict == .notMeasurable) }
}
