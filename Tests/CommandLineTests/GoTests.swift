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

    @Test func `the stack of a program and of a function is told, as table and as records`() throws {
        let table = try Program.run(["go", "stack", try program(), "--list", "3"])
        #expect(table.status == 0 && table.errors == "")
        for word in ["bounded", "for recursion", "for indirect calls", "deepest of the bounded"] {
            #expect(table.output.contains(word), "\(word)")
        }
        let leaf = try Program.run(["go", "stack", try program(), "unicode/utf8.DecodeRune"])
        #expect(leaf.output.hasPrefix("unicode/utf8.DecodeRune: at most "))
        let main = try Program.run(["go", "stack", try program(), "main.main"])
        #expect(main.output.hasPrefix("main.main: no bound (recursion, ") && main.output.contains("on another stack: "))
        let json = try Program.run(["go", "stack", try program(), "main.main", "--format", "json"])
        let records = try Document(json: json.output).records
        let need = try #require(records.first { $0.metric == "stack-need" && $0.name == "main.main" })
        let depths = records.filter { $0.metric == "entry-depth" }.map(\.median)
        #expect(depths.first == 0 && depths.last! <= need.median && depths == depths.sorted())
    }

    @Test func `a call is followed beside its bounds`() throws {
        let table = try Program.run(["go", "stack", "--follow", "--seconds", "300", try program(), "main.main"])
        #expect(table.errors == "" || table.errors.contains("ptrace is refused"))
        guard table.errors == "" else { return }
        #expect(table.status == 0 && table.output.contains(" instructions were followed, "))
        #expect(table.output.contains(" of them have a bound: 0 exceeded it, "))
        let json = try Program.run([
            "go", "stack", "--follow", "--seconds", "300", "--format", "json", try program(), "main.main",
        ])
        let records = try Document(json: json.output).records
        let calls = records.filter { $0.metric == "deepest-call" }
        #expect(calls.count > 20 && records.count == 2 * calls.count)
        for call in calls {
            let need = try #require(records.first { $0.name == call.name && $0.metric == "stack-need" })
            if need.parameters[ParameterName("bounded")] == .bool(true) {
                #expect(call.median <= need.median, "\(call.name)")
            }
        }
    }

    @Test func `a copy without checks runs, and says what was done`() throws {
        let folder = try TemporaryFolder()
        let copy = folder.file("copy")
        let stripped = try Program.run([
            "go", "strip", try program(), "-o", copy, "--growth", "none", "--initial", "64KiB",
        ])
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

    @Test func `a copy whose stacks grow by faults runs and counts when it is asked`() throws {
        let folder = try TemporaryFolder()
        let copy = folder.file("copy")
        let stripped = try Program.run(["go", "strip", try program(), "-o", copy])
        #expect(stripped.status == 0 && stripped.errors == "")
        #expect(stripped.output.contains(" checks became probes, stacks that grow by faults, "))
        #expect(stripped.output.contains("it is of the runtime, which is kept"))
        let counted = try Program.shell("FAULTLINE_STATISTICS=1 \"$1\" </dev/null", [copy])
        #expect(counted.status == 0 && counted.errors.hasPrefix("faultline: probe-faults "))
        #expect(try Program.shell("\"$1\" </dev/null", [copy]).errors == "")
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
                ["strip", try program(), "-o", folder.file("out"), "--growth", "none", "--initial", "100KiB"], 64,
                "--initial 100KiB is out of range: powers of two from 64KiB to 1GiB"
            ),
            (
                ["strip", try program(), "-o", folder.file("out"), "--initial", "1MiB"], 64,
                "--initial is for --growth none; see 'faultline go strip --help'"
            ),
            (
                ["strip", try program(), "-o", folder.file("out"), "--growth", "often"], 64,
                "The value 'often' is invalid for '--growth <way>'. Please provide one of 'none' and 'fault'."
            ),
            (
                ["strip", try program(), "-o", try program()], 64,
                "-o '\(try program())' is the program itself; name another file"
            ),
            (
                ["strip", try program(), "-o", "/nonexistent/out"], 1,
                "cannot write '/nonexistent/out': No such file or directory; name another file"
            ),
            (["stack", text], 1, "'\(text)': not an ELF executable"),
            (
                ["stack", "/bin/true"], 1,
                "'/bin/true': neither built by Go nor with sizes of frames (.stack_sizes); "
                    + "compile it by clang with -fstack-size-section"
            ),
            (["stack", try program(), "--list", "200000"], 64, "--list 200000 is out of range: 0 to 100000"),
            (
                ["stack", try program(), "main.man"], 1,
                "'\(try program())' has no function 'main.man'; near it: main.main"
            ),
            (
                ["stack", try program(), "--follow"], 64,
                "--follow needs a function: name one that the program calls"
            ),
            (
                ["stack", try program(), "main.main", "more"], 64,
                "the program runs with --follow only: leave 'more' out"
            ),
            (["stack", try program(), "--seconds", "0"], 64, "--seconds 0 is out of range: 1 to 86400"),
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
            (
                ["compare", "--rounds", "3"], 64,
                "no program to compare: name a Go executable, or a main package with --package"
            ),
            (["compare", text, "--parts"], 64, "--parts needs --package: name a main package"),
            (
                ["compare", "--package", text], 64,
                "--package '\(text)' is no folder; name the folder of a main package"
            ),
            (
                ["toolchain", "-o", folder.file("out"), "--go", text], 64,
                "--go '\(text)' is no Go; name the folder of an installation or its go command"
            ),
            (
                ["toolchain", "-o", folder.file("out"), "--package", text], 64,
                "--package '\(text)' is no folder; name the folder of a main package"
            ),
            (
                ["toolchain", "-o", folder.file("out"), "--check", "probe", "--initial", "1MiB"], 64,
                "--initial is not for --check probe, whose programs have Go's own stacks; see 'faultline go toolchain "
                    + "--help'"
            ),
            (["life", "--rounds", "0"], 64, "--rounds 0 is out of range: 1 to 1000"),
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
        for word in ["processor time", "peak memory", "page faults", "by checks", "probes", "growths", "noise"] {
            #expect(table.output.contains(word), "\(word)")
        }
        let json = try Program.run(["go", "compare", try program(), "--rounds", "3", "--format", "json"])
        try #require(json.status == 0, "\(json.errors)")
        let records = try Document(json: json.output).records
        for name in ["original", "original again", "equal checks", "patched", "equal checks that grow"] {
            for metric in ["processor-time", "elapsed-time", "peak-memory", "page-faults"] {
                #expect(
                    records.contains { $0.name == name && $0.metric == metric && $0.samples == 3 }, "\(name) \(metric)")
            }
        }
        let probes = records.filter { $0.name == "probes that grow" }
        #expect(probes.contains { $0.metric == "processor-time" && $0.samples == 3 })
        #expect(probes.contains { $0.metric == "growths-per-second" })
        // Idle threads of Go spin, so that counts of a program that does nothing differ from run to run.
        let counted = records.filter { $0.metric == "instructions" }
        #expect(counted.map(\.name) == ["original", "equal checks", "patched"])
        #expect(counted.allSatisfy { $0.median > 100_000 })
    }

    /// A program that is deep, copies its input, or is a server.
    private static let versatile = Result {
        let folder = try TemporaryFolder()
        _ = try folder.file(
            "main.go",
            holding: """
                package main

                import (
                	"io"
                	"os"
                	"syscall"
                )

                func deep(depth int) int {
                	var frame [60]int
                	frame[depth%60] = depth
                	if depth > 0 {
                		frame[depth%60] += deep(depth - 1)
                	}
                	return frame[depth%60]
                }

                func main() {
                	switch os.Args[1] {
                	case "deep":
                		os.Exit(deep(6000) & 1)
                	case "copy":
                		io.Copy(os.Stdout, os.Stdin)
                	case "serve":
                		socket, _ := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
                		syscall.Bind(socket, &syscall.SockaddrUnix{Name: "@" + os.Args[2]})
                		syscall.Listen(socket, 1)
                		syscall.Accept(socket)
                	}
                }

                """)
        let go = try #require(GoToolchain.installed().first).command
        let built = try Program.shell(
            "cd \"$1\" && GO111MODULE=off GOPROXY=off GOFLAGS= CGO_ENABLED=0 \"$2\" build -o program .",
            [folder.path, go])
        try #require(built.status == 0, "\(built.errors)")
        return folder
    }

    @Test func `a comparison finds the stacks that a program runs on`() throws {
        let program = try Self.versatile.get().file("program")
        let table = try Program.run([
            "go", "compare", program, "--no-count", "--no-null", "--rounds", "3", "--", "deep",
        ])
        #expect(table.status == 0 && table.errors == "")
        // 6,000 frames of half a kilobyte.
        #expect(
            table.output.contains("goroutines start on 4MiB; on 1MiB and on 2MiB a goroutine used its up\n"), "\(table)"
        )
        #expect(!table.output.contains("instructions"))
        #expect(
            table.output.contains("warning: 3 rounds are too few for intervals of 95 %: take 6 or more (--rounds)\n"))
        #expect(table.output.contains("\neach of the 12 intervals misses once in 20 times by itself"))
        let json = try Program.run([
            "go", "compare", program, "--no-count", "--no-null", "--rounds", "3", "--format", "json", "--", "deep",
        ])
        try #require(json.status == 0, "\(json.errors)")
        let document = try Document(json: json.output)
        #expect(document.notes.contains { $0.hasPrefix("each of the 12 intervals misses once in 20 times by itself") })
        // From 4 KiB to 4 MiB; how many seconds that takes is another question.
        let growths = try #require(document.records.first { $0.metric == "growths" })
        #expect(growths.median >= 5)
        let rate = try #require(document.records.first { $0.metric == "growths-per-second" })
        let faults = try #require(document.records.first { $0.metric == "probe-faults" })
        #expect(rate.median > 0 && faults.median >= 5)
        let fixed = try Program.run(["go", "compare", program, "--initial", "1MiB", "--rounds", "3", "--", "deep"])
        #expect(fixed.status == 1 && fixed.errors.contains("the goroutine used up its stack of 1MiB"))
    }

    @Test func `every run of a comparison reads its input from the start`() throws {
        let folder = try Self.versatile.get()
        let input = try folder.file("input", holding: "some text\n")
        let arguments = ["go", "compare", folder.file("program"), "--no-null", "--rounds", "3"]
        // What they write is compared, so that each must have read all of it.
        let table = try Program.run(arguments + ["--stdin", input, "--", "copy"])
        #expect(table.status == 0 && table.errors == "", "\(table)")
        let refused = try Program.run(arguments + ["--stdin", "/dev/null", "--", "copy"])
        #expect(refused.status == 64)
        #expect(refused.errors == "error: --stdin '/dev/null' is no file that every run can read; name one\n")
    }

    @Test func `a server is compared under load`() throws {
        let program = try Self.versatile.get().file("program")
        let arguments = ["go", "compare", program, "--no-null", "--rounds", "3", "--serve"]
        let name = "faultline-\(UUID().uuidString)"
        // It listens when the load begins, and ends by the signal.
        let table = try Program.run(
            arguments + ["grep -c \(name) /proc/net/unix", "--", "serve", name])
        #expect(table.status == 0 && table.errors == "", "\(table)")
        #expect(table.output.hasSuffix("load on the variant 'patched', last round:\n1\n"))
        #expect(table.output.contains("elapsed time") && !table.output.contains("instructions"))
        let failed = try Program.run(arguments + ["echo no >&2; exit 3", "--", "serve", name])
        #expect(failed.status == 1 && failed.errors.contains("the load exited with 3: no"))
        let none = try Program.run(arguments + ["true", "--", "copy"])
        #expect(none.status == 1 && none.errors.contains("the program ended before it listened on a socket"))
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
