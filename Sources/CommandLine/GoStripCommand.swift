// `faultline go strip`: a copy of a Go program without stack checks.

import ArgumentParser
import Foundation
import GoBinary
import Report

extension StripOptions.Growth: ExpressibleByArgument {}

/// Writes a copy without stack checks.
struct GoStripCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strip", abstract: "Write a copy of a Go executable without stack checks.",
        usage: "faultline go strip <binary> --output <file> [<options>]",
        discussion: """
            With --growth fault each check becomes a probe: a load that hits the guard below the stack exactly when the check \
            would fail, and the fault runs Go's own growth. With --growth none checks become no-ops, goroutines start on \
            stacks of --initial bytes that the kernel fills page by page, and a guard ends the program with a message. \
            Nothing is written unless every check was understood. Checks that are left alone are listed with the reason.

            A copy with probes that is run with FAULTLINE_STATISTICS=1, or with the path of a file there, says at its end how \
            many probes faulted and how many stacks grew.

            Examples:
              faultline go strip server -o server-stripped
              faultline go strip server -o server-stripped --growth none --initial 64MiB --keep-runtime
            """)

    @Argument(help: ArgumentHelp("A Go executable.", valueName: "binary"))
    var binary: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where the copy goes.", valueName: "file"))
    var output: String

    @Option(help: ArgumentHelp("What makes room when a stack is used up: fault, or none.", valueName: "way"))
    var growth = StripOptions.Growth.fault

    @Option(
        help: ArgumentHelp(
            "Bytes of a goroutine's stack with --growth none: a power of two from 64KiB to 1GiB (default: "
                + "\(ByteSize(bytes: StripOptions.defaultInitial))).", valueName: "size"),
        transform: { try ByteSize(parsing: $0) })
    var initial: ByteSize?

    @Flag(
        help: ArgumentHelp(
            "With --growth none: keep the checks of the runtime and of reflect, where Go preempts a goroutine by "
                + "nothing else."))
    var keepRuntime = false

    @Flag(help: "With --growth fault: probes in the runtime and in reflect too.")
    var probeEverything = false

    @Flag(help: "Replace each check by an equal one instead of removing it: the control with the same stacks.")
    var equalChecks = false

    func validate() throws {
        if let initial { try GoProgramFile.check(initial: initial) }
        for (isSaid, option, other) in [
            (initial != nil, "--initial", StripOptions.Growth.none), (keepRuntime, "--keep-runtime", .none),
            (probeEverything, "--probe-everything", .fault),
        ] where isSaid && growth != other {
            throw ValidationError("\(option) is for --growth \(other)")
        }
    }

    func run() throws {
        let program = try GoProgramFile.read(binary)
        guard !FileManager.default.fileExists(atPath: output) || !Self.isSame(binary, output) else {
            throw UsageFailure("-o '\(output)' is the program itself; name another file")
        }
        let keepsRuntime = growth == .fault ? !probeEverything : keepRuntime
        let options = StripOptions(
            growth: growth, initial: stack.bytes, keepsRuntime: keepsRuntime, checks: equalChecks ? .equal : .removed)
        let stripped: StrippedProgram
        do {
            stripped = try program.stripped(options)
        } catch {
            throw RuntimeFailure("'\(binary)': \(error); nothing was written")
        }
        try GoProgramFile.write(stripped.content, to: output)
        StandardOutput.write(text(stripped))
    }

    private var stack: ByteSize { initial ?? ByteSize(bytes: StripOptions.defaultInitial) }

    private func text(_ stripped: StrippedProgram) -> String {
        let done = equalChecks ? "replaced by equal ones" : growth == .fault ? "became probes" : "removed"
        let stacks = growth == .fault ? "stacks that grow by faults" : "stacks of \(stack)"
        var text = "\(output): \(stripped.replaced) checks \(done), \(stacks), "
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
