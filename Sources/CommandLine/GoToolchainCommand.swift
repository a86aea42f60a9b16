// `faultline go toolchain`: a Go whose compiler emits no stack checks, or probes in their place.

import ArgumentParser
import Experiments
import Foundation
import GoBinary
import Measurement
import Peers
import Report

/// Makes a changed copy of a Go installation, and builds packages with it.
struct GoToolchainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toolchain", abstract: "Make a copy of Go that builds programs without stack checks.",
        usage: "faultline go toolchain --output <folder> [<options>]",
        discussion: """
            Copies an installation of Go 1.\(UncheckedToolchain.oldest) or later with its sources, changes the place that \
            emits the check and what gives goroutines their stacks, and builds the compiler and the assembler anew: one to \
            two minutes, and 400 MB. It says which lines it changed. A version whose sources say something else is refused.

            What it builds, also by its own bin/go, is for Linux on x86-64: goroutines start on a stack of --initial bytes \
            with a guard. Built packages go to programs/ in the folder.

            With --check probe the copy, of Go \(probed), keeps its library, and its compiler emits probes; that of Go 1.19 \
            stays as it is. The linker is followed by what 'faultline go strip' does, with a copy of this program: go build, \
            run, install and test give executables whose stacks grow by faults. What strip refuses, such as -race, and \
            libraries and plugins fail to build.

            Examples:
              faultline go toolchain -o unchecked --package ./cmd/server
              faultline go toolchain -o probes --check probe
              faultline go toolchain -o unchecked --go /usr/local/go --initial 1MiB
            """)

    @Option(
        help: ArgumentHelp(
            "What becomes of the checks: 'none'; 'kept' for the same stacks with them; 'probe' for stacks that grow by "
                + "faults.", valueName: "kind"))
    var check = ToolchainOptions.Checks.none

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the copy goes.", valueName: "folder"))
    var output: String

    @Option(
        name: .customLong("go"),
        help: ArgumentHelp("An installation or its go command; the newest that is found.", valueName: "path"))
    var installation: String?

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Folders of main packages to build.", valueName: "path"))
    var package: [String] = []

    @Option(
        help: ArgumentHelp(
            "Bytes of a goroutine's stack: a power of two from 64KiB to 1GiB (default: "
                + "\(ByteSize(bytes: StripOptions.defaultInitial))).", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial: ByteSize?

    @Flag(
        help: "Keep the checks of the runtime and of reflect, where Go preempts a goroutine by nothing else.")
    var keepRuntime = false

    func validate() throws {
        if let initial { try GoProgramFile.check(initial: initial) }
        guard check == .probe else { return }
        for (isSaid, option) in [(initial != nil, "--initial"), (keepRuntime, "--keep-runtime")] where isSaid {
            throw ValidationError("\(option) is not for --check probe, whose programs have Go's own stacks")
        }
    }

    func run() throws {
        for folder in package where !Self.isFolder(folder) {
            throw UsageFailure("--package '\(folder)' is no folder; name the folder of a main package")
        }
        let names = package.map { URL(fileURLWithPath: $0).lastPathComponent }
        guard Set(names).count == names.count else {
            throw UsageFailure("--package has two folders of one name; build them one after the other")
        }
        let installation = try Self.installation(self.installation)
        let stack = initial ?? ByteSize(bytes: StripOptions.defaultInitial)
        let options = ToolchainOptions(checks: check, initial: stack.bytes, keepsRuntime: keepRuntime)
        let progress = Report.Progress()
        defer { progress.finish() }
        Interruption.listen()
        do {
            let toolchain = try UncheckedToolchain(
                of: installation, options, at: Self.absolute(output), progress: progress.update,
                isInterrupted: { Interruption.isRequested })
            let done =
                switch check {
                case .none: "compiles without stack checks, stacks of \(stack)"
                case .kept: "compiles with stack checks, stacks of \(stack)"
                case .probe:
                    toolchain.hasOwnCompiler
                        ? "compiles with probes, stacks that grow by faults"
                        : "makes checks probes, stacks that grow by faults"
                }
            var text = "\(output): \(toolchain.version), \(done)\n"
            text += toolchain.summary.map { "  \($0)\n" }.joined()
            for (folder, name) in zip(package, names) {
                progress.update("building \(folder)")
                let path = "\(toolchain.root)/programs/\(name)"
                try toolchain.build(
                    Self.absolute(folder), to: path, isInterrupted: { Interruption.isRequested })
                text += "built: \(path)\n"
            }
            progress.finish()
            StandardOutput.write(text)
        } catch {
            if Interruption.isRequested { throw InterruptedRun(missing: ["toolchain"]) }
            throw RuntimeFailure("\(error)")
        }
    }

    private static let probed = GoExecutable.versions.map { "1.\($0)" }.joined(separator: ", ")

    /// The installation that an option names, or the newest one.
    static func installation(_ path: String?) throws -> GoToolchain {
        if let path {
            guard let found = GoToolchain(at: path) else {
                throw UsageFailure("--go '\(path)' is no Go; name the folder of an installation or its go command")
            }
            return found
        }
        guard let newest = GoToolchain.installed().last else {
            throw RuntimeFailure("no Go is found; install golang-go, or name one with --go")
        }
        return newest
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

extension ToolchainOptions.Checks: ExpressibleByArgument {}
