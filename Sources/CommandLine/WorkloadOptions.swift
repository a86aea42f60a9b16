// The options that describe what runs, and running it.

import ArgumentParser
import Faultline
import Workloads

extension CodeVariant: ExpressibleByArgument {}

/// The workload, its input and its code.
struct WorkloadOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("What to run: \(Workloads.all.map(\.name).joined(separator: ", "))."),
        completion: .list(Workloads.all.map(\.name)))
    var workload: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What it works on: files, or a size.", valueName: "file"), completion: .file())
    var input: [String] = []

    @Option(
        help: ArgumentHelp(
            "How its code is compiled. Left out: checked for the check strategies, else builtin.",
            valueName: "code"))
    var code: CodeVariant?

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("How often to run it, on one stack. (default: 1)", valueName: "n"),
        transform: { text in
            guard let number = Int(text), number >= 1 else { throw UsageFailure("give a number from 1") }
            return number
        })
    var repetitions = 1

    /// The workload that was named.
    /// - Throws: `UsageFailure`, which lists the names.
    func chosen() throws -> any Workload {
        do { return try Workloads.named(workload) } catch { throw UsageFailure(error.description) }
    }

    /// The variant that was named, or what `strategy` needs.
    /// - Throws: `UsageFailure` for code without checks on a stack that makes room only for checks.
    func variant(for strategy: StackStrategy) throws -> CodeVariant {
        guard let code else { return strategy.needsChecks ? .checked : .builtin }
        guard !strategy.needsChecks || code == .checked else {
            throw UsageFailure(
                "strategy '\(strategy.rawValue)' makes room only for code with checks, which --code \(code.rawValue) "
                    + "has not; leave --code out, or choose the strategy fault")
        }
        return code
    }

    /// What inputs each workload takes, for help texts.
    static var inputTable: String { HelpText.list(Workloads.all.map { ($0.name, $0.inputHelp) }) }
}
