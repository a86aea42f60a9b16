import Experiments
import Foundation
import Report
import Testing

@testable import Claims

@Suite("portability") struct PortabilityTests {
    private func hazard(
        _ name: String, _ outcome: Portability.Outcome, of dependence: Dependence? = .system,
        on processor: String = "x86_64"
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [
            .outcome: .string(outcome.rawValue), .processor: .string(processor),
        ]
        parameters[.dependsOn] = dependence.map { .string($0.rawValue) }
        return Portability().record(name, .tested, exactly: outcome == .noTest ? 0 : 1, parameters)
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Portability().verdict(on: records) }

    /// The same on the other processor, so that none is missing.
    private func other(_ dependence: Dependence? = nil) -> Record {
        hazard("z", .passed, of: dependence, on: "aarch64")
    }

    @Test(arguments: [Portability.Outcome.passed, .failed], Dependence.allCases)
    func aHazardOfProcessorOrSystemThatATestShowsConfirmsIt(outcome: Portability.Outcome, of: Dependence) {
        #expect(verdict(hazard("a", outcome, of: of), other()).verdict == .confirmed)
    }

    @Test func aProcessorWhereNothingWasRunConfirmsNothing() {
        let verdict = verdict(hazard("a", .passed, of: nil), hazard("b", .noTest, of: .processor))
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason == "of 2 hazards 1 depend on the processor and 0 depend on the system, 0 of these shown by "
                + "tests; there is nothing for aarch64, where nothing was run; that hazards are "
                + "mastered is said of this library alone: 1 by tests "
                + "that passed, 0 failed, 0 not run here, 1 without a test; "
                + "that others gave up is history, which no run can "
                + "judge")
        #expect(verdict.measured.contains { $0.name == Figure.hazards(of: .processor).name && $0.median == 1 })
    }

    @Test func masteredHazardsThatDependOnNeitherRefuteIt() {
        #expect(verdict(hazard("a", .passed, of: nil), other()).verdict == .refuted)
        // What becomes of them is not what is judged.
        #expect(verdict(hazard("a", .failed, of: nil), other()).verdict == .refuted)
    }

    @Test(arguments: [Portability.Outcome.noTest, .notRun])
    func hazardsThatNoTestShowedAreOnlySaid(outcome: Portability.Outcome) {
        #expect(verdict(hazard("a", outcome), other()).verdict == .notMeasurable)
    }

    @Test func withoutHazardsItIsNotMeasurable() { #expect(verdict().verdict == .notMeasurable) }

    @Test func theTableHasHazardsOfBoth() {
        let all = HazardTable.all.flatMap(\.hazards)
        for dependence in Dependence.allCases { #expect(all.contains { $0.dependsOn == dependence }) }
        #expect(all.contains { $0.dependsOn == nil })
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
