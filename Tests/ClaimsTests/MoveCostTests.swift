import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("move-cost") struct MoveCostTests {
    private static func slope(
        _ name: String, _ low: Double, _ high: Double, _ metric: Metric = .timePerKiB, copying: Bool = true
    ) -> Record {
        MoveCost().record(
            name, metric, Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            [.copying: .bool(copying)])
    }

    private static func mover(_ name: String, _ low: Double, _ high: Double) -> Record {
        .ratio(
            suite: "move-cost", case: "\(name) per KiB", baseline: "copy per KiB",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [.mover: .string(name)])
    }

    private static func factor(_ value: Double) -> Record {
        Record(suite: "move-cost", case: "go1.19", metric: .growthFactor, exactly: value)
    }

    private static let pointers = slope("copy", 0.4, 0.6, .timePerPointer)

    private func verdict(_ records: Record...) -> ClaimVerdict { MoveCost().verdict(on: records) }

    @Test func slopesAndDoublingConfirmIt() {
        let verdict = verdict(
            Self.slope("copy", 500, 600), Self.slope("go1.19", 200, 220), Self.pointers, Self.factor(2),
            Self.mover("mremap", 0.8, 0.9))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [2, 210, 0.5])
        #expect(verdict.reason.contains("go1.19 210.0 [200.0, 220.0] ns per KiB"))
    }

    @Test func aMoverThatIsCheapPerByteIsADependence() {
        let verdict = verdict(
            Self.slope("copy", 500, 600), Self.slope("mremap", 10, 20, copying: false), Self.pointers,
            Self.mover("mremap", 0.02, 0.04), Self.mover("uffdio-move", 0.1, 0.6))
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.hasPrefix("large stacks are expensive to copy, not to move by mremap:"))
    }

    @Test func aCopyThatCostsNothingRefutesIt() {
        #expect(verdict(Self.slope("copy", -2, -1), Self.pointers).verdict == .refuted)
        #expect(
            verdict(Self.slope("copy", 500, 600), Self.slope("copy", -2, -1, .timePerPointer)).verdict == .refuted)
    }

    @Test(arguments: [(1.5, Verdict.refuted), (4, .refuted), (1.95, .confirmed)])
    func growthThatDoesNotDoubleRefutesIt(_ factor: Double, _ expected: Verdict) {
        #expect(verdict(Self.slope("copy", 500, 600), Self.pointers, Self.factor(factor)).verdict == expected)
    }

    @Test func aSlopeThatMayBeNothingNeedsMoreRounds() {
        let verdict = verdict(Self.slope("copy", -5, 600), Self.pointers)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("an interval contains 0"))
    }

    @Test func pointersWhoseCorrectionCostsLessThanNoiseLeaveItConfirmed() {
        #expect(verdict(Self.slope("copy", 5, 6), Self.slope("copy", -1, 2, .timePerPointer)).verdict == .confirmed)
    }

    @Test func withoutCopiesItIsNotMeasurable() {
        #expect(verdict(Self.pointers).reason == "no copy of a stack was measured")
        #expect(verdict(Self.slope("copy", 5, 6)).reason == "no copy of a stack full of pointers was measured")
    }
}
