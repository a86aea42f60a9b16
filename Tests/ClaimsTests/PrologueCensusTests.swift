import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("prologue-census") struct PrologueCensusTests {
    private func ratio(_ name: String, of baseline: String, _ low: Double, _ high: Double) -> Record {
        .ratio(
            suite: "prologue-census", case: name, baseline: baseline,
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 12))
    }

    /// What there is of all programs together.
    private func verdict(
        share: Double = 0.95, hot: Double = 3, cold: Double = 7, misses: ClosedRange<Double>? = 1.1...1.2,
        more: [Record] = []
    ) -> ClaimVerdict {
        var records = [
            ratio("programs-functions", of: "all functions", share, share),
            ratio("programs-text", of: ".text", 0.05, 0.05),
        ]
        for (metric, value) in [(Metric.hotInstructions, hot), (.coldInstructions, cold)] {
            records.append(PrologueCensusClaim().record("programs", metric, exactly: value))
        }
        if let misses {
            records.append(ratio("programs-misses", of: "plain", misses.lowerBound, misses.upperBound))
        }
        return PrologueCensusClaim().verdict(on: records + more)
    }

    @Test func allThreeStatementsConfirmIt() {
        let verdict = verdict()
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasPrefix("holds: 95 % of functions have a check; 10.0 instructions each"))
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
    }

    @Test func noneOfThemRefutesIt() {
        let verdict = verdict(share: 0.5, hot: 2, cold: 4, misses: 0.8...0.9)
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasPrefix("does not hold: 50 % of functions have a check"))
    }

    @Test(arguments: [
        (0.89, 7.0, 1.1...1.2, "does not hold: 89 %"), (0.95, 2.0, 1.1...1.2, "does not hold: 5.0 instructions each"),
        (0.95, 7.0, 0.8...0.9, "does not hold: instruction cache misses times 0.85"),
        (0.95, 7.0, 0.9...1.1, "undecided: instruction cache misses times 1.0 [0.9, 1.1], which layout hides"),
        (0.5, 2.0, 0.9...1.1, "undecided: "),
    ])
    func someOfThemMakeItDepend(_ share: Double, _ cold: Double, _ misses: ClosedRange<Double>, _ reason: String) {
        let verdict = verdict(share: share, cold: cold, misses: misses)
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.contains(reason))
    }

    @Test func whatWasNotCountedIsUndecided() {
        let verdict = verdict(misses: nil)
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.hasSuffix("undecided: instruction cache misses, which were not counted"))
    }

    @Test func whatProgramsExecuteAndTouchIsSaid() {
        let reason = verdict(more: [
            ratio("lua-executed", of: "executed instructions", 0.03, 0.03),
            ratio("zstd-executed", of: "executed instructions", 0.002, 0.002),
            ratio("lua-lines", of: "plain", 1.05, 1.05), ratio("zstd-lines", of: "plain", 1.01, 1.01),
        ]).reason
        #expect(reason.contains("(0.2 to 3 % of what programs execute)"))
        #expect(reason.contains("runs touch 1 to 5 % more code"))
    }

    @Test func goProgramsAreAmongTheRealOnesAndAreSaidApart() {
        let lengths = [("programs-go", 2.2, 7.1), ("programs-llvm", 2.0, 5.0)].flatMap { name, hot, cold in
            [(Metric.hotInstructions, hot), (.coldInstructions, cold)].map { metric, value in
                PrologueCensusClaim().record(name, metric, exactly: value)
            }
        }
        let verdict = verdict(
            share: 0.8,
            more: lengths + [
                ratio("programs-go-functions", of: "all functions", 0.78, 0.78),
                ratio("programs-go-text", of: ".text", 0.09, 0.09),
                ratio("programs-llvm-functions", of: "all functions", 0.92, 0.92),
                ratio("gofmt go1.19.8-executed", of: "executed instructions", 0.055, 0.055),
            ])
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.contains(
                "does not hold: 80 % of functions have a check (78 % of Go programs, 92 % of others)"))
        #expect(verdict.reason.contains("10.0 instructions each (9.3 in Go programs, 7.0 in others), of which 3.0 are"))
        #expect(verdict.reason.contains("(5.5 to 5.5 % of what programs execute)"))
        #expect(verdict.measured.first { $0.name == Figure.shareOfGoFunctions.name }?.median == 0.78)
        #expect(verdict.measured.first { $0.name == Figure.shareOfGoCode.name }?.median == 0.09)
    }

    @Test func withoutACensusItIsNotMeasurable() {
        #expect(PrologueCensusClaim().verdict(on: []).verdict == .notMeasurable)
    }
}
