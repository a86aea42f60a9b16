import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("ackermann") struct AckermannTests {
    private static func depth(
        _ name: String, grows: Bool, _ ending: Ackermann.Ending, depth: Double = 8000, work: Ackermann.Work = .ackermann
    ) -> Record {
        Record(
            suite: "ackermann", case: work.caseName(name), metric: .depth, exactly: depth,
            parameters: [.grows: .bool(grows), .ending: .string(ending.rawValue), .limit: 262_144])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Ackermann().verdict(on: records) }

    @Test func growingStacksThatFinishWhereFixedOnesEndConfirmIt() {
        let verdict = verdict(
            Self.depth("fault", grows: true, .finished), Self.depth("go1.19", grows: true, .finished),
            Self.depth("fixed", grows: false, .error), Self.depth("thread", grows: false, .died))
        #expect(verdict.verdict == .confirmed)
    }

    @Test func growingStacksThatAllEndRefuteIt() {
        let verdict = verdict(
            Self.depth("fault", grows: true, .error, depth: 8178),
            Self.depth("go1.19", grows: true, .died, depth: 5376),
            Self.depth("fixed", grows: false, .error, depth: 8100))
        #expect(verdict.verdict == .refuted)
        #expect(
            verdict.reason
                == "with a limit of 262144 bytes 0 of 2 kinds of stack that grow finished, 0 were still running, "
                + "1 ended with an error that the process survived, 1 with the process; of 1 fixed ones 0 finished, "
                + "1 ended with an error, 0 with the process; depths: fault 8178, go1.19 5376, fixed 8100")
        #expect(verdict.measured.map(\.median) == [8178, 5376, 8100])
    }

    @Test func someThatFinishOrAreStillRunningAreADependence() {
        let fixed = Self.depth("fixed", grows: false, .error)
        #expect(
            verdict(Self.depth("a", grows: true, .finished), Self.depth("b", grows: true, .error), fixed).verdict
                == .depends)
        #expect(
            verdict(Self.depth("a", grows: true, .running), Self.depth("b", grows: true, .error), fixed).verdict
                == .depends)
    }

    @Test func aFixedStackThatIsNotExhaustedIsADependence() {
        let growing = Self.depth("a", grows: true, .finished)
        #expect(verdict(growing, Self.depth("fixed", grows: false, .finished)).verdict == .depends)
        #expect(verdict(growing, Self.depth("fixed", grows: false, .running)).verdict == .depends)
    }

    @Test func runawaysDecideNothing() {
        let verdict = verdict(
            Self.depth("a", grows: true, .error), Self.depth("fixed", grows: false, .error),
            Self.depth("a", grows: true, .finished, work: .runaway))
        #expect(verdict.verdict == .refuted)
    }

    @Test func bothKindsOfStackAreNeeded() {
        #expect(verdict(Self.depth("a", grows: true, .error)).verdict == .notMeasurable)
        #expect(verdict(Self.depth("fixed", grows: false, .error)).verdict == .notMeasurable)
    }
}
