// The command line. One file per subcommand; what commands share is in files named after it.

import ArgumentParser
import Experiments
import Glibc
import Report

@main
struct FaultlineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faultline",
        abstract: "Growable stacks for native code: run real programs on them, measure them, inspect their faults.",
        discussion: """
            Examples:
              faultline run json --input nested:100000
              faultline run lisp --strategy check-move --repeat 5 --stats
              faultline stats trees --strategy fault-move --format prometheus
              faultline reproduce --quick
              faultline bench --quick
              faultline faults
              faultline go compare gofmt -- -l src

            Results go to standard output; progress is shown on a terminal only.
            Exit codes: 0 success, 1 failure, 64 wrong usage, 130 interrupted.
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, ReproduceCommand.self, ClaimsCommand.self, ReportCommand.self, BenchCommand.self,
            StatsCommand.self, FaultsCommand.self, PlanCommand.self, GoCommand.self, ShowCommand.self,
            RaiseFaultCommand.self,
            ExperimentCommand.self,
        ])

    /// Parses, runs and exits. ArgumentParser's own would follow an error with lines of usage.
    static func main() {
        do {
            try checkCommandName()
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let ending = Ending(error, of: Self.self)
            if !ending.output.isEmpty { StandardOutput.write(ending.output) }
            if !ending.message.isEmpty { _ = StandardOutput.write(ending.message, to: STDERR_FILENO) }
            Glibc.exit(ending.code)
        }
    }

    /// Refuses an unknown subcommand by its name; the parser would call it an unexpected argument.
    private static func checkCommandName() throws {
        guard let name = CommandLine.arguments.dropFirst().first, !name.hasPrefix("-"), name != "help" else { return }
        var names: [String] = []
        for command in configuration.subcommands {
            if command._commandName == name { return }
            if command.configuration.shouldDisplay { names.append(command._commandName) }
        }
        throw UsageFailure("unknown command '\(name)'; choose from: \(names.joined(separator: ", "))")
    }
}
