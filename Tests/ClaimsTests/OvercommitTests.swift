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
        let verdict = verdict(strict("guard-pages", charged: nil), strict("prot-none", charged: Self.gib / 4))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason
                == "it depends on the guard, by whether 50 % of what is reserved are charged: in mode 2 1 of 2 are "
                + "refused or charged for half or more of what they reserve (fault with guard-pages: refused), and 1 "
                + "for less (fault with prot-none: 25 %)")
    }

    @Test func aGuardOnBothSidesIsNotWhatTellsThemApart() {
        let free = strict("guard-pages", charged: 65_536).map { record in
            var record = record
            record.name = "fixed"
            return record
        }
        let verdict = verdict(strict("guard-pages", charged: Self.gib), free)
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.hasPrefix("it depends on the strategy and the guard, by whether 50 % of what is "))
        #expect(
            verdict.reason.contains("(fault with guard-pages: 100 %), and 1 for less (fixed with guard-pages: 0.01 %)"))
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
                == "in mode 2, worked out, 0 of 1 are refused or charged for half or more of what they reserve, and 1 "
                + "for less (fault with prot-none: 0.01 %)")
    }

    /// Each setting has a figure of its own, of one strategy, and so has the other kind of guard: what another strategy
    /// is charged is none of them.
    @Test func figuresAreOfOneStrategyUnderEachSetting() {
        func charge(_ name: String, _ kind: String, _ mode: Int, _ bytes: Double) -> [Record] {
            let shared: [ParameterName: ParameterValue] = [
                .guard: .string(kind), .mode: .int(mode), .simulated: false,
            ]
            return [
                record(name, .stacks, 1, shared), record(name, .reserved, Self.gib, shared),
                record(name, .charged, bytes, shared),
            ]
        }
        let measured = verdict(
            charge("grows-down", "automatic", 0, 131_072), charge("fault", "guard-pages", 0, 1),
            charge("fault", "prot-none", 0, 7), charge("fault", "guard-pages", 1, 2),
            charge("check-move", "guard-pages", 2, 8 * Self.gib), charge("fault", "guard-pages", 2, Self.gib),
            charge("fault", "prot-none", 2, 3), charge("fault", "automatic", 2, 5)
        ).measured
        #expect(measured.map(\.median) == [1, 2, Self.gib, Self.gib, 3])
        #expect(
            measured.map(\.name) == [
                "charge for a stack with guard pages, vm.overcommit_memory 0",
                "charge for a stack with guard pages, vm.overcommit_memory 1",
                "charge for a stack with guard pages, vm.overcommit_memory 2",
                "reserved with a stack with guard pages, vm.overcommit_memory 2",
                "charge for a stack with protected pages, vm.overcommit_memory 2",
            ])
        // One that was refused has no charge.
        #expect(verdict(strict("guard-pages", charged: nil)).measured.isEmpty)
    }

    @Test func withoutModeTwoItIsNotMeasurable() {
        let lenient = [record("fault", .stacks, 1, [.guard: "prot-none", .mode: 0])]
        #expect(verdict(lenient).verdict == .notMeasurable)
    }
}

@Suite("exhaustion") struct ExhaustionTests {
    /// How a process ended at a limit: 1 where it died, 0 where an error said so, and both where runs differ.
    private func record(_ name: String, _ ends: ClosedRange<Double>, _ limit: Exhaustion.Limit) -> Record {
        Exhaustion().record(
            name, .deathsAtExhaustion,
            Estimate(median: ends.lowerBound, low: ends.lowerBound, high: ends.upperBound, samples: 0),
            [.limit: .string(limit.rawValue)])
    }

    private func verdict(
        group: [String: Double], addresses: [String: Double] = [:], commit: [String: Double] = [:]
    ) -> ClaimVerdict {
        let limits: [(Exhaustion.Limit, [String: Double])] = [
            (.group, group), (.addressSpace, addresses), (.commit, commit),
        ]
        return Exhaustion().verdict(
            on: limits.flatMap { limit, ends in
                ends.sorted { $0.key < $1.key }.map { record($0.key, $0.value...$0.value, limit) }
            })
    }

