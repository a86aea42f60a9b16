import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("move-cost") struct MoveCostTests {
    private static func slope(_ name: String, _ low: Double, _ high: Double, _ metric: Metric = .timePerKiB) -> Record {
        MoveCost().record(
            name, metric, Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            [.copying: true, .peer: .string(name)])
    }

    private static func mover(_ name: String, _ low: Double, _ high: Double) -> Record {
        .ratio(
            suite: "move-cost", case: "\(name) per KiB", baseline: "copy per KiB",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [.mover: .string(name)])
    }

    private static func factor(_ value: Double, _ peer: String = "go1.27.3") -> Record {
        Record(
            suite: "move-cost", case: peer, metric: .growthFactor, exactly: value, parameters: [.peer: .string(peer)])
    }

    private static let pointers = slope("go1.27.3", 2.4, 3.2, .timePerPointer)
    private static let bytes = slope("go1.27.3", 200, 220)

    private static func large(_ low: Double, _ high: Double) -> Record {
        .ratio(
            suite: "move-cost", case: "go1.27.3 4 MiB few", baseline: "go1.27.3 4 KiB few",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [.peer: "go1.27.3", .copying: true])
    }

    private static func faults(_ number: Double) -> Record {
        MoveCost().record(
            "go1.27.3", .pageFaults, Estimate(median: number, low: 0, high: 1_024, samples: 31),
            [.peer: "go1.27.3", .liveBytes: .int(4 << 20), .filling: "few"])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { MoveCost().verdict(on: records) }

    @Test func doublingAndGoesOwnCostsConfirmItWithTheNewestsNumbers() {
        let verdict = verdict(
            Self.slope("copy", 30, 40), Self.slope("go1.19.8", 250, 270), Self.bytes,
            Self.slope("copy", 0.02, 0.04, .timePerPointer), Self.pointers, Self.factor(2), Self.large(900, 1_100),
            Self.faults(3), Self.mover("mremap", 0.02, 0.04))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.prefix(4).map(\.median) == [2, 210, 2.8, 1_000])
        #expect(verdict.measured.contains { $0.name == "time per KiB, copy" && $0.median == 35 })
        #expect(verdict.reason.contains("go1.27.3 210.0 [200.0, 220.0; n = 31] ns per KiB"))
        #expect(verdict.reason.hasSuffix("Pages that are moved instead (mremap) are cheap"))
    }

    @Test func aCopyOrACorrectionThatCostsNothingRefutesIt() {
        #expect(
            verdict(
                Self.slope("go1.27.3", -2, -1), Self.pointers, Self.factor(2), Self.large(900, 1_100), Self.faults(0)
            ).verdict == .refuted)
        #expect(
            verdict(
                Self.bytes, Self.slope("go1.27.3", -2, -1, .timePerPointer), Self.factor(2), Self.large(900, 1_100),
                Self.faults(0)
            ).verdict == .refuted)
    }

    @Test func aLargeCopyThatTakesLittleMoreThanASmallOneRefutesIt() {
        let verdict = verdict(Self.bytes, Self.pointers, Self.factor(2), Self.large(3, 5), Self.faults(0))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.contains("does not hold: a large stack is expensive, 4 MiB take 4.0"))
    }

    @Test(arguments: [(1.5, Verdict.refuted), (4, .refuted), (1.95, .confirmed)])
    func growthThatDoesNotDoubleRefutesIt(_ factor: Double, _ expected: Verdict) {
        #expect(
            verdict(Self.bytes, Self.pointers, Self.factor(factor), Self.large(900, 1_100), Self.faults(0)).verdict
                == expected)
    }

    @Test func aSlopeThatMayBeNothingNeedsMoreRounds() {
        let verdict = verdict(
            Self.slope("go1.27.3", -5, 220), Self.pointers, Self.factor(2), Self.large(900, 1_100), Self.faults(0))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("undecided: every byte is copied"))
    }

    @Test func whereTheKernelSuppliesPagesTheCostOfACopyIsNotKnown() {
        let verdict = verdict(Self.bytes, Self.pointers, Self.factor(2), Self.large(900, 1_100), Self.faults(1_000))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("with pages that the kernel supplied"))
    }

    @Test func withoutGoItIsNotMeasurable() {
        #expect(verdict(Self.slope("copy", 5, 6)).reason == "no copy of a goroutine's stack was measured")
        #expect(verdict(Self.bytes).verdict == .notMeasurable)
        #expect(verdict(Self.bytes, Self.pointers).verdict == .notMeasurable)
        #expect(verdict(Self.bytes, Self.pointers, Self.factor(2)).verdict == .notMeasurable)
        #expect(verdict(Self.bytes, Self.pointers, Self.factor(2), Self.large(900, 1_100)).verdict == .notMeasurable)
    }
}
