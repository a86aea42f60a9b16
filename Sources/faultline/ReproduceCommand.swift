// `faultline reproduce`: claims measured and judged one after the other; what is finished survives an interruption.

import ArgumentParser
import Claims
import Measurement
import Report

/// Measures claims and judges them.
struct ReproduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Measure the claims of the discussion and judge each.",
        usage: "faultline reproduce [<id> ...] [--quick | --full] [<options>]",
        discussion: """
            A verdict is computed from what is measured here: confirmed, refuted, \
            depends, or not measurable here, with what is missing.

            Ctrl-C ends the run after the step at hand: finished claims are kept, the \
            missing ones are named, and the exit code is 130. A second one ends it at once.

            Examples:
              faultline reproduce --quick            every claim, about 3 minutes
              faultline reproduce trap-cost          one claim
              faultline reproduce --format json      for programs
            """)

    @Argument(
        help: ArgumentHelp("Claims to test; 'faultline claims' lists them. Left out: all.", valueName: "id"),
        completion: .list(Claims.identifiers))
    var claims: [String] = []

    @Flag(
        exclusivity: .exclusive,
        help: ArgumentHelp("Fewer and shorter rounds, or all that is worth waiting for. (default: --full)"))
    var extent: Extent?

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    @Option(help: ArgumentHelp("Determines the order of the cases and the resampling.", valueName: "n"))
    var seed: UInt64 = 1

    enum Extent: String, EnumerableFlag {
        case quick, full
    }

    func validate() throws {
        for name in claims where Claims.named(name) == nil {
            throw ValidationError("unknown claim '\(name)'; choose from: \(Claims.identifiers.joined(separator: ", "))")
        }
    }

    func run() throws {
        Interruption.listen()
        // The load average must be that of before.
        let machine = MachineFacts.current(compilers: true)
        let progress = Progress()
        defer { progress.finish() }
        let laboratory = Laboratory(
            isQuick: extent == .quick, seed: seed, progress: progress.update,
            isInterrupted: { Interruption.isRequested })
        // In the order of the list, each once, whatever order they were named in.
        let chosen = Claims.all.filter { claims.isEmpty || claims.contains($0.identifier) }
        let run = ClaimRunner(chosen, in: laboratory).run { _ in }
        progress.finish()
        let document = Document(
            machine: machine, records: run.records, notes: laboratory.notes, verdicts: run.verdicts)
        StandardOutput.write(format == .json ? try document.json() : try document.table())
        guard run.unfinished.isEmpty else { throw InterruptedRun(missing: run.unfinished) }
    }
}
