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

    /// Two programs compiled without inlining, as usual and with more, and the mean of both; what checks cost them,
    /// what plain code in another layout does, and the instructions that they execute.
    private func programs(
        _ costs: [(off: Double, standard: Double)] = [(1.05, 1.01), (1.04, 1.01)], null: [(Double, Double)] = [],
        instructions: [Double] = [1.05, 1.03, 1.02]
    ) -> [Record] {
        var records: [Record] = []
        for (index, setting) in ["off", "standard", "aggressive"].enumerated() {
            let inlining: [ParameterName: ParameterValue] = [.inlining: .string(setting), .kind: "foreign"]
            let all: [ParameterName: ParameterValue] = [.inlining: .string(setting), .programs: .int(costs.count)]
            let own = costs.map { index == 0 ? $0.off : $0.standard }
            for (place, cost) in own.enumerated() {
                records.append(ratio("p\(place)", cost...cost, to: "plain", inlining))
                records.append(ratio("p\(place)-instructions", 9...9, to: "plain", inlining))
            }
            for (place, pair) in null.enumerated() {
                let value = index == 0 ? pair.0 : pair.1
                records.append(
                    ratio(
                        "p\(place)-other-layout", value...value, to: "plain",
                        inlining.merging([.nullControl: true]) { $1 }))
            }
            let mean = own.reduce(0, +) / Double(max(1, own.count))
            records.append(ratio("programs", mean - 0.01...mean + 0.01, to: "plain", all))
            records.append(ratio("programs-instructions", instructions[index]...instructions[index], to: "plain", all))
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

    /// Two kernels in Go without inlining and as usual, the mean of both, and how one is to the other.
    private func go(_ off: Double, _ standard: Double) -> [Record] {
        let saved = off / standard
        let pair = ratio("go-not-inlined", saved - 0.01...saved + 0.01, to: "go", [.peer: "go1.27.3"])
        return [pair]
            + [("off", off), ("standard", standard)].flatMap { setting, cost in
                [("go", cost), ("fib go1.27.3", cost), ("trees go1.27.3", cost + 0.001)].map { name, cost in
                    var own: [ParameterName: ParameterValue] = [.inlining: .string(setting), .peer: "go1.27.3"]
                    own[.programs] = name == "go" ? 2 : nil
                    return ratio(name, cost...cost, to: "plain", own)
                }
            }
    }

    @Test func aCostThatFallsInTimeConfirmsIt() {
        let verdict = verdict(programs([(1.06, 1.01), (1.06, 1.0101)]))
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason.hasPrefix(
                "holds: call-heavy programs gain 5.7 % [4.8, 6.5; n = 16] without checks where nothing is inlined, 1 % "
                    + "[0, 2; n = 16] inlined as usual: program by program 1.049 [1.049, 1.05; n = 2] times as much; "
                    + "of executed instructions checks are 4.8 % with inlining off, 2.9 % with"))
        #expect(verdict.reason.hasSuffix("from 300 on -0.3 % [-1, 0.5; n = 16]"))
        for figure in verdict.claimed { #expect(verdict.measured.contains { $0.name == figure.name }) }
    }

    @Test func aCostThatRisesRefutesItWhateverInstructionsSay() {
        let verdict = verdict(programs([(1.002, 1.015), (1.002, 1.0151)]))
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.hasPrefix("does not hold: call-heavy programs"))
    }

    @Test func programsArePairedWithThemselves() {
        // Far apart from each other, and each alike with inlining and without.
        let alike = verdict(programs([(1.21, 1.2), (1.01, 1.0017), (1.11, 1.1009)]))
        #expect(alike.verdict == .confirmed)
    }

    @Test func onlyANullMakesItNotDistinguishable() {
        let wide = [(off: 1.05, standard: 1.01), (off: 1.0, standard: 1.02)]
        #expect(verdict(programs(wide)).verdict == .notMeasurable)
        #expect(verdict(programs(wide, null: [(1, 1), (1, 1.001)])).verdict == .notDistinguishable)
        // A null that shows as much takes what would be confirmed back.
        let clear = [(off: 1.06, standard: 1.01), (off: 1.06, standard: 1.0101)]
        #expect(verdict(programs(clear, null: [(1, 1), (1, 1.001)])).verdict == .confirmed)
        let biased = verdict(programs(clear, null: [(1.05, 1), (1.051, 1)]))
        #expect(biased.verdict == .notDistinguishable)
        #expect(biased.reason.contains("times as much, where plain code in other layouts has 1.05"))
    }

    @Test func oneProgramDecidesNothing() {
        let verdict = verdict(programs([(1.06, 1.01)]))
        #expect(verdict.verdict == .notMeasurable)
        #expect(verdict.reason.contains("fewer than two programs were measured both ways"))
    }

    @Test func goMustAgreeWhereItWasMeasured() {
        let clear = programs([(1.06, 1.01), (1.06, 1.0101)])
        #expect(verdict(clear + go(1.05, 1.01)).verdict == .confirmed)
        let other = verdict(clear + go(1.01, 1.05))
        #expect(other.verdict == .refuted)
        #expect(other.reason.contains("does not hold: kernels in Go gain"))
    }

    @Test func whatGoShowsIsHeldAgainstProgramsAndThemselves() {
        let clear = programs([(1.06, 1.01), (1.06, 1.0101)])
        let parameters: [ParameterName: ParameterValue] = [.peer: "go1.27.3", .nullControl: true]
        func null(_ interval: ClosedRange<Double>) -> Record {
            ratio("go-not-inlined", interval, to: "go", parameters)
        }
        #expect(verdict(clear + go(1.05, 1.01) + [null(0.99...1.01)]).verdict == .confirmed)
        let biased = verdict(clear + go(1.05, 1.01) + [null(1.03...1.06)])
        #expect(biased.verdict == .notDistinguishable)
        #expect(biased.reason.contains("layout by layout 1.04"))
        #expect(biased.reason.contains("where programs and themselves have 1.045 [1.03, 1.06"))
    }

    @Test func withoutProgramsOrSizesItIsNotMeasurable() {
        #expect(Inlining().verdict(on: programs()).verdict == .notMeasurable)
        #expect(Inlining().verdict(on: []).verdict == .notMeasurable)
        #expect(verdict([]).verdict == .notMeasurable)
    }
}
