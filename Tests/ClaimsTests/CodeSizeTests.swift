import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("code-size") struct CodeSizeTests {
    private func ratio(
        _ suffix: String, _ low: Double, _ high: Double, to baseline: String = CodeSize.without
    ) -> Record {
        .ratio(
            suite: "code-size", case: CodeSize.programs + suffix, baseline: baseline,
            estimate: Estimate(median: (low + high) / 2, low: low, high: high, samples: 5), parameters: [:])
    }

    private func verdict(_ records: [Record]) -> ClaimVerdict { CodeSize().verdict(on: records) }

    @Test func moreMissesInAllProgramsConfirmIt() {
        let verdict = verdict([
            ratio(CodeSize.misses, 1.05, 1.15), ratio(CodeSize.size, 1.08, 1.1), ratio(CodeSize.lines, 1.02, 1.04),
            ratio(CodeSize.time, 1.01, 1.03), ratio(CodeSize.time + "-other-layout", 0.998, 1.002, to: "original"),
        ])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "a simulated instruction cache is missed 1.1 [1.05, 1.15; n = 5] times as often with checks as "
                + "without; the code is 1.09 [1.08, 1.1; n = 5] times as large; a run touches 1.03 [1.02, 1.04; n = 5] "
                + "times as many lines; the bytes alone, as no-ops, take 2 % [1, 2.9; n = 5] of the time")
        #expect(verdict.measured.count == 4)
    }

    @Test func timeWithinItsNullIsNotToldFromNone() {
        let verdict = verdict([
            ratio(CodeSize.misses, 1.05, 1.15), ratio(CodeSize.time, 1.01, 1.03),
            ratio(CodeSize.time + "-other-layout", 0.97, 1.03, to: "original"),
        ])
        #expect(verdict.reason.contains("is not told from none (2 % [1, 2.9; n = 5])"))
    }

    @Test func fewerMissesRefuteItAndAnIntervalAroundOneTellsNothing() {
        #expect(verdict([ratio(CodeSize.misses, 0.8, 0.9)]).verdict == .refuted)
        #expect(verdict([ratio(CodeSize.misses, 0.9, 1.1)]).verdict == .notDistinguishable)
        #expect(verdict([ratio(CodeSize.size, 1.1, 1.2)]).verdict == .notMeasurable)
    }
}
