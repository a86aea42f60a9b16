// A Go whose linker makes checks probes: the script calls what it should and leaves nothing that was not patched; what
// is built grows its stacks by faults.

import Experiments
import Glibc
import Peers
import Processes
import TestNeeds
import Testing
import Workloads

@testable import GoBinary

@Suite("A Go whose programs have probes") struct ProbingLinkerTests {
    /// The script with a linker that writes its arguments and `linked`, and a patcher that puts `patched` in its place.
    private struct Stage {
        let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            let tools = "\(folder.path)/pkg/tool/linux_amd64"
            try #require(Files.makeFolder(tools) && Files.makeFolder("\(folder.path)/probes"))
            try Files.write(ProbingLinker(patcher: "/bin/sh").script.utf8, to: "\(tools)/link")
            try Files.write(
                """
                #!/bin/sh
                case $1 in -V*) echo "link version go1.27.3"; exit ;; esac
                echo "linking $*"
                if [ -n "$WRITTEN" ]; then echo linked >"$WRITTEN"; fi
                if [ -n "$STATUS" ]; then echo "not linked" >&2; exit "$STATUS"; fi

                """.utf8, to: "\(folder.path)/probes/link")
            try Files.write(
                """
                #!/bin/sh
                [ "$1 $2 $3 $4 $5" = "go strip --growth fault --output" ] || exit 64
                if [ -n "$REASON" ]; then echo "$REASON" >&2; exit 1; fi
                echo "what was done"
                [ "$(cat "$7")" = linked ] && echo patched >"$6"

                """.utf8, to: "\(folder.path)/probes/faultline")
            for file in ["pkg/tool/linux_amd64/link", "probes/link", "probes/faultline"] {
                chmod("\(folder.path)/\(file)", 0o755)
            }
        }

        /// Links in the folder.
        func link(_ arguments: [String], _ variables: [String: String]) throws -> Subprocess.Finished {
            try Subprocess.finish(
                "/bin/sh",
                ["-c", "cd \"$0\" && exec \"$@\"", folder.path, "\(folder.path)/pkg/tool/linux_amd64/link"] + arguments,
                environment: Spawn.environment(changing: variables), seconds: 60)
        }

