import Experiments
import Foundation
import Report
import Testing

@testable import Claims

@Suite("portability") struct PortabilityTests {
    private func hazard(
        _ name: String, _ outcome: Portability.Outcome, of dependence: Dependence? = .system,
        on processor: String = "x86_64", system: String = "Linux 6.18"
    ) -> Record {
        var parameters: [ParameterName: ParameterValue] = [
            .outcome: .string(outcome.rawValue), .processor: .string(processor), .system: .string(system),
        ]
        parameters[.dependsOn] = dependence.map { .string($0.rawValue) }
        return Portability().record(name, .tested, exactly: outcome == .noTest ? 0 : 1, parameters)
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Portability().verdict(on: records) }

    @Test func aHazardThatComesOutDifferentlyOnAnotherMachineConfirmsIt() {
        let processors = verdict(hazard("a", .passed), hazard("a", .failed, on: "aarch64"), hazard("b", .passed))
        #expect(processors.verdict == .confirmed)
        #expect(
            processors.reason.hasPrefix(
                "of 1 hazards that were run on several machines 1 came out differently (a) (aarch64, "
                    + "Linux 6.18; x86_64, "
                    + "Linux 6.18); of 3 hazards we count 0 as those of the processor and 3 as those "
                    + "of the system; that"
            ))
        // Whatever we say that it is a hazard of.
        let systems = verdict(hazard("a", .passed, of: nil), hazard("a", .failed, of: nil, system: "Linux 5.15"))
        #expect(systems.verdict == .confirmed)
    }

    @Test func theSameOutcomeEverywhereRefutesIt() {
        #expect(verdict(hazard("a", .passed), hazard("a", .passed, on: "aarch64")).verdict == .refuted)
        #expect(verdict(hazard("a", .failed), hazard("a", .failed, system: "Linux 5.15")).verdict == .refuted)
    }

    @Test func oneMachineDecidesNothingWhateverHazardsAreCalled() {
        let verdict = verdict(hazard("a", .passed, of: .processor), hazard("b", .failed), hazard("c", .noTest, of: nil))
        #expect(verdict.verdict == .notMeasurable)
        #expect(
            verdict.reason
                == "on one processor and system nothing can be seen to depend on them (x86_64, Linux "
                + "6.18); of 3 hazards "
                + "we count 1 as those of the processor and 1 as those of the system; there is nothing "
                + "for aarch64, where "
                + "nothing was run; that hazards are mastered is said of this library alone: 1 by tests that passed, 1 "
                + "failed, 0 not run here, 1 without a test; that others gave up is history, which no run can judge")
        #expect(verdict.measured.contains { $0.name == Figure.hazards(of: .processor).name && $0.median == 1 })
    }

    @Test(arguments: [Portability.Outcome.noTest, .notRun])
    func whatWasNotRunOnTheOtherMachineSaysNothing(outcome: Portability.Outcome) {
        #expect(verdict(hazard("a", .passed), hazard("a", outcome, on: "aarch64")).verdict == .notMeasurable)
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
