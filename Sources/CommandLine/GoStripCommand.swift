// `faultline go strip`: a copy of a Go program without stack checks.

import ArgumentParser
import Foundation
import GoBinary
import Report

/// Writes a copy without stack checks.
struct GoStripCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strip", abstract: "Write a copy of a Go executable without stack checks.",
        usage: "faultline go strip <binary> --output <file> [<options>]",
        discussion: """
            The copy's goroutines start on a stack of --initial bytes, which the kernel fills page by page; a guard at its low \
            end ends the program with a message. Nothing is written unless every check was understood. Checks that are left \
            alone are listed with the reason.

            Examples:
              faultline go strip server -o server-stripped
              faultline go strip server -o server-stripped --initial 64MiB --keep-runtime
            """)

    @Argument(help: ArgumentHelp("A Go executable.", valueName: "binary"))
    var binary: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the copy goes.", valueName: "file"))
    var output: String

    @Option(
        help: ArgumentHelp("Bytes of a goroutine's stack: a power of two from 64KiB to 1GiB.", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial = ByteSize(bytes: StripOptions.defaultInitial)

    @Flag(
        help: "Keep the checks of the runtime and of reflect, where Go preempts a goroutine by nothing else.")
    var keepRuntime = false

    @Flag(help: "Replace each check by an equal one instead of removing it: the control with the same stacks.")
    var equalChecks = false

    func validate() throws {
        try GoProgramFile.check(initial: initial)
    }

    func run() throws {
        let program = try GoProgramFile.read(binary)
        guard !FileManager.default.fileExists(atPath: output) || !Self.isSame(binary, output) else {
            throw UsageFailure("-o '\(output)' is the program itself; name another file")
        }
        let options = StripOptions(
            initial: initial.bytes, keepsRuntime: keepRuntime, checks: equalChecks ? .equal : .removed)
        let stripped: StrippedProgram
        do {
            stripped = try program.stripped(options)
        } catch {
            throw RuntimeFailure("'\(binary)': \(error); nothing was written")
        }
        try GoProgramFile.write(stripped.content, to: output)
        StandardOutput.write(text(stripped))
    }

    private func text(_ stripped: StrippedProgram) -> String {
        let done = equalChecks ? "replaced by equal ones" : "removed"
        var text = "\(output): \(stripped.replaced) checks \(done), stacks of \(initial), "
        text += "\(stripped.left.count) checks left alone\n"
        let reasons = Dictionary(grouping: stripped.left, by: \.reason).mapValues { $0.map(\.function) }
        for (reason, functions) in reasons.sorted(by: { $0.key < $1.key }) {
            let shown = functions.prefix(5).joined(separator: ", ")
            let more = functions.count > 5 ? ", and \(functions.count - 5) more" : ""
            text += "  left: \(shown)\(more): \(reason)\n"
        }
        return text
    }

    private static func isSame(_ first: String, _ second: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(first, &one) == 0 && stat(second, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }
}
