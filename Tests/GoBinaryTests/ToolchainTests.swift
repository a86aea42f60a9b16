// A Go whose compiler emits no checks: its sources are understood or refused, and what it builds behaves as before.

import Experiments
import GoBinary
import Peers
import Processes
import TestNeeds
import Testing
import Workloads

@Suite("A Go that compiles without stack checks") struct ToolchainTests {
    /// Pieces of sources that are changed.
    private static let pieces: [(file: String, text: String)] = [
        (
            "cmd/internal/obj/x86/obj6.go",
            """
            \tif !p.From.Sym.NoSplit() {
            \t\t// Emit split check.
            \t\tp = stacksplit(ctxt, cursym, p, newprog, autoffset, int32(textarg))
            \t}
            \tif q1 != nil {
            \t\tq1.To.SetTarget(spill)
            \t}

            """
        ),
        ("cmd/internal/objabi/flag.go", "\tif s == \"full\" {\n\t}\n"),
        ("runtime/stack.go", "\nfunc stackalloc(n uint32) stack {\n}\n"),
        ("runtime/stack.go", "\nfunc stackfree(stk stack) {\n}\n"),
        ("runtime/stack.go", "\nfunc copystack(gp *g, newsize uintptr) {\n}\n"),
        ("runtime/stack.go", "\nfunc shrinkstack(gp *g) {\n}\n"),
        ("runtime/stack.go", "\nfunc gcComputeStartingStackSize() {\n}\n"),
        ("runtime/stack.go", "\nvar startingStackSize uint32 = fixedStack\n"),
        ("runtime/proc.go", "\t\tnewg = malg(stackMin)\n"),
        ("runtime/proc.go", "\tgp := malg(4096)\n"),
        ("runtime/proc.go", "\t\t*(*uintptr)(unsafe.Pointer(newg.stack.lo)) = 0\n"),
        ("runtime/signal_unix.go", "\tc := &sigctxt{info, ctxt}\n\n\t// Cgo TSAN\n"),
        ("runtime/signal_unix.go", "\tif gp == nil || (gp.m != nil && gp.m.isExtraInC) {\n\t}\n"),
        ("runtime/os_linux.go", "\tgetg().m.procid = uint64(gettid())\n"),
    ]

    /// Those pieces, one of them as often as it is said.
    private static func sources(
        _ piece: Int? = nil, times: Int = 1, _ options: ToolchainOptions = ToolchainOptions()
    ) throws(SourceRefusal) -> UncheckedSources {
        var files: [String: String] = [:]
        for (index, (file, text)) in pieces.enumerated() {
            files[file, default: "package p\n"] += String(repeating: text, count: index == piece ? times : 1)
        }
        return try UncheckedSources(options) { files[$0] }
    }

    @Test func everyPlaceIsChangedInItsLine() throws {
        let sources = try Self.sources()
        for change in sources.compiler + sources.runtime where !change.lines.isEmpty {
            let lines = change.text.split(separator: "\n", omittingEmptySubsequences: false)
            for line in change.lines {
                let names = ["hasStackCheck", "p += \" unchecked-", "unchecked"]
                #expect(names.contains { lines[line - 1].contains($0) }, "\(change.file) \(line)")
            }
        }
        let places = (sources.compiler + sources.runtime).reduce(0) { $0 + $1.lines.count }
        #expect(places == Self.pieces.count)
    }

