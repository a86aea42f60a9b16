import Claims
import Measurement
import Report
import Testing

@Suite("classification") struct ClassificationTests {
    /// One line of the matrix: what the fault was, how it was classified, how many.
    private func record(_ source: String, _ due: String, _ verdict: String, _ count: Double) -> Record {
        Record(
            suite: "classification", case: "cause of \(due)", metric: "faults", unit: .count, exactly: count,
            parameters: ["source": .string(source), "due": .string(due), "verdict": .string(verdict)])
    }

    private func verdict(_ further: Record...) -> ClaimVerdict {
        Classification().verdict(
            on: [
                record("made up", "growth", "growth", 600),
                record("made up", "nil-dereference", "nil-dereference", 400),
                record("real", "growth", "growth", 60), record("real", "foreign", "foreign", 40),
            ] + further)
    }

    private func figure(_ name: String, of verdict: ClaimVerdict) -> MeasuredFigure? {
        verdict.measured.first { $0.name == name }
    }

    @Test func noConfusionRefutesItWithTheRuleOfThree() throws {
        let verdict = verdict()
        #expect(verdict.verdict == .refuted)
        let confusions = try #require(figure("confusions in a million faults, made up", of: verdict))
        #expect(confusions.median == 0)
        #expect(confusions.high == 3e6 / 1000)
        #expect(figure("confusions in a million faults, real", of: verdict)?.high == 3e6 / 100)
    }

    @Test(arguments: [("growth", "nil-dereference"), ("below-stack", "growth"), ("growth", "foreign")])
    func oneConfusionConfirmsIt(due: String, got: String) throws {
        for source in ["made up", "real"] {
            let verdict = verdict(record(source, due, got, 1))
            #expect(verdict.verdict == .confirmed)
            let confusions = try #require(figure("confusions in a million faults, \(source)", of: verdict))
            #expect(confusions.low > 0 && confusions.low < confusions.median && confusions.median < confusions.high)
        }
    }

    @Test func growthThatIsNotKnownMakesItDepend() {
        #expect(verdict(record("real", "growth", "ambiguous", 1)).verdict == .depends)
    }

    @Test func otherNamesOfBugsAreShownApart() {
        let verdict = verdict(
            record("made up", "non-canonical", "foreign", 7), record("made up", "lost-signal-frame", "ambiguous", 5))
        #expect(verdict.verdict == .refuted)
        #expect(figure("bugs by another bug's name, made up", of: verdict)?.median == 7)
        #expect(figure("ambiguous, made up", of: verdict)?.median == 5)
        #expect(verdict.reason.contains("7 bugs called by another bug's name (cause of non-canonical)"))
    }

    @Test func bothSourcesAreNeeded() {
        let onlyReal = Classification().verdict(on: [record("real", "growth", "growth", 9)])
        #expect(onlyReal.verdict == .notMeasurable)
        #expect(onlyReal.reason.contains("made up"))
        #expect(
            Classification().verdict(on: [record("made up", "growth", "growth", 9)]).verdict == .notMeasurable)
    }
}
