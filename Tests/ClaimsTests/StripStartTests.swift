import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("strip-start") struct StripStartTests {
    private static let claims: [(any Claim, ProgramStarts.Linking)] = [
        (StripStart(), .stripped), (StripStartCold(), .stripped), (IndependentStart(), .independent),
    ]

    /// The mean of two programs, each program, and the usual programs against themselves.
    private func verdict(
        _ claim: any Claim, _ linking: ProgramStarts.Linking, mean: ClosedRange<Double>,
        programs: [ClosedRange<Double>] = [], null: ClosedRange<Double> = 0.99...1.01, samples: Int = 6
    ) -> ClaimVerdict {
        func ratio(_ name: String, _ ends: ClosedRange<Double>, _ own: [ParameterName: ParameterValue]) -> Record {
            .ratio(
                suite: claim.identifier, case: name, baseline: "usual",
                estimate: Estimate(
                    median: (ends.lowerBound + ends.upperBound) / 2, low: ends.lowerBound, high: ends.upperBound,
                    samples: samples), parameters: own)
        }
        return claim.verdict(
            on: programs.enumerated().map { ratio(linking.rawValue, $1, [.work: .string("program \($0)")]) } + [
                ratio(linking.rawValue, mean, [.programs: 2]),
                ratio(ProgramStarts.again, null, [.programs: 2, .nullControl: true]),
            ])
    }

    @Test(arguments: claims.indices) func `as much sooner or more confirms it`(index: Int) {
        let (claim, linking) = Self.claims[index]
        let verdict = verdict(claim, linking, mean: 0.25...0.75)
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.measured.map(\.median) == [0.5, 1])
    }

    @Test(arguments: claims.indices) func `later refutes it`(index: Int) {
        let (claim, linking) = Self.claims[index]
        #expect(verdict(claim, linking, mean: 1.1...1.2).verdict == .refuted)
    }

    @Test func `measurably but hardly sooner refutes a number, and confirms that it is sooner at all`() {
        #expect(verdict(StripStart(), .stripped, mean: 0.94...0.96).verdict == .refuted)
        #expect(verdict(IndependentStart(), .independent, mean: 0.94...0.96).verdict == .confirmed)
    }

    @Test(arguments: claims.indices) func `what the same programs show as well is no difference`(index: Int) {
        let (claim, linking) = Self.claims[index]
        #expect(verdict(claim, linking, mean: 0.98...1.01).verdict == .notDistinguishable)
        #expect(verdict(claim, linking, mean: 0.92...0.96, null: 0.9...1.1).verdict == .notDistinguishable)
    }

    @Test func `programs on both sides of what is claimed are figures and decide nothing`() {
        let programs = [0.7...0.75, 0.9...0.95, 0.8...0.9]
        let verdict = verdict(StripStartCold(), .stripped, mean: 0.7...0.95, programs: programs)
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason.hasPrefix(
                "more programs are needed to tell it from at most 0.82: the time to start is 0.83 [0.7, 0.95; n = "))
        #expect(verdict.reason.contains("; program 0 0.73 [0.7, 0.75; n = 6], program 1 0.93 [0.9, 0.95; n = 6], pro"))
        #expect(verdict.measured.count == 5)
        #expect(self.verdict(StripStartCold(), .stripped, mean: 0.9...0.95, programs: programs).verdict == .refuted)
    }

    @Test func `an interval around what is claimed decides nothing`() {
        #expect(verdict(StripStart(), .stripped, mean: 0.8...0.9).verdict == .notMeasurable)
        #expect(verdict(StripStart(), .stripped, mean: 0.6...0.6, samples: 1).verdict == .notMeasurable)
    }

    @Test func `without programs nothing is decided`() {
        #expect(StripStart().verdict(on: []).verdict == .notMeasurable)
    }
}
