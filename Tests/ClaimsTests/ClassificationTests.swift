import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("classification") struct ClassificationTests {
    /// One line of the matrix: what the fault was, how it was classified, how many.
    private func record(_ source: Classification.Source, _ due: String, _ verdict: String, _ count: Double) -> Record {
        Record(
            suite: "classification", case: "cause of \(due)", metric: .faults, exactly: count,
            parameters: [.source: .string(source.rawValue), .due: .string(due), .verdict: .string(verdict)])
    }

    private func verdict(_ further: Record...) -> ClaimVerdict {
        Classification().verdict(
            on: [
                record(.synthetic, "growth", "growth", 600),
                record(.synthetic, "nil-dereference", "nil-dereference", 400),
                record(.real, "growth", "growth", 60), record(.real, "foreign", "foreign", 40),
            ] + further)
    }

    private func measured(_ figure: Figure, of verdict: ClaimVerdict) -> MeasuredFigure? {
        verdict.measured.first { $0.name == figure.name }
    }

    @Test func noConfusionRefutesItWithTheRuleOfThree() throws {
        let verdict = verdict()
        #expect(verdict.verdict == .refuted)
        let confusions = try #require(measured(.confusionsInAMillion(.synthetic), of: verdict))
        #expect(confusions.median == 0)
        #expect(confusions.high == 3e6 / 1000)
        #expect(measured(.confusionsInAMillion(.real), of: verdict)?.high == 3e6 / 100)
    }

    @Test(arguments: [("growth", "nil-dereference"), ("below-stack", "growth"), ("growth", "foreign")])
    func oneConfusionConfirmsIt(due: String, got: String) throws {
        for source in Classification.Source.allCases {
            let verdict = verdict(record(source, due, got, 1))
            #expect(verdict.verdict == .confirmed)
            let confusions = try #require(measured(.confusionsInAMillion(source), of: verdict))
            #expect(confusions.low > 0 && confusions.low < confusions.median && confusions.median < confusions.high)
        }
    }

    @Test(arguments: ["growth", "lost-signal-frame"]) func whatIsAmbiguousIsNotToldApart(due: String) {
        let verdict = verdict(record(.real, due, "ambiguous", 25))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "it depends on the cause: it is so for 1, and not for the other \(due == "growth" ? 2 : 3): growth "))
        let cause = due == "growth" ? "growth (29.4 % of its faults)" : "lost-signal-frame (100 % of its faults)"
        #expect(
            verdict.reason.contains(
                "never confused, but of \(due == "growth" ? 3 : 4) causes 1 are not always told "
                    + "apart: cause of \(cause); "
                    + "one classifier"))
        #expect(measured(.causesNotToldApart, of: verdict)?.median == 1)
    }

    @Test func howManyOfACauseThereWereIsNoMatter() {
        for count in [1.0, 1e9] {
            let verdict = verdict(record(.synthetic, "lost-signal-frame", "ambiguous", count))
            #expect(verdict.verdict == .depends)
            #expect(verdict.reason.contains("causes 1 are not always told apart: cause of lost-signal-frame (100 %"))
        }
    }

    @Test func whereNoCauseIsAlwaysToldApartItIsConfirmed() {
        let all = Classification.Source.allCases.map { record($0, "growth", "ambiguous", 1) }
        #expect(Classification().verdict(on: all).verdict == .confirmed)
    }

    @Test func otherNamesOfBugsAreShownApart() {
        let verdict = verdict(record(.synthetic, "non-canonical", "foreign", 7))
        #expect(verdict.verdict == .refuted)
        #expect(measured(.bugsByAnotherName(.synthetic), of: verdict)?.median == 7)
        #expect(verdict.reason.contains("7 bugs called by another bug's name (cause of non-canonical)"))
    }

    @Test func bothSourcesAreNeeded() {
        let onlyReal = Classification().verdict(on: [record(.real, "growth", "growth", 9)])
        #expect(onlyReal.verdict == .notMeasurable)
        #expect(onlyReal.reason == "no record of synthetic faults")
        #expect(
            Classification().verdict(on: [record(.synthetic, "growth", "growth", 9)]).verdict == .notMeasurable)
    }
}
