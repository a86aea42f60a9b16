import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("trap-cost") struct TrapCostTests {
    private static func crossings(_ kind: String, _ count: Double) -> Record {
        Record(suite: "trap-cost", case: kind, metric: .crossings, exactly: count)
    }

    private static func time(_ kind: String, isTrap: Bool = true) -> Record {
        Record(
            suite: "trap-cost", case: kind, metric: .time, exactly: 5000,
            parameters: [.trap: .bool(isTrap)])
    }

    private static func ratio(_ kind: String, _ low: Double, _ high: Double, fresh: Bool = false) -> Record {
        .ratio(
            suite: "trap-cost", case: kind, baseline: "newstack go1.19",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [.peer: "go1.19", .freshMemory: .bool(fresh)])
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { TrapCost().verdict(on: records) }

    @Test func manyCrossingsAndSlowerThanGoConfirmIt() {
        let verdict = verdict([
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 8, 9), Self.crossings("b", 10), Self.time("b"),
            Self.ratio("b", 12, 14),
        ])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [6, 8.5, 13])
        #expect(verdict.reason.contains("6 crossings at least (a)"))
        #expect(verdict.reason.contains("b takes 13.0 [12.0, 14.0] times as long as go1.19's growth"))
    }

    @Test func fourCrossingsAreEnough() {
        #expect(verdict([Self.crossings("a", 4), Self.time("a"), Self.ratio("a", 2, 3)]).verdict == .confirmed)
    }

    @Test func fewCrossingsAndFasterThanGoRefuteIt() {
        #expect(verdict([Self.crossings("a", 2), Self.time("a"), Self.ratio("a", 0.4, 0.5)]).verdict == .refuted)
    }

    @Test func oneHalfOfTheClaimIsADependence() {
        let many = verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.4, 0.5)])
        #expect(many.verdict == .depends)
        #expect(many.reason.contains("which agrees"))
        let few = verdict([Self.crossings("a", 2), Self.time("a"), Self.ratio("a", 8, 9)])
        #expect(few.verdict == .depends)
        #expect(few.reason.contains("which disagrees"))
    }

    @Test func someKindsFasterThanGoAreADependence() {
        let records = [
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.4, 0.5), Self.crossings("b", 6), Self.time("b"),
            Self.ratio("b", 8, 9),
        ]
        #expect(verdict(records).verdict == .depends)
    }

    @Test func anIntervalAroundOneIsADependence() {
        #expect(verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 0.9, 1.2)]).verdict == .depends)
    }

    @Test func checksAndFreshMemoryDecideNothing() {
        let records = [
            Self.crossings("a", 6), Self.time("a"), Self.ratio("a", 8, 9), Self.ratio("a", 0.4, 0.5, fresh: true),
            Self.crossings("check", 2), Self.time("check", isTrap: false), Self.ratio("check", 0.4, 0.5),
        ]
        #expect(verdict(records).verdict == .confirmed)
    }

    @Test func withoutCountsTimesOrGoItIsNotMeasurable() {
        #expect(verdict([]).reason == "no growth by a trap was timed")
        #expect(verdict([Self.time("a"), Self.ratio("a", 8, 9)]).reason == "no crossings were counted")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).reason == "no growth was measured beside Go's")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).verdict == .notMeasurable)
    }
}
