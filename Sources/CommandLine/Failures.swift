// How commands fail: one line on standard error that names the input and the remedy, nothing on standard output.

import ArgumentParser
import Experiments
import Faultline
import Report
import Workloads

/// Input that cannot be used: exit code 64, EX_USAGE of sysexits.h, as for what the argument parser refuses.
struct UsageFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A run that did not end as it should: exit code 1.
struct RuntimeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A run that the user interrupted: exit code 130, 128 + SIGINT, as shells report it.
struct InterruptedRun: Error, CustomStringConvertible {
    static let code: Int32 = 130
    /// What was not finished.
    let missing: [String]

    var description: String { "interrupted; not finished: \(missing.joined(separator: ", "))" }
}

/// What to write where, and the exit code, for whatever ended a command.
struct Ending {
    var output = ""
    var message = ""
    var code: Int32

    /// - Parameter command: the root command, whose parser the error may come from.
    init(_ error: any Error, of command: (some ParsableCommand).Type) {
        if let failure = error as? UsageFailure {
            message = Self.line(failure.description)
            code = ExitCode.validationFailure.rawValue
            return
        }
        if let interrupted = error as? InterruptedRun {
            message = Self.line(interrupted.description)
            code = InterruptedRun.code
            return
        }
        code = command.exitCode(for: error).rawValue
        if code == 0 {
            // Help, the version and completion scripts arrive as errors, too.
            output = command.fullMessage(for: error)
            if !output.isEmpty && !output.hasSuffix("\n") { output += "\n" }
        } else if !(error is ExitCode) {
            let text = command.message(for: error)
            message = Self.line(code == ExitCode.validationFailure.rawValue ? Self.withRemedy(text, command) : text)
        }
    }

    /// What the parser says, with where to look where it offers nothing itself.
    private static func withRemedy(_ text: String, _ command: any ParsableCommand.Type) -> String {
        guard !text.contains(":"), !text.contains("Please"), !text.contains("Did you mean") else { return text }
        var path = [command._commandName]
        var level: any ParsableCommand.Type = command
        for given in CommandLine.arguments.dropFirst() {
            guard let next = level.configuration.subcommands.first(where: { $0._commandName == given }) else { break }
            path.append(given)
            level = next
        }
        return "\(text); see '\(path.joined(separator: " ")) --help'"
    }

    private static func line(_ text: String) -> String { "error: \(oneLine(text))\n" }

    /// The parser lists alternatives on lines of their own, and a name that a user gave may hold any character.
    private static func oneLine(_ text: String) -> String {
        var line = ""
        var isFirst = true
        for part in text.split(whereSeparator: \.isNewline) {
            let trimmed = part.drop { $0 == " " }
            let isItem = trimmed.hasPrefix("- ")
            let separator = isFirst ? "" : isItem && !line.hasSuffix(":") ? ", " : " "
            line += separator + (isItem ? trimmed.dropFirst(2) : trimmed)
            isFirst = false
        }
        let scalars = line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        return String(scalars)
    }
}

extension StackError {
    /// The text with options spelled as on the command line.
    var commandLineText: String {
        if case .invalidConfiguration(_, _?) = self { return "--\(description)" }
        return description
    }
}
