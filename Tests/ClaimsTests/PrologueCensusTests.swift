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

    /// What there is of a program, or of a group of programs.
    private func census(
        _ name: String, peer: String? = nil, hot: Double = 2.5, cold: Double = 7, share: Double = 0.8, checks: Int = 100
    ) -> [Record] {
        var shared: [ParameterName: ParameterValue] = [:]
        shared[.peer] = peer.map { .string($0) }
        let counts: [ParameterName: ParameterValue] = [.checks: .int(checks), .functions: .int(200), .text: .int(4000)]
        return [("functions", "all functions", share), ("text", ".text", 0.09)].map { suffix, whole, value in
            .ratio(
                suite: "prologue-census", case: "\(name)-\(suffix)", baseline: whole,
                estimate: Estimate(exactly: value),
                parameters: shared.merging(counts) { $1 })
        }
            + [(Metric.hotInstructions, hot), (.coldInstructions, cold)].map { metric, value in
                PrologueCensusClaim().record(name, metric, exactly: value, shared)
            }
    }

    private func verdict(hot: Double = 2.5, cold: Double = 7, more: [Record] = []) -> ClaimVerdict {
        PrologueCensusClaim().verdict(on: more + census("compile go1.27.3", peer: "go1.27.3", hot: hot, cold: cold))
    }

    @Test func aboutTenInstructionsConfirmIt() {
        let verdict = verdict()
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason == "go1.27.3: 9.5 instructions each, of which 2.5 are executed when it passes; "
                + "80 % of functions have a check")
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
        #expect(verdict.measured.first { $0.name == Figure.shareOfGoFunctions.name }?.median == 0.8)
        #expect(verdict.measured.first { $0.name == Figure.shareOfGoCode.name }?.median == 0.09)
    }

    @Test(arguments: [(2.0, 4.0), (3, 10)]) func fewerOrMoreRefuteIt(_ hot: Double, _ cold: Double) {
        #expect(verdict(hot: hot, cold: cold).verdict == .refuted)
    }

    @Test func olderVersionsAndLLVMAreRows() {
        let verdict = verdict(
            more: census("programs", hot: 2, cold: 3, share: 0.9)
                + census("programs-llvm", hot: 2, cold: 3, share: 0.92)
                + census("compile go1.19.8", peer: "go1.19.8", hot: 4, cold: 20, share: 0.7))
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.contains("; beside it go1.19.8 24.0 (4.0 executed), LLVM 5.0 (2.0 executed)"))
        func median(_ name: String) -> Double? { verdict.measured.first { $0.name == name }?.median }
        #expect(median("instructions of a check, LLVM") == 5)
        #expect(median("share of functions with a check, go1.19.8") == 0.7)
        #expect(median(Figure.shareOfFunctions.name) == 0.9)
    }

    @Test func aProgramCountsByItsChecks() {
        let verdict = verdict(more: census("go go1.27.3", peer: "go1.27.3", hot: 6.5, cold: 7, checks: 300))
        #expect(verdict.measured.first { $0.name == Figure.executedInstructionsOfCheck.name }?.median == 5.5)
        #expect(verdict.verdict == .refuted)
    }

    @Test func whatProgramsExecuteMissAndTouchIsSaid() {
        var executed = ratio("gofmt go1.27.3-executed", of: "executed instructions", 0.055, 0.055)
        executed.parameters[.peer] = "go1.27.3"
        let reason = verdict(more: [
            executed, ratio("lua-executed", of: "executed instructions", 0.03, 0.03),
            ratio("lua-lines", of: "plain", 1.05, 1.05), ratio("zstd-lines", of: "plain", 1.01, 1.01),
            ratio("programs-misses", of: "plain", 1.1, 1.2),
        ]).reason
        #expect(reason.contains("(5.5 % of what programs execute)"))
        #expect(reason.contains("; instruction cache misses of what LLVM wrote times 1.15 [1.1, 1.2; n = 12]"))
        #expect(reason.hasSuffix("; its runs touch 1 to 5 % more code"))
    }

    @Test func withoutTheNewestGoItIsNotMeasurable() {
        #expect(PrologueCensusClaim().verdict(on: []).verdict == .notMeasurable)
        #expect(PrologueCensusClaim().verdict(on: census("programs") + census("lua")).verdict == .notMeasurable)
        let older = census("compile go1.19.8", peer: "go1.19.8").map { record in
            var record = record
            record.parameters[.newestGo] = "go1.27.3"
            return record
        }
        let verdict = PrologueCensusClaim().verdict(on: older)
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.hasSuffix("; go1.27.3 is installed and was not measured; of go1.19.8 there are records"))
    }
}
