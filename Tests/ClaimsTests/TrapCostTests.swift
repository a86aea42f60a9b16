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

    private static func ratio(
        _ kind: String, _ low: Double, _ high: Double, fresh: Bool = false, peer: String = "go1.27.3"
    ) -> Record {
        .ratio(
            suite: "trap-cost", case: kind, baseline: "Go",
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 31),
            parameters: [.peer: .string(peer), .freshMemory: .bool(fresh)])
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { TrapCost().verdict(on: records) }

    @Test func manyCrossingsAndSlowerThanGoConfirmIt() {
        let verdict = verdict([
            Self.crossings("a", 6), Self.time("a"), Self.ratio("in place", 8, 9), Self.crossings("b", 10),
            Self.time("b"), Self.ratio("by remapping", 12, 14, fresh: true), Self.ratio("in place", 3, 4, fresh: true),
        ])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [6, 3.5, 8.5, 13])
        #expect(
            verdict.reason
                == "6 crossings at least (a); in place it takes 3.5 [3.0, 4.0; n = 31] times as long as go1.27.3's "
                + "growth, with fresh memory on both sides; in place it takes 8.5 [8.0, 9.0; n = 31] times as long as "
                + "go1.27.3's growth, with memory that is there on both sides; by remapping it takes 13.0 [12.0, 14.0; "
                + "n = 31] times as long as go1.27.3's growth, with fresh memory on both sides")
    }

    @Test func fourCrossingsAreEnough() {
        #expect(verdict([Self.crossings("a", 4), Self.time("a"), Self.ratio("in place", 3, 4)]).verdict == .confirmed)
    }

    @Test func fewCrossingsOrFasterThanGoRefuteIt() {
        for (crossings, low, high) in [(2.0, 0.4, 0.5), (6, 0.4, 0.5), (2, 8, 9)] {
            #expect(
                verdict([Self.crossings("a", crossings), Self.time("a"), Self.ratio("in place", low, high)]).verdict
                    == .refuted)
        }
    }

    @Test func theGrowthInPlaceDecidesInEachKindOfMemory() {
        func verdict(_ fresh: (Double, Double), _ there: (Double, Double)) -> Verdict {
            self.verdict([
                Self.crossings("a", 6), Self.time("a"), Self.ratio("in place", fresh.0, fresh.1, fresh: true),
                Self.ratio("in place", there.0, there.1), Self.ratio("by a move", 0.4, 0.5, fresh: true),
            ]).verdict
        }
        #expect(verdict((2, 3), (8, 9)) == .confirmed)
        #expect(verdict((0.4, 0.5), (8, 9)) == .refuted)
        #expect(verdict((2, 3), (0.4, 0.5)) == .refuted)
    }

    @Test func aMoveAloneDecidesNothing() {
        let records = [Self.crossings("a", 6), Self.time("a"), Self.ratio("by a move", 8, 9, fresh: true)]
        #expect(verdict(records).verdict == .notMeasurable)
    }

    @Test func slowerThanGoButNotTwiceIsNotFarSlower() {
        #expect(TrapCost().claimed.dropFirst().allSatisfy { $0.low == HotSplit().claimed.first?.low })
        for (low, high, verdict) in [(1.2, 1.9, Verdict.refuted), (1.6, 2.1, .notMeasurable), (2.1, 2.4, .confirmed)] {
            #expect(
                self.verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("in place", low, high)]).verdict
                    == verdict)
        }
        let open = self.verdict([Self.crossings("a", 6), Self.time("a"), Self.ratio("in place", 1.6, 2.1)])
        #expect(open.reason.hasPrefix("an interval contains 2.0: 6 crossings at least"))
    }

    @Test func checksDecideNothing() {
        let records = [
            Self.crossings("a", 6), Self.time("a"), Self.ratio("in place", 8, 9), Self.crossings("check", 2),
            Self.time("check", isTrap: false),
        ]
        #expect(verdict(records).verdict == .confirmed)
    }

    @Test func withoutCountsTimesOrGoItIsNotMeasurable() {
        #expect(verdict([]).reason == "no growth by a trap was timed")
        #expect(verdict([Self.time("a"), Self.ratio("in place", 8, 9)]).reason == "no crossings were counted")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).reason == "no growth was measured beside Go's")
        #expect(verdict([Self.time("a"), Self.crossings("a", 6)]).verdict == .notMeasurable)
    }
}
