// `faultline reproduce`: claims measured and judged one after the other; what is finished survives an interruption.

import ArgumentParser
import Claims
import Experiments
import FoundationEssentials
import Measurement
import Report

/// Measures claims and judges them.
struct ReproduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce", abstract: "Measure the claims of the discussion and judge each.",
        usage: "faultline reproduce [<id> ...] [--quick | --full] [<options>]",
        discussion: """
            A verdict is computed from what is measured here: confirmed, refuted, \
            depends, not distinguishable from zero, or not measurable here, with what is missing.

            Ctrl-C ends the run after the current step: finished claims are kept, the \
            missing ones are named, and the exit code is 130. A second one ends it at once. \
            With --continue a run goes on where it was interrupted: what was measured \
            stays, but for claims that are named, which are measured anew.

            Examples:
              faultline reproduce --quick --out results   every claim, in short
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
            "Write the results to this folder: records.json, report.html, report.md and claims/, after each claim.",
            valueName: "folder"),
        completion: .directory)
    var out: String?

    @Flag(
        name: .customLong("continue"),
        help: "Go on with the run in --out: measure what it lacks, or the named claims anew.")
    var continues = false

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
        guard !continues || out != nil else {
            throw ValidationError("--continue needs --out: name the folder of the run")
        }
    }

    func run() throws {
        Interruption.listen()
        let folder = out.map { ResultsFolder($0) }
        var former = continues ? try folder.map { try interrupted($0) } : nil
        try folder?.prepare()
        // In the order of the list, each once, whatever order they were named in.
        let chosen = claims.isEmpty ? former?.claims?.map(\.claim) ?? Claims.identifiers : claims
        let left = Claims.all.filter { claim in
            guard chosen.contains(claim.identifier) else { return false }
            // What could not be measured may be now.
            return !claims.isEmpty
                || former?.verdicts?.contains { $0.claim == claim.identifier && !$0.measured.isEmpty } != true
        }
        guard !left.isEmpty else {
            throw RuntimeFailure("'\(out ?? "")' is complete; name the claims that are to be measured anew")
        }
        former = former?.without(Set(left.map(\.identifier)))
        let now = Date().formatted(.iso8601)
        let later = "it went on at \(now), with \(left.map(\.identifier).joined(separator: ", "))"
        // The load average must be that of before.
        let machine = former?.machine ?? .current(compilers: true)
        let progress = Progress()
        defer { progress.finish() }
        var finished = former?.verdicts?.count ?? 0
        let total = finished + left.count
        let laboratory = Laboratory(
            isQuick: extent == .quick, seed: seed,
            progress: { step in progress.update("\(finished + 1) of \(total): \(step)") },
            isInterrupted: { Interruption.isRequested })
        let before = LoadReading()
        func document(_ run: ClaimRun) -> Document {
            let verdicts = Self.ordered((former?.verdicts ?? []) + run.verdicts) { $0.claim }
            let unfinished = left.dropFirst(run.finished.count)
            var document = Document(
                machine: machine, records: Self.ordered((former?.records ?? []) + run.records) { $0.suite },
                notes: (former?.notes ?? []).filter { !$0.hasPrefix(Self.notFinished) }
                    + (former == nil ? [] : [later]) + laboratory.notes
                    + Self.note(load: MachineLoad(from: before, to: LoadReading())) + Self.note(unfinished: unfinished),
                verdicts: verdicts,
                claims: Claims.all.map(\.listing).filter { listing in
                    verdicts.contains { $0.claim == listing.claim }
                        || unfinished.contains { $0.identifier == listing.claim }
                })
            (document.began, document.seed) = (former?.began ?? now, seed)
            return document
        }
        let run = try ClaimRunner(left, in: laboratory).run { run in
            finished = total - left.count + run.finished.count
            let document = document(run)
            try folder?.write(ResultsPage(document, article: Summary.article(document)))
        }
        progress.finish()
        try write(document(run))
        guard run.unfinished.isEmpty else { throw InterruptedRun(missing: run.unfinished) }
    }

    /// The run that is gone on with.
    private func interrupted(_ folder: ResultsFolder) throws -> Document {
        let document = try folder.document()
        let name = out ?? ""
        guard document.runs == nil, let former = document.seed, document.began != nil else {
            throw RuntimeFailure("'\(name)' is not of one run of this version; begin in another folder")
        }
        guard former == seed else {
            throw RuntimeFailure("'\(name)' is a run with seed \(former); say --seed \(former)")
        }
        guard document.machine.processorModel == MachineFacts.current().processorModel else {
            throw RuntimeFailure("'\(name)' is a run of another machine; begin in another folder")
        }
        let isQuick = document.verdicts?.contains { $0.command?.contains("--quick") == true } == true
        guard isQuick == (extent == .quick) else {
            let kind: Extent = isQuick ? .quick : .full
            throw RuntimeFailure("'\(name)' is a \(kind.rawValue) run; say --\(kind.rawValue)")
        }
        return document
    }

    /// In the order of the list of claims.
    private static func ordered<Element>(_ all: [Element], _ claim: (Element) -> String) -> [Element] {
        let groups = Dictionary(grouping: all, by: claim)
        return Claims.identifiers.flatMap { groups[$0] ?? [] }
    }

    private static let notFinished = "not finished: "

    /// Everything where it is kept nowhere else.
    private func write(_ document: Document) throws {
        switch format {
        case .json: StandardOutput.write(try document.json())
        case .table: StandardOutput.write(out == nil ? try document.table() : (document.verdicts ?? []).table())
        }
    }

    /// What else the machine did.
    private static func note(load: MachineLoad?) -> [String] { load.map { ["during the run: \($0.text)"] } ?? [] }

    /// What a reader of an incomplete run must know.
    private static func note(unfinished claims: some Collection<any Claim>) -> [String] {
        claims.isEmpty ? [] : ["\(notFinished)\(claims.map(\.identifier).joined(separator: ", "))"]
    }
}
