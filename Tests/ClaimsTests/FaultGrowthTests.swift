import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("fault-growth") struct FaultGrowthTests {
    private func verdict(_ programs: [(name: String, isAlike: Bool, faults: Double)], faults: Double = 300)
        -> ClaimVerdict
    {
        let peer: [ParameterName: ParameterValue] = [.peer: "go1.27.3"]
        var records = [FaultGrowth().record("probes", .probeFaults, exactly: faults, peer)]
        for title in ["start", "first descent", "waiting", "waiting, once deep"] {
            records.append(
                .ratio(
                    suite: "fault-growth", case: "\(title), probes", baseline: "\(title), original",
                    estimate: Estimate(median: 2, low: 1.9, high: 2.1, samples: 7), parameters: peer))
        }
        for program in programs {
            records.append(FaultGrowth().record(program.name, .alike, exactly: program.isAlike ? 1 : 0, peer))
            records.append(FaultGrowth().record(program.name, .probeFaults, exactly: program.faults, peer))
        }
        return FaultGrowth().verdict(on: records)
    }

    @Test func programsThatAnswerAsBeforeConfirmItOfProbes() throws {
        let verdict = verdict([("gofmt", true, 7), ("compile", true, 5)])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasPrefix("go1.27.3: 300 faults of probes grew stacks; 2 of 2 programs with probes "))
        #expect(verdict.reason.contains("answered as before, with 12 faults; shown of probes, each an instruction"))
        let document = Document(machine: MachineFacts(), records: [], verdicts: [verdict])
        let sentence = try #require(Summary.article(document).findings["fault-growth"]?.sentence)
        #expect(sentence.contains(" 300 faults, and 2 of 2 programs answered as before"))
    }

    @Test func oneThatAnswersOtherwiseRefutesItAndIsNamed() {
        let verdict = verdict([("gofmt", true, 7), ("compile", false, 5)])
        #expect(verdict.verdict == .refuted)
        #expect(verdict.reason.contains("1 of 2 programs with probes answered as before, with 12 faults, not compile;"))
    }

    @Test func withoutFaultsNothingIsShown() {
        #expect(verdict([("gofmt", true, 0)]).verdict == .refuted)
        #expect(verdict([("gofmt", true, 7)], faults: 0).verdict == .refuted)
    }

    @Test func withoutRealProgramsItIsNotMeasurable() { #expect(verdict([]).verdict == .notMeasurable) }
}
