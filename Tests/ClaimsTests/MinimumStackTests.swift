import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("minimum-stack") struct MinimumStackTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.99, high: value * 1.01, samples: 7)
    }

    private func verdict(
        goroutine: Double? = 2700, unchecked: Double? = nil, hibernated: Double? = nil, _ slots: [Int: Double]
    ) -> ClaimVerdict {
        var records: [Record] = []
        if let unchecked, let goroutine {
            let shared: [ParameterName: ParameterValue] = [.peer: "go1.19.8", .initial: 262_144, .count: 100_000]
            records += [
                Record(
                    suite: "minimum-stack", case: "goroutine without checks", metric: .memory,
                    estimate: estimate(unchecked), parameters: shared),
                .ratio(
                    suite: "minimum-stack", case: "goroutine without checks", baseline: "goroutine",
                    estimate: estimate(unchecked / goroutine),
                    parameters: shared.merging([.baselinePeer: "go1.19.8"]) { first, _ in first }),
            ]
        }
        if let hibernated {
            records.append(
                Record(
                    suite: "minimum-stack", case: "hibernated coroutine", metric: .memory,
                    estimate: estimate(hibernated), parameters: [.slot: 65_536, .count: 100_000]))
        }
        if let goroutine {
            records.append(
                Record(
                    suite: "minimum-stack", case: "goroutine", metric: .memory,
                    estimate: estimate(goroutine), parameters: [.peer: "go1.19.8"]))
        }
        for (slot, bytes) in slots {
            let shared: [ParameterName: ParameterValue] = [.slot: .int(slot), .guard: "guard-pages"]
            records.append(
                Record(
                    suite: "minimum-stack", case: "coroutine", metric: .memory,
                    estimate: estimate(bytes), parameters: shared))
            guard let goroutine else { continue }
            records.append(
                .ratio(
                    suite: "minimum-stack", case: "coroutine", baseline: "goroutine",
                    estimate: estimate(bytes / goroutine),
                    parameters: shared.merging([.baselinePeer: "go1.19.8"]) { first, _ in first }))
        }
        return MinimumStack().verdict(on: records, missing: goroutine == nil ? ["Go"] : [])
    }

    @Test func itIsConfirmedWhereEverySlotTakesTwiceAsMuch() {
        #expect(verdict([65_536: 5400, 8_388_608: 9000]).verdict == .confirmed)
    }

    @Test func itIsRefutedWhereNoSlotDoes() { #expect(verdict([65_536: 3000, 8_388_608: 4000]).verdict == .refuted) }

    @Test func itDependsOnTheSlotWhereOnlySomeDo() {
        let verdict = verdict([65_536: 4700, 8_388_608: 8700])
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.contains("coroutine in 64KiB with guard-pages 1.74 times as much"))
        // The claimed figures have the numbers of the smallest.
        #expect(verdict.measured.first { $0.name == Figure.smallStack.name }?.median == 4700)
        #expect(verdict.measured.first { $0.name == Figure.smallGoroutine.name }?.median == 2700)
    }

    @Test func goroutinesWithoutChecksCountLikeSlots() {
        #expect(verdict(unchecked: 5400, [65_536: 5400]).verdict == .confirmed)
        #expect(verdict(unchecked: 3000, [65_536: 3000]).verdict == .refuted)
        let verdict = verdict(unchecked: 5400, [65_536: 3000])
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.contains("goroutine without checks on 256KiB go1.19.8 (100000) 2.0 times as much"))
        let name = "a goroutine without checks on 256KiB go1.19.8 (100000)"
        #expect(verdict.measured.first { $0.name == name }?.median == 5400)
        // The claimed figure stays that of coroutines.
        #expect(verdict.measured.first { $0.name == Figure.smallStack.name }?.median == 3000)
    }

    @Test func whatHibernatesIsSaidBesideAndDecidesNothing() {
        let verdict = verdict(hibernated: 425, [65_536: 5400])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasSuffix("; hibernated a coroutine takes 425"))
        #expect(verdict.measured.first { $0.name == "a hibernated coroutine in 64KiB (100000)" }?.median == 425)
    }

    @Test func withoutGoItIsNotMeasurable() {
        let verdict = verdict(goroutine: nil, [65_536: 4700])
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason == "missing: Go")
    }
}
