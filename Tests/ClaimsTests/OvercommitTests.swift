import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("overcommit") struct OvercommitTests {
    private static let gib = 1_073_741_824.0

    private func record(
        _ name: String, _ metric: Metric, _ value: Double, _ parameters: [ParameterName: ParameterValue]
    ) -> Record {
        Overcommit().record(name, metric, exactly: value, parameters)
    }

    /// A stack in mode 2; without a charge it was refused.
    private func strict(_ kind: String, charged: Double?, simulated: Bool = false) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [
            .guard: .string(kind), .mode: 2, .simulated: .bool(simulated),
        ]
        guard let charged else { return [record("fault", .stacks, 0, shared)] }
        return [
            record("fault", .stacks, 1, shared), record("fault", .reserved, Self.gib, shared),
            record("fault", .charged, charged, shared),
        ]
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict {
        Overcommit().verdict(on: records.flatMap { $0 })
    }

    @Test func refusedOrChargedInFullConfirmsIt() {
        #expect(verdict(strict("guard-pages", charged: Self.gib)).verdict == .confirmed)
        #expect(verdict(strict("guard-pages", charged: nil)).verdict == .confirmed)
    }

    @Test func chargedForItsUseAloneRefutesIt() {
        #expect(verdict(strict("prot-none", charged: 65_536)).verdict == .refuted)
    }

    @Test func itDependsOnTheGuardWhereTheyDiffer() {
        let verdict = verdict(strict("guard-pages", charged: nil), strict("prot-none", charged: 65_536))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the guard, by whether half of what is reserved is charged: "
                + "in mode 2 1 of 2 are refused or charged in full (fault with guard-pages: "
                + "refused), 1 are charged at most 64 KiB")
    }

    @Test func whatRunsDifferOnDecidesNothing() {
        var open = strict("guard-pages", charged: Self.gib)
        open[2].low = 65_536
        let verdict = verdict(open, strict("prot-none", charged: 65_536))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("what is charged for fault with guard-pages is not told: "))
        // Made, and its charge not known.
        #expect(self.verdict([strict("prot-none", charged: 65_536)[0]]).verdict == .notMeasurable)
    }

    @Test func whatWasWorkedOutIsSaid() {
        #expect(
            verdict(strict("prot-none", charged: 65_536, simulated: true)).reason
                == "in mode 2, worked out, 0 of 1 are refused or charged in full, 1 are charged at most 64 KiB")
    }

    @Test func withoutModeTwoItIsNotMeasurable() {
        let lenient = [record("fault", .stacks, 1, [.guard: "prot-none", .mode: 0])]
        #expect(verdict(lenient).verdict == .notMeasurable)
    }
}

@Suite("exhaustion") struct ExhaustionTests {
    private func verdict(_ ends: (String, Double)..., limit: Exhaustion.Limit = .group) -> ClaimVerdict {
        Exhaustion().verdict(
            on: ends.map {
                Exhaustion().record($0, .deathsAtExhaustion, exactly: $1, [.limit: .string(limit.rawValue)])
            })
    }

    @Test func itIsConfirmedWhereEveryProcessEnds() {
        #expect(verdict(("fault", 1), ("demand", 1)).verdict == .confirmed)
    }

    @Test func itIsRefutedWhereErrorsSayIt() { #expect(verdict(("fault", 0), ("demand", 0)).verdict == .refuted) }

    @Test func itDependsOnTheStrategyWhereSomeEnd() {
        let verdict = verdict(("fault", 0), ("demand", 1))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the strategy: the process ends with 1 of 2 (demand), "
                + "an error says it with 1 (fault); at "
                + "the limit of control group 1 of 2 strategies end the process (demand)")
    }

    @Test func runsThatEndedInBothWaysDecideNothing() {
        var records = [("fault", 1.0), ("demand", 0.5)].map {
            Exhaustion().record(
                $0, .deathsAtExhaustion, exactly: $1, [.limit: .string(Exhaustion.Limit.group.rawValue)])
        }
        (records[1].low, records[1].high) = (0, 1)
        let verdict = Exhaustion().verdict(on: records)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("demand ended in both ways; "))
    }

    @Test func withoutAControlGroupItIsNotMeasurable() {
        #expect(verdict(("fault", 1), limit: .addressSpace).verdict == .notMeasurable)
    }
}
