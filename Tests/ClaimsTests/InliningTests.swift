import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("inlining") struct InliningTests {
    private func ratio(
        _ name: String, _ interval: ClosedRange<Double>, to baseline: String = "plain",
        _ parameters: [ParameterName: ParameterValue] = [:]
    ) -> Record {
        .ratio(
            suite: "inlining", case: name, baseline: baseline,
            estimate: Estimate(
                median: (interval.lowerBound + interval.upperBound) / 2, low: interval.lowerBound,
                high: interval.upperBound, samples: 16), parameters: parameters)
    }

    /// Times of programs compiled without inlining, as usual and with more, and the instructions that they execute.
    private func programs(
        _ times: [ClosedRange<Double>] = [1.03...1.05, 1.01...1.02, 1.005...1.02],
        instructions: [Double] = [1.05, 1.03, 1.02]
    ) -> [Record] {
        var records: [Record] = []
        for (index, setting) in ["off", "standard", "aggressive"].enumerated() {
            records.append(ratio("programs", times[index], to: "plain", [.inlining: .string(setting)]))
            guard index < instructions.count else { continue }
            records.append(
                ratio(
                    "programs-instructions", instructions[index]...instructions[index], to: "plain",
                    [.inlining: .string(setting)]))
        }
        return records
    }

    private func verdict(
        small: ClosedRange<Double> = 1.05...1.1, large: ClosedRange<Double> = 0.99...1.005, _ programs: [Record]
    ) -> ClaimVerdict {
        Inlining().verdict(
            on: [ratio("small functions", small), ratio("small functions", 1.01...1.02, to: "padded")]
                + [ratio("large functions", large)]
                + [(1, 1.05...1.1), (100, 1.0...1.009), (300, 0.99...1.005)].map { size, interval in
                    ratio("call\(size)", interval, to: "plain", [.instructions: .int(size)])
                } + programs)
    }

    @Test func allOfItConfirmsIt() {
        let verdict = verdict(programs())
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.contains("a measurable cost, 7 % [4.8, 9.1] of functions"))
        #expect(verdict.reason.contains("(1.5 % [1, 2] against no-ops in their place)"))
        #expect(verdict.reason.contains("below 1 % from 100 on"))
        #expect(verdict.reason.contains("checks are 4.8 %, 2.9 %, 2 % of executed instructions"))
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
    }

    @Test func noneOfItRefutesIt() {
        let verdict = verdict(
            small: 0.9...0.95, large: 1.0...1.01,
            programs([1.04...1.05, 1.05...1.06, 1.06...1.07], instructions: [1.02, 1.03, 1.04]))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasPrefix("does not hold: a measurable cost"))
    }

    @Test func whatDoesNotHoldIsNamed() {
        let fast = verdict(small: 0.9...0.98, large: 0.99...1.0, programs())
        #expect(fast.verdict == .depends)
        #expect(fast.reason.contains("does not hold: a measurable cost"))
        let costly = verdict(programs([1.2...1.3, 1.1...1.2, 1.05...1.1]))
        #expect(costly.verdict == .depends)
        #expect(costly.reason.contains("does not hold: an exaggeration, 13 % [9.1, 16.7]"))
        let flat = verdict(programs(instructions: [1.03, 1.03, 1.03]))
        #expect(flat.verdict == .depends)
        #expect(flat.reason.contains("does not hold: a cost that falls with inlining"))
        let growing = verdict(large: 1.2...1.3, programs())
        #expect(growing.reason.contains("does not hold: a cost that falls with the size of functions"))
    }

    @Test func whatIntervalsHideIsUndecided() {
        let verdict = verdict(
            small: 0.98...1.05, programs([1.0...1.1, 1.0...1.05, 1.0...1.1]))
        #expect(verdict.verdict == .depends)
        #expect(verdict.reason.hasPrefix("holds: a cost that falls with inlining"))
        for text in ["a measurable cost", "an exaggeration", "falls with the size"] {
            #expect(verdict.reason.split(separator: "undecided: ").last?.contains(text) == true)
        }
    }

    @Test func withoutCountsTimesDecideOnInlining() {
        #expect(verdict(programs(instructions: [])).verdict == .confirmed)
        let overlapping = verdict(programs([1.0...1.05, 1.01...1.02, 1.0...1.02], instructions: []))
        #expect(overlapping.reason.contains("undecided: a cost that falls with inlining"))
        let rising = verdict(programs([1.0...1.005, 1.01...1.02, 1.01...1.02], instructions: []))
        #expect(rising.reason.contains("does not hold: a cost that falls with inlining"))
    }

    @Test func whereNothingIsDecidedItIsNotMeasurable() {
        let verdict = verdict(
            small: 0.98...1.05, programs([1.0...1.1, 1.0...1.05, 1.0...1.1], instructions: []))
        #expect(verdict.verdict == .notMeasurable)
        #expect(Inlining().verdict(on: programs()).verdict == .notMeasurable)
        #expect(Inlining().verdict(on: []).verdict == .notMeasurable)
    }
}
