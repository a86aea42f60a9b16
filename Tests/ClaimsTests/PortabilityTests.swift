import Experiments
import Foundation
import Report
import Testing

@testable import Claims

@Suite("portability") struct PortabilityTests {
    private func hazard(_ name: String, _ outcome: Portability.Outcome, on processor: String = "x86_64") -> Record {
        Portability().record(
            name, .tested, exactly: outcome == .noTest ? 0 : 1,
            [.outcome: .string(outcome.rawValue), .processor: .string(processor)])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Portability().verdict(on: records) }

    @Test func aFailedTestConfirmsIt() {
        #expect(verdict(hazard("a", .passed), hazard("b", .failed)).verdict == .confirmed)
    }

    @Test func everyHazardMasteredOnBothProcessorsRefutesIt() {
        #expect(verdict(hazard("a", .passed), hazard("a", .passed, on: "aarch64")).verdict == .refuted)
    }

    @Test(arguments: [Portability.Outcome.noTest, .notRun])
    func whatIsOpenMakesItDepend(outcome: Portability.Outcome) {
        let both = verdict(hazard("a", .passed), hazard("a", .passed, on: "aarch64"), hazard("b", outcome))
        #expect(both.verdict == .depends)
    }

    @Test func oneProcessorMakesItDepend() {
        let verdict = verdict(hazard("a", .passed), hazard("b", .noTest))
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason == "on x86_64 2 hazards: 1 shown by tests that passed, 0 failed, 0 not run here, "
                + "1 without a test (\"b\"); nothing for aarch64")
    }

    @Test func withoutOutcomesOrHazardsItIsNotMeasurable() {
        #expect(verdict(hazard("a", .notRun), hazard("b", .noTest)).verdict == .notMeasurable)
        #expect(verdict().verdict == .notMeasurable)
    }

    @Test func docsHaveTheTablesOfTheData() throws {
        try GeneratedFile.check("docs/HAZARDS.md", HazardTable.rendered)
        let text = try GeneratedFile.text("docs/HAZARDS.md")
        for table in HazardTable.all {
            #expect(text.contains("# \(table.section)\n"))
            for hazard in table.hazards { #expect(text.contains("| \(hazard.name) | \(hazard.remedy) | ")) }
        }
    }

    @Test func anEditedTableIsRenderedAnew() {
        let table = HazardTable.all[0]
        let document = "# Title\n\n## \(table.section)\nText.\n| a |\n| b |\n| c |\n\n## Other\n| x |\n"
        let rendered = HazardTable.rendered(in: document)
        #expect(
            rendered.hasPrefix(
                "# Title\n\n## \(table.section)\nText.\n| hazard | what is done | shown by |\n|---|---|---|\n| "))
        #expect(rendered.hasSuffix(" |\n\n## Other\n| x |\n"))
        #expect(rendered.count { $0 == "\n" } == table.hazards.count + 9)
        #expect(HazardTable.rendered(in: rendered) == rendered)
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
              <testcase classname="B.Other" name="`a sentence`()" time="1" />
            </testsuite>
            """)
        #expect(outcomes.count == 4)
        #expect(outcomes.passed("Relocation.follows") == true)
        #expect(outcomes.passed("Relocation") == false)
        #expect(outcomes.passed("B") == true)
        #expect(outcomes.passed("Other.a sentence") == true)
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
        let named = HazardTable.all.flatMap { $0.hazards.flatMap(\.tests) }
        #expect(named.count > 20)
        for test in named {
            let parts = test.split(separator: ".", maxSplits: 1)
            let isTarget = FileManager.default.fileExists(atPath: tests.appending(path: String(parts[0])).path)
            #expect(isTarget || text.contains("struct \(parts[0]) "), "\(test)")
            if parts.count == 2 {
                #expect(["\(parts[1])", "`\(parts[1])`"].contains { text.contains("func \($0)(") }, "\(test)")
            }
        }
    }
}
