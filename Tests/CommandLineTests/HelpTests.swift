import Foundation
import Testing

struct HelpTests {
    /// The expected texts are files, written by `COLUMNS=80 faultline … --help`.
    private static func expected(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "Expected/\(name).txt"), encoding: .utf8)
    }

    @Test(arguments: [
        ("help", ["--help"]), ("help", []), ("help", ["help"]), ("run-help", ["run", "--help"]),
        ("run-help", ["help", "run"]), ("stats-help", ["stats", "--help"]), ("plan-help", ["plan", "--help"]),
        ("bench-help", ["bench", "--help"]),
        ("faults-help", ["faults", "--help"]),
        ("reproduce-help", ["reproduce", "--help"]), ("claims-help", ["claims", "--help"]),
        ("report-help", ["report", "--help"]), ("show-help", ["show", "--help"]), ("go-help", ["go"]),
        ("go-census-help", ["go", "census", "--help"]),
        ("go-stack-help", ["go", "stack", "--help"]),
        ("go-strip-help", ["go", "strip", "--help"]), ("go-compare-help", ["go", "compare", "--help"]),
        ("go-toolchain-help", ["go", "toolchain", "--help"]), ("go-life-help", ["go", "life", "--help"]),
        ("version", ["--version"]),
    ])
    func `help is what it should be`(name: String, arguments: [String]) throws {
        let ending = try Program.run(arguments)
        #expect(ending.output == (try Self.expected(name)))
        #expect(ending.errors == "")
        #expect(ending.status == 0)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `a completion script knows the commands, the workloads and the strategies`(shell: String) throws {
        let ending = try Program.run(["--generate-completion-script", shell])
        #expect(ending.status == 0)
        #expect(ending.errors == "")
        for word in ["run", "stats", "faults", "nqueens", "check-segment", "lost-signal"] {
            #expect(ending.output.contains(word), "\(word)")
        }
    }

    @Test func `no line of a help text is wider than 80 columns`() throws {
        let commands = [
            "run", "stats", "faults", "reproduce", "claims", "report", "go", "go strip", "go compare",
            "go toolchain", "go life", "plan", "bench", "show",
        ]
        for command in commands {
            for line in try Program.run(command.split(separator: " ").map(String.init) + ["--help"]).output.split(
                separator: "\n")
            {
                #expect(line.count <= 80, "\(line)")
            }
        }
    }
}
