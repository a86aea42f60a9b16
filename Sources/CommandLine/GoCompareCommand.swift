// `faultline go compare`: what a program gains without its stack checks.

import ArgumentParser
import Experiments
import Foundation
import GoBinary
import Measurement
import Processes
import Report
import Workloads

/// Runs a program as it is and without its checks, in turns.
struct GoCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Run a Go program with and without its stack checks.",
        discussion: """
            Runs the original, the same file again, a copy with equal checks on the same large stacks, a copy without \
            checks, one whose checks are probes, and one with equal checks on the stacks of that, and reports processor \
            time, peak memory and page faults with 95 % intervals; executed instructions where valgrind is installed. Every \
            variant must exit and write as the original does. Files that the program writes are not compared. Options of \
            the program itself follow '--'.

            The layout of the code alone can double the effect: with --layouts the argument is a package's folder, which is \
            built and linked n times in random order.

            With --package the program is also compiled without checks ('faultline go toolchain', one to two minutes the first \
            time) and patched with probes that grow stacks; 8 layouts where Go can randomize them. It also reports the size of \
            the code and simulated misses of the instruction cache. --parts adds, with all checks, what makes the stacks \
            others, one after the other: the first size, no shrinking, the guards' system calls, the word that is not cleared.

            A server is compared with --serve: the load command begins when the program listens on a socket, and the program \
            is asked to end (SIGTERM) when the load has ended. Elapsed time is the load's then. The load must exit with 0; \
            what it writes is shown.

            Without --initial goroutines of the copies start on 1 MiB, or on the double as often as it takes for the copy \
            without checks to end without using up a stack.

            Examples:
              faultline go compare /usr/lib/go-1.19/bin/gofmt -- -l /usr/lib/go-1.19/src/go
              faultline go compare server --keep-runtime --rounds 31 -- --test
              faultline go compare ./cmd/tool --layouts 16 -- input.txt
              faultline go compare --package ./cmd/tool -- input.txt
              faultline go compare minify --stdin page.html -- --type html
              faultline go compare server --serve 'ab -qn 20000 localhost:8080/' -- -p 8080
            """)

    @Argument(
        help: ArgumentHelp(
            "A Go executable; with --layouts the folder of a main package; nothing with --package.",
            valueName: "binary"))
    var binaryArgument: String?

    @Argument(help: ArgumentHelp("Arguments of the program.", valueName: "args"))
    var furtherArguments: [String] = []

    /// What is compared.
    var binary: String { package ?? binaryArgument ?? "" }

    /// What the program is given.
    var arguments: [String] {
        (package == nil ? [] : binaryArgument.map { [$0] } ?? []) + furtherArguments
    }

    @Option(
        help: ArgumentHelp("The folder of a main package, which is also compiled without checks.", valueName: "path"))
    var package: String?

    @Flag(help: "With --package: also what each difference of the stacks does by itself.")
    var parts = false

    @Option(help: ArgumentHelp("Measured rounds, after one that warms up.", valueName: "n"))
    var rounds = 15

    @Flag(inversion: .prefixedNo, help: "Also run a copy with equal checks on the same stacks.")
    var null = true

    @Option(help: ArgumentHelp("Build and link n times in random order; needs Go 1.22 or later.", valueName: "n"))
    var layouts: Int?

    @Option(name: .customLong("go"), help: ArgumentHelp("The go command that builds.", valueName: "command"))
    var goCommand = "go"

    @Option(
        help: ArgumentHelp(
            "Bytes of a goroutine's stack: a power of two from 64KiB to 1GiB. (default: 1MiB, or what it takes)",
            valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial: ByteSize?

    @Option(help: ArgumentHelp("The file that each run reads as its standard input.", valueName: "file"))
    var stdin: String?

    @Option(help: ArgumentHelp("The program is a server, and this makes requests of it.", valueName: "load command"))
    var serve: String?

    @Flag(inversion: .prefixedNo, help: "Count executed instructions, which takes 50 times as long as a run.")
    var count = true

    @Flag(help: "Keep the checks of the runtime and of reflect.")
    var keepRuntime = false

    @Flag(help: "Do not compare what the variants write.")
    var ignoreOutput = false

    @Option(help: ArgumentHelp("Seconds after which a run counts as hanging.", valueName: "n"))
    var seconds = 600.0

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    @Option(help: ArgumentHelp("Determines the order of the runs and the resampling.", valueName: "n"))
    var seed: UInt64 = 1

    func validate() throws {
        if let initial { try GoProgramFile.check(initial: initial) }
        guard package != nil || binaryArgument != nil else {
            throw ValidationError("no program to compare: name a Go executable, or a main package with --package")
        }
        guard !parts || package != nil else { throw ValidationError("--parts needs --package: name a main package") }
        guard (3...10_000).contains(rounds) else {
            throw ValidationError("--rounds \(rounds) is out of range: 3 to 10000")
        }
        guard layouts.map((2...1000).contains) ?? true else {
            throw ValidationError("--layouts \(layouts!) is out of range: 2 to 1000")
        }
        guard seconds > 0, seconds <= 86_400 else {
            throw ValidationError("--seconds \(seconds) is out of range: up to 86400")
        }
    }

    func run() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let machine = MachineFacts.current()
        let progress = Report.Progress()
        defer { progress.finish() }
        Interruption.listen()
        if let stdin { try check(input: stdin) }
        let task = GoTask(arguments: arguments, input: stdin, load: serve, longest: seconds)
        var notes: [String] = []
        let executables =
            try packageLayouts(task, in: folder, progress.update) { notes.append($0) }
            ?? patchedLayouts(task, folder: folder, progress.update) { notes.append($0) }
        guard self.layouts != nil || package != nil || FileManager.default.isExecutableFile(atPath: binary) else {
            throw RuntimeFailure("'\(binary)' may not be run; make it executable (chmod +x)")
        }
        let comparison = GoComparison(
            layouts: executables, task: task, rounds: rounds, comparesOutput: !ignoreOutput, seed: seed)
        let isInterrupted = { Interruption.isRequested }
        var answers: [(GoComparison.Variant, String)] = []
        let records: [Record]
        do {
            guard
                let runs = try comparison.records(
                    progress: progress.update, isInterrupted: isInterrupted, answer: { answers.append(($0, $1)) }),
                let counts = !count || serve != nil
                    ? []
                    : try comparison.codeRecords(
                        progress: progress.update, isInterrupted: isInterrupted, missing: { notes.append($0) })
            else { throw InterruptedRun(missing: ["compare"]) }
            let growths = try comparison.growthRecords(isInterrupted: isInterrupted, missing: { notes.append($0) })
            records = runs + counts + growths
        } catch let failure as MeasurementFailure {
            throw RuntimeFailure("'\(binary)': \(failure)")
        }
        progress.finish()
        let warnings = comparison.warnings(records)
        switch format {
        case .json:
            let said = answers.map { "the load on the variant '\($0.title)' wrote: \($1)" }
            StandardOutput.write(
                try Document(
                    machine: machine, records: records,
                    notes: notes + warnings + [GoComparisonTable.caution(records)] + said
                ).json())
        case .table:
            let said = answers.filter { $0.0 == .original || $0.0 == .patched }.map { variant, text in
                "\nload on the variant '\(variant.title)', last round:\n\(text)"
            }
            let remarks =
                notes.map { "note: \($0)\n" } + (warnings + machine.warnings).map { "warning: \($0)\n" }
            let table =
                package == nil
                ? GoComparisonTable(records: records).rendered() : GoVariantTable(records: records).rendered()
            StandardOutput.write(table + remarks.joined() + said.joined())
        }
    }

    /// Refuses what each run cannot read anew from its start.
    private func check(input: String) throws {
        var facts = stat()
        guard stat(input, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, access(input, R_OK) == 0 else {
            throw UsageFailure("--stdin '\(input)' is no file that every run can read; name one")
        }
    }

    /// The patched layouts, on stacks that suffice.
    private func patchedLayouts(
        _ task: GoTask, folder: String, _ update: (String) -> Void, note: (String) -> Void
    ) throws -> [GoComparison.Layout] {
        let paths = try executables(in: folder, update)
        func patched(_ index: Int, _ size: Int) throws -> GoComparison.Layout {
            update("patching \(index + 1)")
            return try layout(paths[index], folder: folder, name: "\(index)", initial: size)
        }
        let size = try sufficientStack(for: task, update, note: note) { try patched(0, $0).patched }
        return try paths.indices.map { try patched($0, size) }
    }

    /// The size of stacks that was asked for, or the first on which a copy without checks uses none up.
    ///
    /// - Parameter copy: Makes that copy.
    func sufficientStack(
        for task: GoTask, _ update: (String) -> Void, note: (String) -> Void, copy: (Int) throws -> String
    ) throws -> Int {
        if let initial { return initial.bytes }
        var size = StripOptions.defaultInitial
        var tried: [String] = []
        while true {
            let text = "\(ByteSize(bytes: size))"
            update("trying stacks of \(text)")
            guard try task.outgrowsStacks(of: copy(size), isInterrupted: { Interruption.isRequested }) else {
                let before = tried.isEmpty ? "" : "; on \(tried.joined(separator: " and on ")) a goroutine used its up"
                note("without checks goroutines start on \(text)\(before)")
                return size
            }
            tried.append(text)
            guard StripOptions.initials.contains(size * 2) else {
                throw RuntimeFailure(
                    "'\(binary)': without checks a goroutine uses up a stack of \(text), the largest there is")
            }
            size *= 2
        }
    }

    private func temporaryFolder() throws -> String {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(parent)/faultline-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw RuntimeFailure("cannot make a folder in '\(parent)'; name another one in TMPDIR")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The executables that are patched: the one that was named, or one for each layout.
    private func executables(in folder: String, _ update: (String) -> Void) throws -> [String] {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: binary, isDirectory: &isFolder)
        guard let layouts else {
            guard !isFolder.boolValue else {
                throw UsageFailure(
                    "'\(binary)' is a folder; name an executable, or say --layouts to build the package in it")
            }
            // A name without a slash would be looked up nowhere.
            return [binary.contains("/") ? binary : "./\(binary)"]
        }
        guard exists, isFolder.boolValue else {
            throw UsageFailure("--layouts needs the folder of a main package, and '\(binary)' is none")
        }
        return try (1...layouts).map { layout in
            guard !Interruption.isRequested else { throw InterruptedRun(missing: ["compare"]) }
            update("building layout \(layout) of \(layouts)")
            let output = "\(folder)/layout-\(layout)"
            do {
                // As the user would build it, but for the order; Go before 1.20 has no -C.
                try Subprocess.run(
                    "/bin/sh",
                    [
                        "-c", "cd \"$0\" && exec \"$@\"", binary, goCommand, "build", "-ldflags=-randlayout=\(layout)",
                        "-o", output, ".",
                    ], in: folder)
            } catch {
                throw RuntimeFailure(
                    "cannot build '\(binary)' in random order: \(error); it needs Go 1.22 or later, named by --go")
            }
            return output
        }
    }

    func layout(
        _ path: String, folder: String, name: String, initial: Int
    ) throws -> GoComparison.Layout {
        guard let content = FileManager.default.contents(atPath: path) else {
            throw RuntimeFailure("cannot read '\(binary)'; name a Go executable")
        }
        do {
            return try GoComparison.Layout(
                of: path, content: [UInt8](content),
                StripOptions(initial: initial, keepsRuntime: keepRuntime), isControlled: null, folder: folder,
                name: name)
        } catch {
            throw RuntimeFailure("'\(binary)': \(error)")
        }
    }
}
