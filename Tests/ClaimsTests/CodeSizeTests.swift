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

    /// The misses of the same programs with checks in another order of their functions.
    private func null(_ low: Double = 0.98, _ high: Double = 1.02) -> Record {
        ratio(CodeSize.misses + "-other-layout", low, high, to: CodeSize.checked)
    }

    /// The misses of a program in so many orders of its functions.
    private func program(layouts: Int) -> Record {
        .ratio(
            suite: "code-size", case: "gofmt go1.27.3" + CodeSize.misses, baseline: CodeSize.without,
            estimate: Estimate(median: 1.1, low: 1, high: 1.2, samples: layouts), parameters: [.layouts: .int(layouts)])
    }

    private func verdict(_ records: [Record], layouts: Int = CodeSize.layouts) -> ClaimVerdict {
        CodeSize().verdict(on: records + [program(layouts: 20), program(layouts: layouts)])
    }

    @Test func fewLayoutsOfAProgramDecideNothing() {
        let misses = [ratio(CodeSize.misses, 1.05, 1.15), null()]
        let few = verdict(misses, layouts: 3)
        #expect(few.verdict == .notMeasurable)
        #expect(
            few.reason.hasPrefix("3 layouts of each program, 7 are needed: a simulated instruction cache is missed "))
        #expect(few.measured.first?.median == 1.1)
        #expect(verdict([ratio(CodeSize.misses, 0.9, 1.1), null()], layouts: 3).verdict == .notMeasurable)
        #expect(verdict(misses, layouts: 7).verdict == .confirmed)
        #expect(CodeSize().verdict(on: misses).reason == "no record of the misses of a program")
    }

    @Test func moreMissesInAllProgramsConfirmIt() {
        var size = ratio(CodeSize.size, 1.09, 1.09)
        size.samples = 0
        let verdict = verdict([
            ratio(CodeSize.misses, 1.05, 1.15), null(), size, ratio(CodeSize.lines, 1.02, 1.04),
            ratio(CodeSize.time, 1.01, 1.03), ratio(CodeSize.time + "-other-layout", 0.998, 1.002, to: "original"),
        ])
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason
                == "a simulated instruction cache is missed 1.1 [1.05, 1.15; n = 5] times as often with checks as "
                + "without, and 1.0 [0.98, 1.02; n = 5] times with checks in another order of the functions; the code "
                + "is 1.09 times as large; a run touches 1.03 [1.02, 1.04; n = 5] times as many lines; the bytes "
                + "alone, as no-ops, take 2 % [1, 2.9; n = 5] of the time"
        )
        #expect(verdict.measured.count == 5)
        #expect(verdict.measured[1].name == Figure.missesOfAnotherLayout.name && verdict.measured[1].median == 1)
    }

    @Test func timeWithinItsNullIsNotToldFromNone() {
        let verdict = verdict([
            ratio(CodeSize.misses, 1.05, 1.15), null(), ratio(CodeSize.time, 1.01, 1.03),
            ratio(CodeSize.time + "-other-layout", 0.97, 1.03, to: "original"),
        ])
        #expect(verdict.reason.contains("is not told from none (2 % [1, 2.9; n = 5])"))
    }

    @Test func fewerMissesRefuteItAndAnIntervalAroundOneTellsNothing() {
        #expect(verdict([ratio(CodeSize.misses, 0.8, 0.9), null()]).verdict == .refuted)
        #expect(verdict([ratio(CodeSize.misses, 0.9, 1.1), null()]).verdict == .notDistinguishable)
        #expect(verdict([ratio(CodeSize.size, 1.1, 1.2)]).verdict == .notMeasurable)
    }

    @Test(arguments: [(1.05, 1.15), (0.85, 0.95)])
    func whatAnotherOrderOfTheFunctionsDoesTooIsNotToldFromNone(low: Double, high: Double) {
        let verdict = verdict([ratio(CodeSize.misses, low, high), null(0.88, 1.12)])
        #expect(verdict.verdict == .notDistinguishable)
        #expect(verdict.reason.hasSuffix("in another order of the functions: that is not told from none"))
        // A comparison of binaries needs another order to be judged by.
        #expect(self.verdict([ratio(CodeSize.misses, low, high)]).verdict == .notMeasurable)
    }
}
