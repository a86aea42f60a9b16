import Foundation
import Peers
import Report
import TestNeeds
import Testing

/// `faultline go` on a small program that a real Go builds.
@Suite(.needs(.go)) struct GoTests {
    private static let program = Result { try #require(GoToolchain.installed().first).program(.growth).path }

    /// The program ends at once when it is asked nothing.
    private func program() throws -> String { try Self.program.get() }

    @Test func `a census counts every function once, as table and as records`() throws {
        let table = try Program.run(["go", "census", try program(), "--frames", "3"])
        #expect(table.status == 0 && table.errors == "")
        #expect(table.output.contains("small frame") && table.output.contains("runtime.call1073741824"))
        let json = try Program.run(["go", "census", try program(), "--format", "json"])
        let document = try Document(json: json.output)
        func value(_ name: String, _ metric: String) throws -> Double {
            try #require(document.records.first { $0.name == name && $0.metric == metric }).median
        }
        let parts = try ["small", "medium", "large"].map { try value($0, "functions") }
        #expect(try value("all", "functions") == parts.reduce(0, +))
        #expect(parts.allSatisfy { $0 > 0 })
        #expect(try value("small", "hot-instructions") == 2)
    }

    @Test func `a copy without checks runs, and says what was done`() throws {
        let folder = try TemporaryFolder()
        let copy = folder.file("copy")
        let stripped = try Program.run(["go", "strip", try program(), "-o", copy, "--initial", "64KiB"])
        #expect(stripped.status == 0 && stripped.errors == "")
        #expect(stripped.output.hasPrefix("\(copy): ") && stripped.output.contains("stacks of 64KiB"))
        #expect(stripped.output.contains("left: "))
        #expect(try Program.shell("\"$1\" </dev/null", [copy]).status == 0)
        let again = try Program.run(["go", "strip", copy, "-o", folder.file("second")])
        #expect(again.status == 1 && again.output == "")
        #expect(
            again.errors.hasSuffix(
                "its checks are gone already: it was made by 'faultline go strip'; nothing was written\n"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("second")))
    }

    @Test func `what is no Go executable is refused in one line, and nothing is written`() throws {
        let folder = try TemporaryFolder()
        let text = try folder.file("text", holding: "no program\n")
        let cases: [([String], Int32, String)] = [
            (["census", text], 1, "'\(text)': not an ELF executable"),
            (
                ["census", "/bin/true"], 1,
                "'/bin/true': not built by Go, or packed: there is no build information in it"
            ),
            (["census", "/nonexistent"], 1, "cannot read '/nonexistent'; name a Go executable"),
            (["census"], 64, "Missing expected argument '<binary> ...'; see 'faultline go census --help'"),
            (["census", text, "--frames", "2000"], 64, "--frames 2000 is out of range: 0 to 1000"),
            (
                ["strip", text, "-o", folder.file("out")], 1, "'\(text)': not an ELF executable"
            ),
            (["strip", text], 64, "Missing expected argument '--output <file>'; see 'faultline go strip --help'"),
            (
                ["strip", try program(), "-o", folder.file("out"), "--initial", "100KiB"], 64,
                "--initial 100KiB is out of range: powers of two from 64KiB to 1GiB"
            ),
            (
                ["strip", try program(), "-o", try program()], 64,
                "-o '\(try program())' is the program itself; name another file"
            ),
            (
                ["strip", try program(), "-o", "/nonexistent/out"], 1,
                "cannot write '/nonexistent/out': No such file or directory; name another file"
            ),
            (["compare", text], 1, "'\(text)': not an ELF executable"),
            (["compare", text, "--rounds", "2"], 64, "--rounds 2 is out of range: 3 to 10000"),
            (
                ["compare", text, "--layouts", "4"], 64,
                "--layouts needs the folder of a main package, and '\(text)' is none"
            ),
            (
                ["compare", folder.file("")], 64,
                "'\(folder.file(""))' is a folder; name an executable, or say --layouts to build the package in it"
            ),
            (["nope"], 64, "Unexpected argument 'nope'; see 'faultline go --help'"),
        ]
        for (arguments, status, message) in cases {
            let ending = try Program.run(["go"] + arguments)
            #expect(ending.errors == "error: \(message)\n", "\(arguments)")
            #expect(ending.status == status && ending.output == "", "\(arguments)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    }

    @Test func `a comparison has every variant and metric, and a noise floor`() throws {
        let table = try Program.run(["go", "compare", try program(), "--rounds", "3"])
        #expect(table.status == 0 && table.errors == "")
        for word in ["processor time", "peak memory", "page faults", "by checks", "noise"] {
            #expect(table.output.contains(word), "\(word)")
        }
        let json = try Program.run(["go", "compare", try program(), "--rounds", "3", "--format", "json"])
        try #require(json.status == 0, "\(json.errors)")
        let records = try Document(json: json.output).records
        for name in ["original", "original again", "equal checks", "patched"] {
            for metric in ["processor-time", "elapsed-time", "peak-memory", "page-faults"] {
                #expect(
                    records.contains { $0.name == name && $0.metric == metric && $0.samples == 3 }, "\(name) \(metric)")
            }
        }
        // Idle threads of Go spin, so that counts of a program that does nothing differ from run to run.
        let counted = records.filter { $0.metric == "instructions" }
        #expect(counted.map(\.name) == ["original", "equal checks", "patched"])
        #expect(counted.allSatisfy { $0.median > 100_000 })
    }

    @Test func `a comparison without the control leaves it out`() throws {
        let json = try Program.run(["go", "compare", try program(), "--no-null", "--rounds", "3", "--format", "json"])
        try #require(json.status == 0, "\(json.errors)")
        #expect(try Document(json: json.output).records.allSatisfy { $0.name != "equal checks" })
    }

    @Test func `a program that hangs is ended`() throws {
        // The shell's own input would keep it waiting; with a request that is never answered in time it computes.
        let ending = try Program.run(["go", "compare", try program(), "--seconds", "0.0001", "--rounds", "3"])
        #expect(ending.status == 1 && ending.output == "")
        #expect(ending.errors.contains("did not end within 0.0001 s; give it less to do or raise --seconds"))
    }
}
