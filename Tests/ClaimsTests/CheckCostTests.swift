import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("check-cost") struct CheckCostTests {
    /// A ratio with its interval, as layouts give it.
    private func ratio(
        _ name: String, _ low: Double, _ median: Double, _ high: Double, to baseline: String = "plain",
        parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        .ratio(
            suite: "check-cost", case: name, baseline: baseline,
            estimate: Estimate(median: median, low: low, high: high, samples: 16), parameters: parameters)
    }

    /// What there is of one program; `distance` is how many instructions it executes for each check.
    private func program(
        _ name: String, _ low: Double, _ high: Double, distance: Double? = nil, kind: String = "foreign"
    ) -> [Record] {
        let parameters: [ParameterName: ParameterValue] = [.kind: .string(kind)]
        var records = [
            Record(
                suite: "check-cost", case: name, metric: .time, exactly: 1e6,
                parameters: parameters),
            ratio(name, low, (low + high) / 2, high, parameters: parameters),
            ratio("\(name)-padded", 0.99, 1, 1.01, parameters: parameters),
        ]
        if let distance {
            records += [
                Record(
                    suite: "check-cost", case: name, metric: .instructionsPerCheck,
                    exactly: distance),
                ratio("\(name)-instructions", 1 + 2 / distance, 1 + 2 / distance, 1 + 2 / distance),
            ]
        }
        return records
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { CheckCost().verdict(on: records) }

    @Test func aMeanWithinTheRangeConfirmsIt() {
        let verdict = verdict([ratio("programs", 1.035, 1.04, 1.05)] + program("lua", 1.035, 1.05))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason == "gain 3.8 % [3.4, 4.8] over 1 real programs: within 3 to 5 %")
        #expect(verdict.measured.first?.name == verdict.claimed.first?.name)
    }

    @Test func lessRefutesItAndSoDoesMore() {
        let less = verdict([ratio("programs", 1, 1.01, 1.02)] + program("lua", 1, 1.02))
        #expect(less.verdict == .refuted)
        #expect(less.reason.hasSuffix("less than 3 to 5 %"))
        let more = verdict([ratio("programs", 1.06, 1.07, 1.08)] + program("lua", 1.06, 1.08))
        #expect(more.verdict == .refuted)
        #expect(more.reason.hasSuffix("more than 3 to 5 %"))
    }

    @Test func programsOnBothSidesMakeItDependOnTheDistanceOfChecks() {
        let records =
            [ratio("programs", 1, 1.01, 1.02)] + program("lua", 1.04, 1.05, distance: 25)
            + program("json", 1.032, 1.06, distance: 400, kind: "own") + program("zstd", 0.99, 1.01, distance: 10_000)
            + program("cmark", 0.99, 1.02, distance: 100)
            // A kernel is no real program, and what lies on no side says nothing.
            + program("fib", 1.1, 1.2, distance: 5, kind: "kernel") + program("regex", 1.02, 1.04, distance: 50)
        let verdict = verdict(records)
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.contains("over 5 real programs"))
        #expect(verdict.reason.contains("3 % and more: lua 4.3 % [3.8, 4.8], json 4.4 % [3.1, 5.7]; less: zstd 0 %"))
        // lua gains, cmark does not, json gains, zstd does not: no cut has all four on their side.
        #expect(verdict.reason.contains("(3 of 4 programs lie on their side)"))
        #expect(!verdict.reason.contains("fib"))
    }

    @Test func theThresholdLiesBetweenTheGroups() {
        let verdict = verdict(
            [ratio("programs", 1.0, 1.03, 1.06)] + program("lua", 1.04, 1.05, distance: 20)
                + program("zstd", 0.99, 1.01, distance: 80))
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.contains("it flips at 40 instructions a check"))
        #expect(verdict.reason.contains("(2 of 2 programs lie on their side)"))
        #expect(verdict.reason.contains("checks are 2.4 to 9.1 % of executed instructions"))
    }

    @Test func withoutCountsTheProgramsAreNamedAlone() {
        let verdict = verdict(
            [ratio("programs", 1.0, 1.03, 1.06)] + program("lua", 1.04, 1.05) + program("zstd", 0.99, 1.01))
        #expect(verdict.verdict == .depends)
        #expect(!verdict.reason.contains("flips"))
    }

    @Test func programsInGoAreRealOnesAndTheirMeanIsSaidApart() {
        let go =
            program("gofmt go1.19.8", 0.99, 1.01, distance: 65, kind: "go")
            + program("fib go1.19.8", 1.2, 1.3, kind: "go-kernel") + [
                ratio("go", 1.01, 1.02, 1.03, parameters: [.programs: 4]), ratio("go-equal", 1, 1.005, 1.01),
                ratio("go-stacks", 1.01, 1.015, 1.02, to: "equal"), ratio("go-kernels-equal", 1.01, 1.02, 1.03),
                ratio("go-kernels", 1.04, 1.05, 1.06),
            ]
        let verdict = verdict([ratio("programs", 1.0, 1.03, 1.06)] + program("lua", 1.04, 1.05, distance: 20) + go)
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.contains("over 2 real programs"))
        #expect(
            verdict.reason.contains(
                "; Go's alone 2 % [1, 2.9] over 4 programs (missing checks gain 0.5 % [0, 1], large stacks 1.5 % [1, "
                    + "2])"
            ))
        #expect(verdict.reason.contains("less: gofmt go1.19.8 0 %"))
        #expect(!verdict.reason.contains("fib"))
        for figure in [
            Figure.gainOnGoPrograms, .gainOnGoProgramsFromChecks, .gainOnGoKernels, .gainOnGoProgramsFromLargeStacks,
            .gainOnGoKernelsFromChecks,
        ] {
            #expect(verdict.measured.contains { $0.name == figure.name })
        }
    }

    @Test func withoutItsCounterpartGosMeanStandsAlone() {
        let verdict = verdict([ratio("programs", 1.035, 1.04, 1.05), ratio("go", 1.01, 1.02, 1.03)])
        #expect(verdict.reason.contains("; Go's alone 2 % [1, 2.9]: within"))
    }

    @Test func anIntervalOverAnEndOfTheRangeDecidesNothing() {
        let verdict = verdict([ratio("programs", 1.01, 1.03, 1.04)] + program("lua", 1.01, 1.04))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("more layouts are needed"))
    }

    @Test func withoutProgramsItIsNotMeasurable() {
        #expect(verdict([]).verdict == .notMeasurable)
        #expect(CheckCost().verdict(on: [], missing: ["clang"]).reason == "missing: clang")
    }
}
