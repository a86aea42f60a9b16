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
            Runs the original, the same file again, a copy with equal checks on the same large stacks, and a copy without \
            checks, and reports processor time, peak memory and page faults with 95 % intervals; executed instructions where \
            valgrind is installed. Every variant must exit and write as the original does. Files that the program writes are \
            not compared. Options of the program itself follow '--'.

            The layout of the code alone can double the effect: with --layouts the argument is a package's folder, which is \
            built and linked n times in random order.

            Examples:
              faultline go compare /usr/lib/go-1.19/bin/gofmt -- -l /usr/lib/go-1.19/src/go
              faultline go compare server --keep-runtime --rounds 31 -- --test
              faultline go compare ./cmd/tool --layouts 16 -- input.txt
            """)

    @Argument(help: ArgumentHelp("A Go executable; with --layouts the folder of a main package.", valueName: "binary"))
    var binary: String

    @Argument(help: ArgumentHelp("Arguments of the program.", valueName: "args"))
    var arguments: [String] = []

    @Option(help: ArgumentHelp("Measured rounds, after one that warms up.", valueName: "n"))
    var rounds = 15

    @Flag(inversion: .prefixedNo, help: "Also run a copy with equal checks on the same stacks.")
    var null = true

    @Option(help: ArgumentHelp("Build and link n times in random order; needs Go 1.22 or later.", valueName: "n"))
    var layouts: Int?

    @Option(name: .customLong("go"), help: ArgumentHelp("The go command that builds.", valueName: "command"))
    var goCommand = "go"

    @Option(
        help: ArgumentHelp("Bytes of a goroutine's stack: a power of two from 64KiB to 1GiB.", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial = ByteSize(bytes: StripOptions.defaultInitial)

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
        try GoProgramFile.check(initial: initial)
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
        let layouts = try executables(in: folder, progress.update).enumerated().map { index, path in
            progress.update("patching \(index + 1)")
            return try layout(path, folder: folder, name: "\(index)")
        }
        let comparison = GoComparison(
            layouts: layouts, arguments: arguments, rounds: rounds, longest: seconds, comparesOutput: !ignoreOutput,
            seed: seed)
        var notes: [String] = []
        let isInterrupted = { Interruption.isRequested }
        let records: [Record]
        do {
            guard let runs = try comparison.records(progress: progress.update, isInterrupted: isInterrupted),
                let counts = try comparison.instructionRecords(
                    progress: progress.update, isInterrupted: isInterrupted, missing: { notes.append($0) })
            else { throw InterruptedRun(missing: ["compare"]) }
            records = runs + counts
        } catch let failure as MeasurementFailure {
            throw RuntimeFailure("'\(binary)': \(failure)")
        }
        progress.finish()
        let document = Document(machine: machine, records: records, notes: notes)
        switch format {
        case .json: StandardOutput.write(try document.json())
        case .table:
            let remarks = notes.map { "note: \($0)\n" } + machine.warnings.map { "warning: \($0)\n" }
            StandardOutput.write(GoComparisonTable(records: records).rendered() + remarks.joined())
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

    private func layout(_ path: String, folder: String, name: String) throws -> GoComparison.Layout {
        guard let content = FileManager.default.contents(atPath: path) else {
            throw RuntimeFailure("cannot read '\(binary)'; name a Go executable")
        }
        do {
            return try GoComparison.Layout(
                of: path, content: [UInt8](content),
                StripOptions(initial: initial.bytes, keepsRuntime: keepRuntime), isControlled: null, folder: folder,
                name: name)
        } catch {
            throw RuntimeFailure("'\(binary)': \(error)")
        }
    }
}
