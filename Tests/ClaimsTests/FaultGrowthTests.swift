import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("fault-growth") struct FaultGrowthTests {
    private func verdict(_ programs: [(name: String, isAlike: Bool, faults: Double)], faults: Double = 300)
        -> ClaimVerdict
    {
        FaultGrowth().verdict(on: records(programs, faults: faults))
    }

    private func records(
        _ programs: [(name: String, isAlike: Bool, faults: Double)], faults: Double = 300,
        of version: String = "go1.27.3", ratio: Double = 2
    ) -> [Record] {
        let peer: [ParameterName: ParameterValue] = [.peer: .string(version)]
        var records = [FaultGrowth().record("probes", .probeFaults, exactly: faults, peer)]
        for title in [
            "start", "start of a crowd", "start of a crowd again", "start of a crowd, collected", "first descent",
            "waiting", "waiting, once deep",
        ] {
            records.append(
                .ratio(
                    suite: "fault-growth", case: "\(title), probes", baseline: "\(title), original",
                    estimate: Estimate(median: ratio, low: ratio - 0.1, high: ratio + 0.1, samples: 7),
                    parameters: peer))
        }
        for program in programs {
            records.append(FaultGrowth().record(program.name, .alike, exactly: program.isAlike ? 1 : 0, peer))
            records.append(FaultGrowth().record(program.name, .probeFaults, exactly: program.faults, peer))
        }
        return records
    }

    @Test func programsThatAnswerAsBeforeConfirmItOfProbes() throws {
        let verdict = verdict([("gofmt", true, 7), ("compile", true, 5)])
        #expect(verdict.verdict == .confirmed)
        #expect(verdict.reason.hasPrefix("go1.27.3: 300 faults of probes grew stacks; 2 of 2 programs with probes "))
        #expect(verdict.reason.contains("answered as before, with 12 faults; shown of probes, each an instruction"))
        let document = Document(machine: MachineFacts(), records: [], verdicts: [verdict])
        let sentence = try #require(Summary.article(document).findings["fault-growth"]?.sentence)
        #expect(sentence.contains(" 2 of 2 programs of Go answered as before, and grew stacks by 12 faults;"))
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

    /// Whatever older versions did, and whether they are recorded before the newest or behind it.
    @Test func onlyTheNewestGoDecidesAndIsCounted() {
        let old = records(
            [("gofmt go1.19.8", false, 1000), ("gofmt", false, 1000)], faults: 0, of: "go1.19.8", ratio: 9)
        let new = records([("gofmt go1.27.3", true, 7), ("gofmt", true, 5)])
        let alone = FaultGrowth().verdict(on: new)
        #expect(alone.verdict == .confirmed)
        for all in [old + new.map(Self.saysNewest), new.map(Self.saysNewest) + old] {
            let verdict = FaultGrowth().verdict(on: all)
            #expect(verdict.verdict == .confirmed && verdict.reason == alone.reason)
            #expect(verdict.measured == alone.measured)
        }
        // An older one does not stand in for programs of the newest.
        let without = FaultGrowth().verdict(on: old + records([]).map(Self.saysNewest))
        #expect(without.verdict == .notMeasurable)
        #expect(without.reason.hasPrefix("no record of a real program of go1.27.3 with probes"))
    }

    private static func saysNewest(_ record: Record) -> Record {
        var record = record
        record.parameters[.newestGo] = "go1.27.3"
        return record
    }

    @Test func withoutRealProgramsItIsNotMeasurable() { #expect(verdict([]).verdict == .notMeasurable) }
}
