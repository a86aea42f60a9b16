// Several runs of claims, of several machines or days, as one document. Each claim is judged in each run and over the
// records of all; where runs disagree, it depends on the machine, and the verdict says so.

import Measurement
import Report

/// Puts runs together.
public enum MergedRuns {
    /// One run: what it is called, for instance its folder, and its document.
    public typealias Run = (name: String, document: Document)

    /// The runs as one document; one run as it is.
    ///
    /// - Parameter claims: Those that judge.
    /// - Precondition: There is a run.
    public static func document(_ runs: [Run], judgedBy claims: [any Claim] = Claims.all) -> Document {
        guard runs.count > 1 else { return runs[0].document }
        let records = Record.merged(runs.map(\.document.records))
        let listed = claims.filter { claim in
            runs.contains { $0.document.verdicts?.contains { $0.claim == claim.identifier } == true }
        }
        var document = Document(
            machine: runs[0].document.machine, records: records, notes: [],
            verdicts: listed.map { verdict(on: $0, records, runs) }, claims: listed.map(\.listing))
        document.runs = runs.map { MeasuredRun(name: $0.name, $0.document) }
        document.notes = said(in: runs) { $0.notes }
        document.machine.warnings = said(in: runs) { $0.machine.warnings }
        return document
    }

    /// What a document's verdicts are by the rules and its records: what a reader can check.
    public static func judged(_ document: Document, _ claim: any Claim) -> Verdict {
        let byRun = document.verdicts?.first { $0.claim == claim.identifier }?.byRun ?? []
        return disagree(byRun) ? .depends : claim.verdict(on: document.records).verdict
    }

    private static func disagree(_ verdicts: [Verdict]) -> Bool {
        // Where it cannot be measured, nothing is said against the others.
        Set(verdicts.filter { $0 != .notMeasurable }).count > 1
    }

    private static func verdict(on claim: any Claim, _ records: [Record], _ runs: [Run]) -> ClaimVerdict {
        let each = runs.map { run -> ClaimVerdict in
            let own = claim.verdict(on: run.document.records)
            let published = run.document.verdicts?.first { $0.claim == claim.identifier }
            // What was missing there is known there only.
            if own.verdict == .notMeasurable, let published, published.verdict == .notMeasurable { return published }
            return own
        }
        var verdict = claim.verdict(on: records)
        let verdicts = each.map(\.verdict)
        verdict.byRun = verdicts
        for index in verdict.measured.indices {
            let medians = each.compactMap { own in
                own.measured.first { $0.name == verdict.measured[index].name }?.median
            }
            if medians.count > 1 { verdict.measured[index].byRun = medians }
        }
        let published = runs.compactMap { run in run.document.verdicts?.first { $0.claim == claim.identifier } }
        verdict.command = published.first?.command
        verdict.seconds = published.compactMap(\.seconds).max()
        let disturbed = zip(runs, each.indices).compactMap { run, _ in
            run.document.verdicts?.first { $0.claim == claim.identifier }?.disturbed.map { "\(run.name): \($0)" }
        }
        if !disturbed.isEmpty { verdict.disturbed = disturbed.joined(separator: "; ") }
        if verdicts.allSatisfy({ $0 == .notMeasurable }) {
            verdict.reason = each[0].reason
        } else if disagree(verdicts) {
            verdict.verdict = .depends
            let words = zip(runs, each).map { run, own in
                "\(own.verdict.rawValue) in \(run.name)\(machine(run.document))"
            }
            verdict.reason =
                "it depends on the machine or the day: \(words.joined(separator: ", ")). In all runs: \(verdict.reason)"
        } else {
            let absent = zip(runs, verdicts).filter { $0.1 == .notMeasurable }.map(\.0.name)
            if !absent.isEmpty { verdict.reason += "; not measurable in \(absent.joined(separator: ", "))" }
        }
        return verdict
    }

    private static func machine(_ document: Document) -> String {
        document.machine.processorModel.map { " (\($0))" } ?? ""
    }

    /// What all say once, what some say with their names.
    private static func said(in runs: [Run], _ lines: (Document) -> [String]) -> [String] {
        var all: [String] = []
        for run in runs {
            for line in lines(run.document) {
                let own = runs.allSatisfy { lines($0.document).contains(line) } ? line : "\(run.name): \(line)"
                if !all.contains(own) { all.append(own) }
            }
        }
        return all
    }
}
