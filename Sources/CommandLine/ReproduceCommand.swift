// `faultline reproduce`: claims measured and judged one after the other; what is finished survives an interruption.

import ArgumentParser
import Claims
import Experiments
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

            Ctrl-C ends the run after the current step: finished claims are kept, the \
            missing ones are named, and the exit code is 130. A second one ends it at once.

            Examples:
              faultline reproduce --quick --out results   every claim, about 3 minutes
              faultline reproduce trap-cost               one claim
              faultline reproduce --format json           for programs
            """)

    @Argument(
        help: ArgumentHelp("Claims to test; 'faultline claims' lists them. Left out: all.", valueName: "id"),
        completion: .list(Claims.identifiers))
    var claims: [String] = []

    @Flag(
        exclusivity: .exclusive,
        help: ArgumentHelp("Fewer and shorter rounds, or all of them. (default: --full)"))
    var extent: Extent?

    @Option(
        help: ArgumentHelp(
            "Write the results to this folder: records.json, report.md and report.html, written after each claim.",
            valueName: "folder"),
        completion: .directory)
    var out: String?

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    @Option(help: ArgumentHelp("Determines the order of the cases and the resampling.", valueName: "n"))
    var seed = Laboratory.defaultSeed

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
        let folder = out.map { ResultsFolder($0) }
        try folder?.prepare()
        // In the order of the list, each once, whatever order they were named in.
        let chosen = Claims.all.filter { claims.isEmpty || claims.contains($0.identifier) }
        // The load average must be that of before.
        var document = Document(
            machine: .current(compilers: true), records: [], verdicts: [], claims: chosen.map(\.listing))
        let progress = Progress()
        defer { progress.finish() }
        let laboratory = Laboratory(
            isQuick: extent == .quick, seed: seed,
            progress: { step in
                progress.update("\((document.verdicts ?? []).count + 1) of \(chosen.count): \(step)")
            },
            isInterrupted: { Interruption.isRequested })
        let run = try ClaimRunner(chosen, in: laboratory).run { run in
            document.records = run.records
            document.verdicts = run.verdicts
            document.notes = laboratory.notes + Self.note(unfinished: chosen.dropFirst(run.finished.count))
            try folder?.write(ResultsPage(document, summary: Summary.lines(document)))
        }
        progress.finish()
        document.notes = laboratory.notes + Self.note(unfinished: chosen.dropFirst(run.finished.count))
        try write(document)
        guard run.unfinished.isEmpty else { throw InterruptedRun(missing: run.unfinished) }
    }

    /// Everything where it is kept nowhere else.
    private func write(_ document: Document) throws {
        switch format {
        case .json: StandardOutput.write(try document.json())
        case .table: StandardOutput.write(out == nil ? try document.table() : (document.verdicts ?? []).table())
        }
    }

    /// What a reader of an incomplete run must know.
    private static func note(unfinished claims: some Collection<any Claim>) -> [String] {
        claims.isEmpty ? [] : ["not finished: \(claims.map(\.identifier).joined(separator: ", "))"]
    }
}
