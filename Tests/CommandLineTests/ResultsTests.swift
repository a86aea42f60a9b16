// What `reproduce --out` leaves behind, and `report`.

import Foundation
import Report
import TestNeeds
import Testing

struct ResultsTests {
    /// Runs a claim without its peers, which takes less than a second.
    ///
    /// - Parameter limits: Shell commands that come first.
    private static func reproduce(_ folder: String, _ limits: String = "true") throws -> Program {
        try Program.shell(
            "\(limits) && PATH=/nonexistent XDG_CACHE_HOME=/dev/null exec \"$0\" \"$@\"",
            ["reproduce", "trap-cost", "--quick", "--out", folder])
    }

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test func `a folder gets records and reports, standard output the verdicts alone`() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.file("new/results")
        let ending = try Self.reproduce(folder)
        #expect(ending.errors == "")
        #expect(ending.status == 0)
        #expect(ending.output.hasPrefix("claim "))
        #expect(ending.output.contains("\ntrap-cost "))
        #expect(!ending.output.contains("machine:"))
        #expect(try Self.names(in: folder) == ["claims", "records.json", "report.html", "report.md"])
        let document = try Document(json: try String(contentsOfFile: "\(folder)/records.json", encoding: .utf8))
        #expect(document.verdicts?.map(\.claim) == ["trap-cost"])
        #expect(document.verdicts?.first?.command == "faultline reproduce trap-cost --quick")
        #expect(document.claims?.map(\.claim) == ["trap-cost"])
        #expect(!document.records.isEmpty)
    }

    @Test func `an interrupted run keeps what is finished and names what is missing`() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.file("results")
        let claims = ["trap-cost", "address-space"]
        let ending = try Program.run(["reproduce", "--quick", "--out", folder] + claims) { process in
            // It is there as soon as the first claim is finished.
            try waitUntil("the first claim is finished") {
                !process.isRunning || FileManager.default.fileExists(atPath: "\(folder)/records.json")
            }
            process.interrupt()
        }
        let document = try Document(json: try String(contentsOfFile: "\(folder)/records.json", encoding: .utf8))
        let finished = try #require(document.verdicts).map(\.claim)
        #expect(finished.count == 1)
        let missing = claims.filter { !finished.contains($0) }.joined(separator: ", ")
        #expect(ending.errors == "error: interrupted; not finished: \(missing)\n")
        #expect(ending.status == 130)
        #expect(ending.output.contains("\n\(finished[0]) "))
        #expect(document.notes.contains("not finished: \(missing)"))
        #expect(Set(document.records.map(\.suite)) == Set(finished))
        let report = try String(contentsOfFile: "\(folder)/report.md", encoding: .utf8)
        #expect(report.contains("**Warning:** not finished: \(missing)\n"))

        for (options, remedy) in [(["--quick", "--seed", "7"], "say --seed 1"), ([], "say --quick")] {
            let refused = try Program.run(["reproduce", "--continue", "--out", folder] + options)
            #expect(refused.status == 1 && refused.errors.hasSuffix("; \(remedy)\n") && refused.output.isEmpty)
        }
        let rest = try Program.run(["reproduce", "--quick", "--continue", "--out", folder])
        #expect(rest.status == 0 && rest.errors == "")
        let whole = try Document(json: try String(contentsOfFile: "\(folder)/records.json", encoding: .utf8))
        #expect(whole.verdicts?.map(\.claim) == claims && whole.claims?.map(\.claim) == claims)
        #expect(whole.began == document.began && whole.records.starts(with: document.records))
        #expect(whole.notes.contains { $0.hasPrefix("it went on at ") && $0.hasSuffix(", with \(missing)") })
        #expect(!whole.notes.contains { $0.hasPrefix("not finished") })
        let nothing = try Program.run(["reproduce", "--quick", "--continue", "--out", folder])
        #expect(
            nothing.errors
                == "error: '\(folder)' is complete; name the claims that are to be measured anew\n")
        #expect(nothing.status == 1)

        // A claim that is named is measured anew, and the others stay.
        let again = try Program.run(["reproduce", "--quick", "--continue", "--out", folder, claims[1]])
        #expect(again.status == 0 && again.errors == "")
        let both = try Document(json: try String(contentsOfFile: "\(folder)/records.json", encoding: .utf8))
        #expect(both.verdicts?.map(\.claim) == claims)
        #expect(both.notes.contains { $0.hasSuffix(", with \(claims[1])") })
        let kept = { (document: Document) in document.records.filter { $0.suite == claims[0] } }
        #expect(!kept(both).isEmpty && kept(both) == kept(whole))
    }

    @Test(arguments: ["/dev/null", "/proc/results"])
    func `a folder that cannot be written is named before anything is measured`(folder: String) throws {
        let start = ContinuousClock.now
        let ending = try Program.run(["reproduce", "--full", "--out", folder])
        // The full run takes many minutes.
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(ending.errors.hasPrefix("error: cannot write to '\(folder)': "))
        #expect(ending.errors.split(separator: "\n").count == 1)
        #expect(ending.output == "")
        #expect(ending.status == 1)
    }

    /// A limit on the size of files fails as a full disk does: part of a file is written, then nothing.
    @Test func `a full disk is one line, and the former results stay`() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.file("results")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["records.json", "report.html"] {
            try "former".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        let ending = try Self.reproduce(folder, "ulimit -f 2")
        #expect(
            ending.errors
                == "error: cannot write to '\(folder)/records.json': File too large; choose another folder or make "
                + "room\n"
        )
        #expect(ending.status == 1)
        #expect(ending.output == "")
        #expect(try Self.names(in: folder) == ["records.json", "report.html"])
        for name in ["records.json", "report.html"] {
            #expect(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) == "former")
        }
    }

    @Test func `report writes the pages again, with the plots that are there by then`() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.file("results")
        try FileManager.default.createDirectory(atPath: "\(folder)/plots", withIntermediateDirectories: true)
        let verdict = ClaimVerdict(
            claim: "trap-cost", saidBy: "a test", statement: "Traps cost.", verdict: .depends, claimed: [],
            measured: [], reason: "it depends")
        try Document(machine: .current(), records: [], verdicts: [verdict]).json()
            .write(toFile: "\(folder)/records.json", atomically: false, encoding: .utf8)
        try "<svg><dc:title>Parts</dc:title></svg>".write(
            toFile: "\(folder)/plots/trap-cost.svg", atomically: false, encoding: .utf8)
        let ending = try Program.run(["report", folder])
        #expect(ending.errors == "")
        #expect(ending.output == "")
        #expect(ending.status == 0)
        let page = try String(contentsOfFile: "\(folder)/report.html", encoding: .utf8)
        #expect(page.contains("<img alt=\"Parts\" src=\"data:"))
        let text = try String(contentsOfFile: "\(folder)/report.md", encoding: .utf8)
        let claim = try String(contentsOfFile: "\(folder)/claims/trap-cost.md", encoding: .utf8)
        #expect(claim.contains("![Parts](../plots/trap-cost.svg)"))
        #expect(text.hasPrefix("# Should Go replace its stack checks by page faults?\n"))
        #expect(text.contains("2. **The gain.** Not measured in this run.\n"))
    }

    /// The same run twice is one that agrees with itself; a run of another machine has its facts beside.
    @Test func `report makes one of several runs`() throws {
        let scratch = try TemporaryFolder()
        let (first, second) = (scratch.file("monday"), scratch.file("tuesday"))
        #expect(try Self.reproduce(first).status == 0)
        try FileManager.default.copyItem(atPath: first, toPath: second)
        let file = "\(second)/records.json"
        var other = try Document(json: try String(contentsOfFile: file, encoding: .utf8))
        other.machine.processorModel = "Another Processor"
        try other.json().write(toFile: file, atomically: true, encoding: .utf8)
        let both = scratch.file("both")
        let ending = try Program.run(["report", first, second, "--out", both])
        #expect(ending.errors == "" && ending.output == "" && ending.status == 0)
        #expect(try Self.names(in: both) == ["claims", "records.json", "report.html", "report.md"])
        let document = try Document(json: try String(contentsOfFile: "\(both)/records.json", encoding: .utf8))
        #expect(document.runs?.map(\.name) == ["monday", "tuesday"])
        #expect(document.runs?.last?.machine.processorModel == "Another Processor")
        #expect(document.verdicts?.map(\.verdict) == other.verdicts?.map(\.verdict))
        #expect(document.records.count == other.records.count)
        #expect(document.records.allSatisfy { $0.parameters[.runs] == 2 })
    }

    @Test(arguments: [
        (["report", "a", "b"], "several runs need a folder for their report: add --out FOLDER"),
        (["report", "a", "--out", "b"], "one folder is written again where it is: leave --out away"),
        (["report", "x/a", "y/a", "--out", "b"], "two runs have one name: name each folder once, and otherwise"),
    ])
    func `reports of several runs say where they go and what their runs are called`(
        arguments: [String], line: String
    ) throws {
        let ending = try Program.run(arguments)
        #expect(ending.errors.hasPrefix("error: \(line)") && ending.errors.split(separator: "\n").count == 1)
        #expect(ending.output == "" && ending.status == 64)
    }

    @Test func `report names a folder without records`() throws {
        let ending = try Program.run(["report", "/nonexistent"])
        #expect(
            ending.errors == "error: cannot read '/nonexistent/records.json'; name a folder that 'faultline reproduce "
                + "--out' wrote\n")
        #expect(ending.status == 1)
    }
}
