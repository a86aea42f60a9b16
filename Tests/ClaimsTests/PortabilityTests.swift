import Claims
import Foundation
import Report
import Testing

@Suite("portability") struct PortabilityTests {
    private func hazard(_ name: String, _ outcome: String, on processor: String = "x86_64") -> Record {
        Record(
            suite: "portability", case: name, metric: "tested", unit: .count, exactly: outcome == "no test" ? 0 : 1,
            parameters: ["outcome": .string(outcome), "processor": .string(processor)])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Portability().verdict(on: records) }

    @Test func aFailedTestConfirmsIt() {
        #expect(verdict(hazard("a", "passed"), hazard("b", "failed")).verdict == .confirmed)
    }

    @Test func everyHazardMasteredOnBothProcessorsRefutesIt() {
        #expect(verdict(hazard("a", "passed"), hazard("a", "passed", on: "aarch64")).verdict == .refuted)
    }

    @Test(arguments: ["no test", "not run"])
    func whatIsOpenMakesItDepend(outcome: String) {
        let both = verdict(hazard("a", "passed"), hazard("a", "passed", on: "aarch64"), hazard("b", outcome))
        #expect(both.verdict == .depends)
    }

    @Test func oneProcessorMakesItDepend() {
        let verdict = verdict(hazard("a", "passed"), hazard("b", "no test"))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason == "on x86_64 2 hazards: 1 shown by tests that passed, 0 failed, 0 not run here, "
                + "1 without a test (\"b\"); nothing for aarch64")
    }

    @Test func withoutOutcomesOrHazardsItIsNotMeasurable() {
        #expect(verdict(hazard("a", "not run"), hazard("b", "no test")).verdict == .notMeasurable)
        #expect(verdict().verdict == .notMeasurable)
    }

    @Test func rowsAreReadAsTheyAre() {
        let hazards = Hazard.table(
            """
            # Title
            ## Signals
            | hazard | what is done | shown by |
            |---|---|---|
            | a handler | it dies | CrashTests; `faultline faults` |
            | a comparison | nothing | none possible |
            | a pointer | moved | Relocation.follows, per holder |
            """)
        #expect(hazards.map(\.section) == ["Signals", "Signals", "Signals"])
        #expect(hazards.map(\.name) == ["a handler", "a comparison", "a pointer"])
        #expect(hazards.map(\.hasTest) == [true, false, true])
        #expect(hazards.map(\.tests) == [["CrashTests"], [], ["Relocation.follows"]])
        #expect(hazards.map(\.isShownByFaults) == [true, false, false])
    }

    @Test func outcomesAreThoseOfTheSuitesNamed() {
        let outcomes = TestOutcomes(
            """
            <testsuite name="TestResults">
              <testcase classname="A.Stacks.Relocation" name="follows(_:)" time="1" />
              <testcase classname="A.Stacks.Relocation" name="followsNot()" time="1">
                <failure message="no" />
              </testcase>
              <testcase classname="B.Other" name="follows()" time="1" />
            </testsuite>
            """)
        #expect(outcomes.count == 3)
        #expect(outcomes.passed("Relocation.follows") == true)
        #expect(outcomes.passed("Relocation") == false)
        #expect(outcomes.passed("B") == true)
        #expect(outcomes.passed("Relocation.absent") == nil)
        #expect(outcomes.passed("C") == nil)
    }

    /// A name in the table that no test has would never get an outcome.
    @Test func everyTestOfTheTableExists() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var text = ""
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            text += try String(contentsOf: file, encoding: .utf8)
        }
        let hazards = Hazard.all
        #expect(hazards.count > 20)
        for hazard in hazards where hazard.hasTest {
            #expect(!hazard.tests.isEmpty, "\(hazard.name)")
            for test in hazard.tests {
                let parts = test.split(separator: ".")
                let isTarget = FileManager.default.fileExists(atPath: tests.appending(path: String(parts[0])).path)
                #expect(isTarget || text.contains("struct \(parts[0]) "), "\(test)")
                if parts.count == 2 { #expect(text.contains("func \(parts[1])("), "\(test)") }
            }
        }
    }
}
