// What the scripts say when they cannot do what they are asked: one line, before anything is built or measured.

import Foundation
import Testing

struct ScriptTests {
    /// The repository, from where this file was compiled.
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts").path

    @Test(
        arguments: [
            (
                ["reproduce", "--bogus"], 64,
                "scripts/reproduce: unknown option '--bogus'; see scripts/reproduce --help"
            ),
            (["reproduce", "--out"], 64, "scripts/reproduce: --out needs a value; see scripts/reproduce --help"),
            (["reproduce", "--seed"], 64, "scripts/reproduce: --seed needs a value; see scripts/reproduce --help"),
            (
                ["reproduce", "--out", "/dev/null"], 1,
                "scripts/reproduce: cannot write to '/dev/null'; name another folder with --out"
            ),
            (["plot"], 64, "scripts/plot: name one folder of results: scripts/plot FOLDER"),
            (["publish"], 64, "scripts/publish: name one folder of results: scripts/publish FOLDER"),
            (
                ["publish", "/nonexistent"], 1,
                "scripts/publish: '/nonexistent' has no report; run scripts/reproduce --out '/nonexistent'"
            ),
            (["plot", "a", "b"], 64, "scripts/plot: name one folder of results: scripts/plot FOLDER"),
            (
                ["plot", "/nonexistent"], 1,
                "scripts/plot: '/nonexistent' has no records.json; name a folder that 'faultline reproduce --out' wrote"
            ),
        ] as [([String], Int32, String)])
    func `wrong usage gets one line`(words: [String], status: Int32, line: String) throws {
        let ending = try Program.shell(
            "s=$1; shift; exec \"$s/\(words[0])\" \"$@\"", [Self.scripts] + words.dropFirst())
        #expect(ending.errors == line + "\n")
        #expect(ending.output == "")
        #expect(ending.status == status)
    }

    @Test func `without Python there are no plots, which one line says`() throws {
        let scratch = try TemporaryFolder()
        _ = try scratch.file("records.json", holding: "{}")
        let tools = scratch.file("bin")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: false)
        for tool in ["bash", "dirname", "sha256sum", "cut", "id"] {
            let found = ["/usr/bin", "/bin"].first { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
            let path = "\(try #require(found))/\(tool)"
            try FileManager.default.createSymbolicLink(atPath: "\(tools)/\(tool)", withDestinationPath: path)
        }
        let folder = scratch.file("records.json").dropLast("/records.json".count)
        let ending = try Program.shell(
            "export PATH=\"$2\" XDG_CACHE_HOME=\"$2\"; exec \"$1/plot\" \"$3\"", [Self.scripts, tools, String(folder)])
        #expect(
            ending.errors
                == "scripts/plot: no plots: python3 with venv and pip is missing: apt-get install python3-venv\n")
        #expect(ending.status == 1)
    }

    @Test(arguments: [
        ("{ \"command\" : \"faultline reproduce x --quick\" }", "holds a quick run; publish a full one"),
        ("[ \"not finished: x\" ]", "holds a run that was interrupted; publish a complete one"),
    ])
    func `neither a quick nor an interrupted run is published`(records: String, line: String) throws {
        let scratch = try TemporaryFolder()
        _ = try scratch.file("records.json", holding: records)
        _ = try scratch.file("report.md", holding: "")
        try FileManager.default.createDirectory(atPath: scratch.file("plots"), withIntermediateDirectories: false)
        _ = try scratch.file("plots/a.svg", holding: "<svg/>")
        let folder = String(scratch.file("plots").dropLast("/plots".count))
        let ending = try Program.shell("exec \"$1/publish\" \"$2\"", [Self.scripts, folder])
        #expect(ending.errors == "scripts/publish: '\(folder)' \(line)\n")
        #expect(ending.status == 1)
    }
}
