import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("moves") struct MoveCostTests {
    private static func estimate(_ low: Double, _ high: Double) -> Estimate {
        Estimate(median: (low + high) / 2, low: low, high: high, samples: 15)
    }

    private static func slope(
        _ part: MoveCost.Part, _ name: String, _ low: Double, _ high: Double, _ metric: Metric
    ) -> Record {
        MoveCost(part).record(name, metric, estimate(low, high), [.copying: true, .peer: .string(name)])
    }

    private static func ratio(
        _ part: MoveCost.Part, _ name: String, _ low: Double, _ high: Double, isNull: Bool = false,
        peer: String = "go1.27.3"
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [.peer: .string(peer), .copying: true]
        if isNull { parameters = [.nullControl: true] }
        return MoveCost(part).ratio(name, to: "another", estimate(low, high), parameters)
    }

    private static func faults(_ part: MoveCost.Part, _ number: Double) -> Record {
        MoveCost(part).record(
            "go1.27.3", .pageFaults, Estimate(median: number, low: 0, high: 1_024, samples: 15),
            [.peer: "go1.27.3", .liveBytes: .int(4 << 20), .filling: "few"])
    }

    // MARK: doubling

    @Test(arguments: [(1.5, Verdict.refuted), (4, .refuted), (1.95, .confirmed)])
    func growthThatDoesNotDoubleRefutesIt(_ factor: Double, _ expected: Verdict) {
        func record(_ value: Double, _ peer: String) -> Record {
            MoveCost(.doubles).record(peer, .growthFactor, exactly: value, [.peer: .string(peer)])
        }
        let verdict = MoveCost(.doubles).verdict(on: [record(9, "go1.19.8"), record(factor, "go1.27.3")])
        #expect(verdict.verdict == expected)
        #expect(verdict.measured.map(\.median) == [factor])
    }

    // MARK: pointers

    private func pointers(
        _ low: Double, _ high: Double, null: ClosedRange<Double> = 0.98...1.02, faults: Double = 3
    ) -> ClaimVerdict {
        let part = MoveCost.Part.correctsPointers
        return MoveCost(part).verdict(on: [
            Self.slope(part, "copy", 0.02, 0.04, .timePerPointer),
            Self.slope(part, "go1.27.3", 2.4, 3.2, .timePerPointer),
            Self.ratio(part, "go1.19.8 4MiB many", 9, 10, peer: "go1.19.8"),
            Self.ratio(part, "go1.27.3 4MiB many", low, high),
            Self.ratio(part, "go1.27.3 4MiB many null", null.lowerBound, null.upperBound, isNull: true),
            Self.faults(part, faults),
        ])
    }

    @Test func pointersThatTakeLongerThanNumbersConfirmIt() {
        let verdict = pointers(1.8, 2.2)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.prefix(3).map(\.median) == [2, 1, 2.8])
        #expect(verdict.measured.contains { $0.name == "time per pointer, copy" })
    }

    @Test func pointersThatTakeLessRefuteIt() { #expect(pointers(0.5, 0.7).verdict == .refuted) }

    @Test func whatTheSamePointersShowAgainIsNoDifference() {
        #expect(pointers(0.9, 1.2).verdict == .notDistinguishable)
        #expect(pointers(1.1, 1.3, null: 0.5...1.5).verdict == .notDistinguishable)
    }

    // MARK: cost

    private func cost(_ low: Double, _ high: Double, faults: Double = 0, _ further: [Record] = []) -> ClaimVerdict {
        let part = MoveCost.Part.isExpensive
        return MoveCost(part).verdict(
            on: further + [
                Self.slope(part, "copy", 30, 40, .timePerKiB), Self.slope(part, "go1.19.8", 250, 270, .timePerKiB),
                Self.slope(part, "go1.27.3", 200, 220, .timePerKiB),
                Self.ratio(part, "go1.27.3 4MiB few", low, high), Self.faults(part, faults),
            ])
    }

    @Test func aCostInProportionToTheSizeConfirmsIt() {
        let mover = Record.ratio(
            suite: "move-cost", case: "mremap per KiB", baseline: "copy per KiB", estimate: Self.estimate(0.02, 0.04),
            parameters: [.mover: "mremap"])
        let verdict = cost(900, 1_100, [mover])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.prefix(2).map(\.median) == [1_000, 210])
        #expect(verdict.measured.contains { $0.name == "time per KiB, copy" && $0.median == 35 })
        #expect(
            verdict.reason
                == "go1.27.3: 4 MiB take 1,000 [900, 1,100; n = 15] times as long as 4 KiB, 210.0 [200.0, "
                + "220.0; n = 15] ns per KiB. Pages that are moved instead (mremap) are cheap")
    }

    @Test func aLargeStackThatTakesLessThanHalfOfThatRefutesIt() {
        #expect(cost(3, 5).verdict == .refuted)
        // A copy, but cheaper for each byte than a small one.
        #expect(cost(300, 400).verdict == .refuted)
        #expect(cost(400, 600).verdict == .notMeasurable)
    }

    @Test func whereTheKernelSuppliesPagesTheCostOfACopyIsNotKnown() {
        let verdict = cost(900, 1_100, faults: 1_000)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("with pages that the kernel supplied"))
        #expect(pointers(1.8, 2.2, faults: 1_000).verdict == .notMeasurable)
    }

    @Test(arguments: MoveCost.Part.allCases) func withoutGoItIsNotMeasurable(part: MoveCost.Part) {
        let own = [
            Self.slope(part, "copy", 5, 6, .timePerKiB), Self.slope(part, "copy", 5, 6, .timePerPointer),
        ]
        #expect(MoveCost(part).verdict(on: own).verdict == .notMeasurable)
    }
}