    @Test func itIsConfirmedWhereEveryProcessEndsByOvercommitAlone() {
        let verdict = verdict(
            group: ["fault": 1, "demand": 1], addresses: ["fault": 0], commit: ["fault": 0, "demand": 0])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "of 2 strategies: where memory is used that was promised the process ends, and not "
                + "at a promise, with 2 (demand, fault); at "
                + "the limit of a control group 2 of 2 strategies end the process (demand, fault); at the limit of "
                + "addresses (RLIMIT_AS) 0 of 1 strategies end the process; at the commit limit "
                + "(vm.overcommit_memory 2) 0 of 2 "
                + "strategies end the process; how long programs wait before, while a machine swaps, is not measured")
        #expect(verdict.measured.map(\.median) == [2, 2, 0, 1, 0, 2])
    }

    @Test func aLimitThatWasNotMetIsNamedAndHasNoFigure() {
        let verdict = verdict(group: ["fault": 1])
        // Nothing tells whether it ends where nothing is overcommitted, too.
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.contains(
                "; no strategy met the limit of addresses (RLIMIT_AS); no strategy met the commit limit "
                    + "(vm.overcommit_memory 2); how long programs wait"))
        #expect(
            verdict.measured.map(\.name)
                == [.deaths(at: .group), .strategies(at: .group)].map { (f: Figure) in f.name })
    }

    @Test func itIsRefutedWhereErrorsSayIt() {
        #expect(verdict(group: ["fault": 0, "demand": 0]).verdict == .refuted)
        #expect(verdict(group: ["fault": 0], commit: ["fault": 1]).verdict == .refuted)
    }

    @Test(arguments: [Exhaustion.Limit.addressSpace, .commit])
    func aProcessThatEndsWithoutOvercommitTooIsNotEndedByIt(limit: Exhaustion.Limit) {
        func verdict(_ names: [String], alsoWithout: [String]) -> ClaimVerdict {
            Exhaustion().verdict(
                on: names.map { record($0, 1...1, .group) }
                    + names.map { record($0, alsoWithout.contains($0) ? 1...1 : 0...0, limit) })
        }
        #expect(verdict(["fault", "demand"], alsoWithout: ["fault", "demand"]).verdict == .refuted)
        let mixed = verdict(["fault", "demand"], alsoWithout: ["demand"])
        #expect(mixed.verdict == .depends)
        #expect(
            mixed.reason.hasPrefix(
                "it depends on the strategy: of 2 strategies: where memory is used that was promised "
                    + "the process ends, and not at a promise, with "
                    + "1 (fault); also at a promise the process ends with 1 (demand); "))
    }

    @Test func itDependsOnTheStrategyWhereSomeEnd() {
        let verdict = verdict(group: ["fault": 0, "demand": 1], commit: ["demand": 0])
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the strategy: of 2 strategies: where memory is used that was promised "
                    + "the process ends, and not at a promise, with "
                    + "1 (demand); where memory is used that was promised an error says it with 1 "
                    + "(fault); at the limit of a control group 1 of 2 "
                    + "strategies end the process (demand); "))
    }

    @Test func runsThatEndedInBothWaysDecideNothing() {
        let both = [record("fault", 1...1, .group), record("demand", 0...1, .group)]
        let verdict = Exhaustion().verdict(on: both)
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.contains(
                "not compared at a promise, or ended in both ways: 2 (fault, demand); "))
        // Nor do they at a limit without overcommit.
        let strict = [record("fault", 1...1, .group), record("fault", 0...1, .commit)]
        #expect(Exhaustion().verdict(on: strict).verdict == .notMeasurable)
    }

    @Test func withoutAControlGroupItIsNotMeasurable() {
        #expect(verdict(group: [:], addresses: ["fault": 1], commit: ["fault": 0]).verdict == .notMeasurable)
    }
}