    @Test func placesOfProbesAreChangedInTheirLines() throws {
        let sources = try Self.sources(nil, ToolchainOptions(checks: .probe))
        #expect(sources.runtime.isEmpty)
        for change in sources.compiler where !change.lines.isEmpty {
            let lines = change.text.split(separator: "\n", omittingEmptySubsequences: false)
            try #require(change.lines.count == 1)
            #expect(["makeProbe", "p += \" unchecked-"].contains { lines[change.lines[0] - 1].contains($0) })
        }
        for times in [0, 2] {
            let error = try #require(throws: SourceRefusal.self) {
                try Self.sources(0, times: times, ToolchainOptions(checks: .probe))
            }
            #expect(error.description.hasPrefix("'q1.To.SetTarget(spill)' is in src/cmd/internal/obj/x86/obj6.go"))
        }
    }

    @Test(arguments: Self.pieces.indices, [0, 2])
    func aPlaceThatIsNotThereOnceIsRefused(_ piece: Int, _ times: Int) throws {
        let (file, text) = Self.pieces[piece]
        let line = try #require(text.split(separator: "\n").first)
        let error = try #require(throws: SourceRefusal.self) { try Self.sources(piece, times: times) }
        #expect(
            error.description == "'\(line.drop { $0 == "\t" })' is in src/\(file) \(times) times instead of once; "
                + "this version of Go is not known")
    }

    @Test func aMissingFileIsRefused() throws {
        let error = try #require(throws: SourceRefusal.self) { try UncheckedSources(ToolchainOptions()) { _ in nil } }
        #expect(
            error.description == "src/cmd/internal/obj/x86/obj6.go is not there; install the sources of Go with it")
    }

    /// Nothing is built.
    @Test(arguments: GoInstallation.all.dropFirst()) func sourcesOfEveryVersionAreUnderstood(
        _ go: GoInstallation
    ) throws {
        try go.need.check()
        let root = try #require(GoToolchain(at: go.command)).root
        for stacks in ToolchainOptions.Stacks.allCases {
            let sources = try UncheckedSources(ToolchainOptions(stacks: stacks)) { file in
                (try? Files.read("\(root)/src/\(file)")).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(sources.compiler.count == 3)
            #expect(sources.runtime.count == (stacks == .original ? 0 : 5))
        }
        let probing = try UncheckedSources(ToolchainOptions(checks: .probe)) { file in
            (try? Files.read("\(root)/src/\(file)")).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(probing.compiler.count == 4 && probing.runtime.isEmpty)
    }

    @Test(.needs(GoInstallation.debian.need)) func anOlderGoIsRefused() throws {
        let debian = try #require(GoToolchain(at: GoInstallation.debian.command))
        let folder = try TemporaryFolder()
        let error = try #require(throws: SourceRefusal.self) {
            try UncheckedToolchain(of: debian, ToolchainOptions(), at: "\(folder.path)/go") { _ in }
        }
        #expect(error.description.hasSuffix("is older than Go 1.21; name another one with --go"))
        #expect(!Files.isFolder("\(folder.path)/go"))
    }

    @Test(.needs(GoInstallation.newest.need)) func aFolderOfSomethingElseIsRefused() throws {
        let newest = try #require(GoToolchain(at: GoInstallation.newest.command))
        let folder = try TemporaryFolder()
        let error = try #require(throws: ProcessError.self) {
            try UncheckedToolchain(of: newest, ToolchainOptions(), at: folder.path) { _ in }
        }
        #expect(error.description == "'\(folder.path)' is there and is not this toolchain; name another folder")
    }

    /// The program that does whatever concerns stacks, compiled without checks.
    private func expectToWork(_ go: GoInstallation, _ mode: GoInstallation.Mode = .plain) throws {
        let original = try go.program(mode)
        let program = try go.uncheckedProgram(mode)
        for checked in try GoExecutable(try content(program)).functions where checked.check != nil {
            let function = checked.function
            #expect(
                function.frameSize ?? 0 > StripOptions.largestFrame - 16
                    || GoExecutable.sweepers.contains(function.name), "\(function)")
        }
        let expected = try run(original, ["work", "180000"])
        for _ in 0..<3 {
            let found = try run(program, ["work", "180000"])
            #expect(
                found.ending == .exited(0) && found.output == expected.output && found.errors == expected.errors,
                "\(found)")
        }
        let churned = try run(program, ["churn", "2"])
        #expect(churned.ending == .exited(0) && churned.output == "churned 2\n", "\(churned)")
        for mode in ["overflow", "overflow-large"] {
            let overflow = try run(program, [mode])
            #expect(overflow.ending == .exited(2) && overflow.output == "ready\n", "\(overflow)")
            #expect(
                overflow.errors == "fatal error: stack overflow: the goroutine used up its stack of "
                    + "\(StripOptions.defaultInitial >> 10) KiB; this "
                    + "program has no stack checks: build it with a toolchain of a larger --initial\n")
        }
    }

    /// The compiler is built once for each change of it, which takes one to two minutes.
    @Test(.needs(GoInstallation.newest.need)) func programsOfTheNewestVersionHaveNoChecksAndBehaveAsBefore() throws {
        try expectToWork(GoInstallation.newest)
    }

    @Test(.long, .unoptimized, .needs(GoInstallation.newest.need)) func aThreadOfCIsPreempted() throws {
        let result = try run(try GoInstallation.newest.uncheckedProgram(.cgo), ["foreign-calls"])
        #expect(result.ending == .exited(0) && result.output == "calls true\n", "\(result)")
    }

    @Test(.long, .needs(GoInstallation.newest.need)) func everyVariantOfAPackageBehavesAlike() throws {
        _ = try GoInstallation.newest.unchecked()
        let folder = try TemporaryFolder()
        let package = "\(folder.path)/package"
        try #require(Files.makeFolder(package))
        try Files.write("module package\n\ngo 1.21\n".utf8, to: "\(package)/go.mod")
        try Files.write(
            """
            package main

            func fib(n int) int {
            \tif n < 2 {
            \t\treturn n
            \t}
            \treturn fib(n-1) + fib(n-2)
            }

            func main() { println(fib(25)) }

            """.utf8, to: "\(package)/main.go")
        let variants = PackageVariants(
            package, try #require(GoToolchain(at: GoInstallation.newest.command)), StripOptions(), hasParts: true,
            folder: folder.path, isInterrupted: { false })
        let layouts = try variants.layouts(2, progress: { _ in })
        let comparison = GoComparison(
            layouts: layouts, task: GoTask(arguments: [], longest: 60), rounds: 1, comparesOutput: true, seed: 1)
        let runs = try #require(
            try comparison.records(progress: { _ in }, isInterrupted: { false }, answer: { _, _ in }))
        for variant in GoComparison.Variant.allCases {
            #expect(runs.contains { $0.name == variant.title && $0.metric == "processor-time" }, "\(variant)")
        }
        // Without valgrind there is the size alone.
        let code = try #require(
            try comparison.codeRecords(progress: { _ in }, isInterrupted: { false }, missing: { _ in }))
        func size(_ variant: GoComparison.Variant) -> Double {
            code.first { $0.name == variant.title && $0.metric == "code-size" }?.median ?? 0
        }
        let instructions = code.filter { $0.metric == "instructions" }.map(\.name)
        #expect(!instructions.contains { $0.hasPrefix("probes") || $0.hasPrefix("compiled with probes") })
        #expect(size(.original) > 0 && size(.patched) == size(.original) && size(.equal) == size(.original))
        // Its cold tails are 5 to 9 % of it.
        #expect(size(.compiled) < size(.original) * 0.97 && size(.compiled) > size(.original) * 0.8)
        #expect(size(.lowestWord) > size(.original) * 0.99)
        // Its tails stay, and little of so small a program is not the runtime.
        #expect(size(.compiledProbes) <= size(.original) && size(.compiledProbes) > size(.original) * 0.99)
        let compiled = try GoExecutable(try content("\(folder.path)/1-with-probes")).functions
        #expect(compiled.first { $0.function.name == "main.fib" }?.check?.hot.instructions == 1)
    }

    @Test(.long, .needs(GoInstallation.newest.need)) func theLifeOfManyGoroutinesIsMeasured() throws {
        _ = try GoInstallation.newest.unchecked()
        let life = try GoLife(
            try #require(GoToolchain(at: GoInstallation.newest.command)), initial: StripOptions.defaultInitial,
            populations: [20],
            waiting: 2000, rounds: 1, progress: { _ in }, isInterrupted: { false },
            missing: { Issue.record("\($0)") })
        let records = try #require(try life.records(progress: { _ in }, isInterrupted: { false }))
        #expect(life.variants == [.original, .patched, .compiled, .probes])
        #expect(records.count == 4 * 9)
        let memory = records.filter { $0.metric == "goroutine-memory" }.map(\.median)
        // A page instead of 2 KiB.
        #expect(memory.count == 4 && memory[1] > memory[0] && memory[2] > memory[0], "\(memory)")
    }

    @Test(.onDemand, arguments: GoInstallation.all.dropFirst(), [GoInstallation.Mode.plain, .cgo, .pie])
    func programsOfEveryVersionHaveNoChecksAndBehaveAsBefore(
        _ go: GoInstallation, _ mode: GoInstallation.Mode
    ) throws {
        try go.need.check()
        try expectToWork(go, mode)
    }
}