        func content(_ file: String) -> String? {
            (try? Files.read("\(folder.path)/\(file)")).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test(arguments: [
        (["-o", "program", "-buildmode=exe", "main.a"], "program"), (["-s", "-o=program", "main.a"], "program"),
        (["--o", "a program", "main.a"], "a program"), (["-o", "other", "-o", "-program", "main.a"], "-program"),
        (["-X", "main.o=other", "main.a"], "a.out"), (["-extldflags", "-o other", "main.a"], "a.out"),
        (["-o", "program", "-X", "main.usage=a\n-o\nother\n-o=other", "main.a"], "program"),
    ]) func whatWasLinkedIsPatched(_ arguments: [String], _ output: String) throws {
        let stage = try Stage()
        let linked = try stage.link(arguments, ["WRITTEN": output])
        #expect(linked.ending == .exited(0) && linked.errors == "", "\(linked)")
        #expect(linked.output == "linking \(arguments.joined(separator: " "))\n")
        #expect(stage.content(output) == "patched\n")
        #expect(try Files.names(in: stage.folder.path, suffix: ".probes").isEmpty)
    }

    /// As `go` writes them where they are too long: since 1.27 as a shell reads them, before with backslashes alone.
    @Test(arguments: [
        (#""a \"program\"""#, #"a "program""#), (#"a \\program"#, #"a \program"#), ("program", "program"),
    ])
    func argumentsAreReadFromAFile(_ line: String, _ output: String) throws {
        let stage = try Stage()
        try Files.write("-o\n\(line)\n-s\nmain.a\n".utf8, to: "\(stage.folder.path)/arguments")
        let linked = try stage.link(["@arguments"], ["WRITTEN": output])
        #expect(linked.ending == .exited(0) && linked.output == "linking @arguments\n", "\(linked)")
        #expect(stage.content(output) == "patched\n")
    }

    @Test func theVersionTellsWhichProbes() throws {
        let stage = try Stage()
        let identity = try #require(
            ProbingLinker(patcher: "/bin/sh").script.firstMatch(of: /probes-([0-9a-f]{32})/)?.1)
        let answer = try stage.link(["-V=full"], [:])
        #expect(answer.ending == .exited(0) && answer.output == "link version go1.27.3 probes-\(identity)\n")
        let other = try stage.folder.executable([1], "faultline")
        #expect(!ProbingLinker(patcher: other).script.contains(identity))
    }

    @Test func aFailureOfTheLinkerIsItsOwn() throws {
        let stage = try Stage()
        let linked = try stage.link(["-o", "program"], ["WRITTEN": "program", "STATUS": "2"])
        #expect(linked.ending == .exited(2) && linked.errors == "not linked\n")
        #expect(stage.content("program") == "linked\n")
    }

    @Test func whatCannotBePatchedIsNoOutput() throws {
        let stage = try Stage()
        let linked = try stage.link(["-o", "program"], ["WRITTEN": "program", "REASON": "no Go executable"])
        #expect(linked.ending == .exited(1) && linked.errors == "no Go executable\n", "\(linked)")
        #expect(stage.content("program") == nil && stage.content("program.probes") == nil)
    }

    /// A pipe stands for /dev/null.
    @Test func aDeviceIsNotRemoved() throws {
        let stage = try Stage()
        let pipe = "\(stage.folder.path)/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        let linked = try stage.link(["-o", pipe], ["REASON": "no Go executable"])
        #expect(linked.ending == .exited(1) && access(pipe, F_OK) == 0)
    }

    /// Builds `exercise` with a Go whose programs have probes.
    private func expectToGrowByFaults(
        _ go: GoInstallation, _ toolchain: UncheckedToolchain, _ mode: GoInstallation.Mode
    ) throws {
        let original = try go.program(mode)
        let folder = try GoInstallation.program(mode, by: toolchain)
        let program = "\(folder.path)/program"
        for work in [["work"], ["assembly"], ["ignored"]] {
            let expected = try run(original, work)
            let found = try run(program, work, [GrowthStatistics.variable.name: "1"])
            #expect(found.ending == .exited(0) && found.output == expected.output, "\(found)")
            let counts = try #require(GrowthStatistics(found.errors))
            if work == ["work"] { #expect(counts.probeFaults > 1000 && counts.growths > 1000) }
        }
        guard toolchain.hasOwnCompiler else { return }
        let wanted = try probes(GoExecutable(try content(original)))
        let compiled = try GoExecutable(try content(program)).functions.reduce(into: [String: Set<Int>]()) {
            if let depth = $1.check?.probeDepth { $0[Self.name($1.function), default: []].insert(depth) }
        }
        let different = Set(wanted.keys).union(compiled.keys).filter { wanted[$0] != compiled[$0] }
        #expect(different.isEmpty && wanted.count > 400, "\(different.sorted())")
    }

    /// What C calls has the folder of its build in its name.
    private static func name(_ function: GoFunction) -> String {
        function.name.replacing(/^_cgoexp_[0-9a-f]+_/, with: "_cgoexp_")
    }

    /// How deep the probes of a patched copy are, by the names of their functions: what a compiler must emit.
    private func probes(_ program: GoExecutable) throws -> [String: Set<Int>] {
        let left = Set(try program.stripped(StripOptions(growth: .fault)).left.map(\.function))
        var depths: [String: Set<Int>] = [:]
        for case (let function, let check?) in program.functions.map({ ($0.function, $0.check) })
        where !left.contains(function.name) && Editor.replacedFunctions[function.name] == nil {
            let hot = program.code(of: function).dropFirst(Int(check.address - function.address))
            depths[Self.name(function), default: []].insert(
                try #require(StackCheck.Pattern(hot, at: hot.startIndex)?.depth(hot)))
        }
        return depths
    }

    /// Runs `go` in a folder with a module that prints how deep it got, and tests that.
    private func go(_ toolchain: UncheckedToolchain, _ arguments: [String], usesC: Bool = false) throws
        -> Subprocess.Finished
    {
        let folder = try TemporaryFolder()
        let module = [
            "go.mod": "module deep\n\ngo 1.19\n",
            "main.go": """
            package main

            \(usesC ? "import \"C\"" : "")

            func deep(n int) int {
            \tvar local [100]int
            \tlocal[n%100] = n
            \tif n > 0 {
            \t\treturn deep(n-1) + local[0]/1000 + 1
            \t}
            \treturn 0
            }

            func main() { println(deep(1000)) }

            """,
            "main_test.go": """
            package main

            import "testing"

            func TestDeep(t *testing.T) {
            \tif deep(500) < 500 {
            \t\tt.Fatal("too few")
            \t}
            }

            """,
        ]
        for (name, text) in module { try Files.write(text.utf8, to: "\(folder.path)/\(name)") }
        let finished = try Subprocess.finish(
            "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", folder.path, toolchain.command] + arguments,
            environment: GoInstallation.environment(
                usesC: usesC, changing: ["GO111MODULE": "on", GrowthStatistics.variable.name: "1"]), seconds: 300)
        #expect(finished.ending == .exited(0) || !Files.isExecutable("\(folder.path)/out"))
        return finished
    }

    @Test(.needs(GoInstallation.newest.need)) func programsOfTheNewestVersionGrowByFaults() throws {
        let newest = GoInstallation.newest
        let folder = try TemporaryFolder()
        let toolchain = try newest.probing(in: folder)
        try expectToGrowByFaults(newest, toolchain, .plain)
        let running = try go(toolchain, ["run", "."])
        #expect(running.ending == .exited(0) && running.errors.hasPrefix("1001\n"), "\(running)")
        #expect(try #require(GrowthStatistics(running.errors)).probeFaults >= 5)
        // The same is taken again; with another patcher it is another.
        _ = try newest.probing(in: folder)
        #expect(throws: ProcessError.self) {
            try UncheckedToolchain(
                of: try #require(GoToolchain(at: newest.command)), ToolchainOptions(checks: .probe),
                at: toolchain.root, patcher: "/bin/sh"
            ) { _ in }
        }
        let own = "\(folder.path)/go/probes/faultline"
        try #require(unlink(own) == 0)
        try Files.write("#!/bin/sh\necho 'it is not understood' >&2\nexit 1\n".utf8, to: own)
        chmod(own, 0o755)
        let refused = try go(toolchain, ["build", "-o", "out", "."])
        #expect(refused.ending == .exited(1) && refused.errors.contains("it is not understood\n"), "\(refused)")
    }

    @Test(.onDemand, arguments: GoInstallation.all) func programsOfEveryVersionGrowByFaults(_ version: GoInstallation)
        throws
    {
        let folder = try TemporaryFolder()
        let toolchain = try version.probing(in: folder)
        for mode in [GoInstallation.Mode.plain, .small, .pie, .cgo, .cgoPie, .withoutNote] {
            try expectToGrowByFaults(version, toolchain, mode)
        }
        let tested = try go(toolchain, ["test", "-v", "."])
        #expect(tested.ending == .exited(0) && tested.output.contains("--- PASS: TestDeep"), "\(tested)")
        #expect(try #require(GrowthStatistics(tested.output)).probeFaults >= 4)
    }

    /// What is no executable, or knows its stacks by itself.
    @Test(.onDemand, .needs(GoInstallation.newest.need)) func whatIsNoSuchProgramIsNotBuilt() throws {
        let folder = try TemporaryFolder()
        let toolchain = try GoInstallation.newest.probing(in: folder)
        for (flag, reason) in [
            ("-buildmode=c-archive", "not an ELF executable"),
            ("-buildmode=c-shared", "built with -buildmode=c-shared; only executables are understood"),
            ("-buildmode=plugin", "built with -buildmode=plugin; only executables are understood"),
            ("-race", "built with -race, whose own code knows the stacks; build it without"),
            (
                "-gcflags=all=-N -l",
                "one that was compiled without inlining (-gcflags=all=-l) is not understood; nothing was written"
            ),
        ] {
            let refused = try go(toolchain, ["build", flag, "-o", "out", "."], usesC: true)
            let lines = refused.errors.split(separator: "\n").filter { !$0.hasPrefix("#") }
            #expect(refused.ending == .exited(1) && lines.count == 1, "\(refused)")
            #expect(lines.first?.hasSuffix(reason) == true, "\(refused)")
        }
    }
}
