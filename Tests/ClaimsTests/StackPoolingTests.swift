import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("stack-pool") struct StackPoolingTests {
    private func estimate(_ value: Double) -> Estimate {
        Estimate(median: value, low: value * 0.97, high: value * 1.03, samples: 9)
    }

    /// Both versions at a size: the time before, and the ratios to it of the time since and of that before again.
    private func records(_ bytes: Int, before: Double, ratio: Double, again: Double = 1) -> [Record] {
        let shared: [ParameterName: ParameterValue] = [.bytes: .int(bytes)]
        return [("before", before), ("since", before * ratio)].map { name, value in
            Record(suite: "stack-pool", case: name, metric: .time, estimate: estimate(value), parameters: shared)
        } + [
            .ratio(
                suite: "stack-pool", case: "since", baseline: "before", estimate: estimate(ratio), parameters: shared),
            .ratio(
                suite: "stack-pool", case: StackPooling.again, baseline: "before", estimate: estimate(again),
                parameters: shared.merging([.nullControl: true]) { $1 }),
        ]
    }

    private func verdict(_ small: Double, _ large: Double, further: [Record] = []) -> ClaimVerdict {
        StackPooling().verdict(
            on: records(2048, before: 20, ratio: small) + records(8192, before: 30, ratio: large) + further)
    }

    @Test func aStepAsLargeAsClaimedConfirmsIt() {
        let verdict = verdict(0.24, 0.2)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.first { $0.name == Figure.before("2 KB").name }?.median == 20)
        #expect(verdict.measured.first { $0.name == Figure.since("8 KB").name }?.median == 6)
    }

    @Test func noStepIsNotDistinguishableAndASmallOneRefutesIt() {
        #expect(verdict(1, 1).verdict == .notDistinguishable)
        #expect(verdict(0.8, 0.8).verdict == .refuted)
        #expect(verdict(1.3, 1.3).verdict == .refuted)
        let wide = records(2048, before: 20, ratio: 0.2, again: 0.2) + records(8192, before: 30, ratio: 0.2)
        #expect(StackPooling().verdict(on: wide).verdict == .notDistinguishable)
        let one = verdict(0.2, 0.6)
        #expect(one.verdict == .refuted)
        #expect(
            one.reason.hasSuffix(
                "does not hold: 8 KB takes 0.6 [0.58, 0.62; n = 9] of the time before (the same version again 1.0 "
                    + "[0.97, 1.03; n = 9]), claimed 0.22"))
    }

    @Test func anIntervalAroundTheClaimDecidesNothing() { #expect(verdict(0.2, 0.27).verdict == .notMeasurable) }

    private func changes(_ count: Double) -> Record {
        Record(
            suite: "stack-pool", case: "since", metric: .changedFunctions, exactly: count, parameters: [.functions: 6])
    }

    @Test func howMuchOfTheAllocatorWasChangedIsSaid() {
        #expect(
            verdict(0.8, 0.8, further: [changes(0)]).reason.hasSuffix(
                "; of 6 functions of the allocator 0 were changed"))
    }

    @Test func theSameSourceRefutesAStepThatTimesDoNotTell() {
        let verdict = verdict(1, 1, further: [changes(0)])
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason.hasPrefix(
                "the sources are the same in both versions, and the times as far as can be told: undecided: 2 KB"))
        #expect(verdict.reason.hasSuffix("; of 6 functions of the allocator 0 were changed"))
        #expect(self.verdict(1, 1, further: [changes(1)]).verdict == .notDistinguishable)
        // A step that was measured is judged by its times, whatever made it.
        #expect(self.verdict(0.2, 0.2, further: [changes(0)]).verdict == .confirmed)
        #expect(self.verdict(1, 0.2, further: [changes(0)]).verdict == .notDistinguishable)
        var once = changes(0)
        once.high = 1
        #expect(self.verdict(1, 1, further: [once]).verdict == .notDistinguishable)
    }

    @Test func poolsAreFiguresAndDecideNothing() {
        let pool = Record.ratio(
            suite: "stack-pool", case: "after a quiet time", baseline: "unpooled", estimate: estimate(0.5),
            parameters: [.peer: "faultline", .bytes: 4096])
        let verdict = verdict(0.8, 0.8, further: [pool])
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.measured.first { $0.name == "faultline, 4KiB, after a quiet time to without" }?.median == 0.5)
    }

    @Test func aFunctionEndsWithItsBrace() {
        let source = "package p\n\nfunc a(n int) {\n\tif n > 0 {\n\t}\n}\n\nfunc ab() {\n}\n"
        #expect(StackPooling.function("a", in: source) == "\nfunc a(n int) {\n\tif n > 0 {\n\t}")
        #expect(StackPooling.function("b", in: source) == nil)
    }

    @Test func withoutBothVersionsItIsNotMeasurable() {
        #expect(StackPooling().verdict(on: records(2048, before: 20, ratio: 1)).verdict == .notMeasurable)
        #expect(StackPooling().verdict(on: [], missing: ["Go 1.21"]).reason == "missing: Go 1.21")
    }
}
