import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("check-cost") struct CheckCostTests {
    /// A ratio with its interval, as programs give it.
    private func ratio(
        _ name: String, _ low: Double, _ median: Double, _ high: Double, to baseline: String = "plain",
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        .ratio(
            suite: "check-cost", case: name, baseline: baseline,
            estimate: Estimate(median: median, low: low, high: high, samples: 9), parameters: parameters)
    }

    /// The mean over Go programs with equal checks, and of the same programs against themselves.
    private func go(_ low: Double, _ median: Double, _ high: Double, null: (Double, Double) = (0.999, 1.001))
        -> [Record]
    {
        [
            ratio("go-equal", low, median, high, [.peer: "go1.27.3"]),
            ratio("go-again", null.0, (null.0 + null.1) / 2, null.1, to: "original", [.nullControl: true]),
        ]
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { CheckCost().verdict(on: records) }

    @Test func `missing checks alone decide, beside the same programs against themselves`() {
        let verdict = verdict(go(1.035, 1.04, 1.05) + [ratio("c", 1, 1.01, 1.02)])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "missing checks alone give programs of go1.27.3 3.8 % [3.4, 4.8; n = 9] of their time (the same "
                + "programs against themselves 0 % [-0.1, 0.1; n = 9]): within 3 to 5 %; programs in C gain 1 % "
                + "[0, 2; n = 9]")
        #expect(verdict.measured.first?.name == verdict.claimed.first?.name)
    }

    @Test func `less refutes it and so does more`() {
        let less = verdict(go(1.005, 1.01, 1.02))
        #expect(less.verdict == .refuted && less.reason.hasSuffix("less than 3 to 5 %"))
        let more = verdict(go(1.06, 1.07, 1.08))
        #expect(more.verdict == .refuted && more.reason.hasSuffix("more than 3 to 5 %"))
        let across = verdict(go(1.02, 1.035, 1.045))
        #expect(across.verdict == .notMeasurable && across.reason.contains("contains an end of 3 to 5 %"))
    }

    @Test(arguments: [
        // The interval contains no gain.
        (0.995, 1.005, 1.015, 0.999, 1.001),
        // It does not, but the same programs against themselves show as much.
        (1.004, 1.01, 1.016, 0.99, 1.012),
    ])
    func `a gain within its null is not told from none, however far below the claim`(
        low: Double, median: Double, high: Double, nullLow: Double, nullHigh: Double
    ) {
        let verdict = verdict(go(low, median, high, null: (nullLow, nullHigh)))
        #expect(verdict.verdict == .notDistinguishable)
        #expect(verdict.reason.contains("not told from none, and at most 1."))
    }

    @Test func `where programs differ from themselves by as much as is claimed nothing bounds the gain`() {
        let verdict = verdict(go(0.995, 1.005, 1.015, null: (0.96, 1.03)))
        #expect(verdict.verdict == .notDistinguishable)
        #expect(verdict.reason.contains("as much as the 3 to 5 % that are claimed is not told from none here either"))
        #expect(!verdict.reason.contains("at most"))
    }

    @Test func `programs in other languages decide nothing`() {
        let others = [
            ratio("c", 1.035, 1.04, 1.05, [.layouts: 24]), ratio("c-again", 0.999, 1, 1.001, [.nullControl: true]),
            ratio("swift", 1.035, 1.04, 1.05),
        ]
        let verdict = verdict(others)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasPrefix("the claim is about Go, of which no program was measured; programs in C gain"))
        #expect(verdict.reason.contains("(against themselves 0 % [-0.1, 0.1; n = 9]) in 24 layouts each"))
        #expect(verdict.measured.map(\.name) == [Figure.gainOnCPrograms.name, Figure.gainOnSwiftPrograms.name])
    }

    @Test func `further forms of Go programs are figures of their own`() {
        let verdict = verdict(
            go(1.005, 1.01, 1.02) + [
                ratio("go-compiled-without", 0.97, 0.98, 0.99, to: "equal"),
                ratio("go-other-layout", 0.99, 1, 1.01, to: "original"),
                ratio("go-probes", 1.01, 1.02, 1.03, to: "original"), ratio("go-stacks", 1, 1.01, 1.02, to: "equal"),
            ])
        #expect(
            verdict.reason.contains(
                "; being compiled without checks, on the same stacks, gives them 2 % [1, 3; n = 9] (in another layout "
                    + "0 % [-1, 1; n = 9])"))
        #expect(verdict.reason.contains("; probes give them -2 % [-3, -1; n = 9]"))
        #expect(verdict.reason.contains("; first stacks that are large give them 1 % [0, 2; n = 9]"))
        for figure in [Figure.gainCompiledWithout, .gainFromProbes, .gainFromLargeStacks] {
            #expect(verdict.measured.contains { $0.name == figure.name })
        }
    }

    @Test func `without programs it is not measurable`() {
        #expect(verdict([]).verdict == .notMeasurable)
        #expect(CheckCost().verdict(on: [], missing: ["clang"]).reason == "missing: clang")
    }
}
