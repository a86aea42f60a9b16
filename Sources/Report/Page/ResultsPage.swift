// Which parts a page of results has, and in which order: the summary, the verdicts, each claim with all that was
// measured for it, the machine.

import Measurement

/// A document for readers, as Markdown or HTML.
public struct ResultsPage {
    /// What is shown.
    public var document: Document
    /// What follows from it, a line each; shown first.
    public var summary: [String]
    /// Shown with the claim whose identifier begins their name; those of no claim stand with the verdicts.
    public var plots: [Plot]

    /// A page.
    public init(_ document: Document, summary: [String] = [], plots: [Plot] = []) {
        self.document = document
        self.summary = summary
        self.plots = plots
    }

    static let title = "Faultline: the claims, measured"

    /// All parts.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)`` for the first record that breaks an invariant.
    func blocks() throws -> [PageBlock] {
        for record in document.records { try record.check() }
        var blocks: [PageBlock] = [.heading(1, Self.title)]
        if !summary.isEmpty {
            blocks += [.heading(2, "Summary"), .list(summary, isNumbered: true)]
        }
        blocks += document.machine.warnings.map { .warning($0) }
        let verdicts = document.verdicts ?? []
        if !verdicts.isEmpty { blocks += overview(verdicts) }
        for verdict in verdicts { blocks += section(verdict) }
        for suite in document.suites where !verdicts.contains(where: { $0.claim == suite }) {
            blocks += [.heading(2, suite, anchor: suite)] + records(of: suite)
        }
        blocks += [.heading(2, "The machine", anchor: "machine"), .table(document.machine.table)]
        if !document.notes.isEmpty { blocks += [.heading(2, "Notes"), .list(document.notes)] }
        return blocks
    }

    private func overview(_ verdicts: [ClaimVerdict]) -> [PageBlock] {
        let counts = Verdict.allCases.compactMap { verdict in
            let count = verdicts.count { $0.verdict == verdict }
            return count == 0 ? nil : "\(count) \(verdict.rawValue)"
        }
        let claims = verdicts.count == 1 ? "One claim" : "\(verdicts.count) claims"
        return [
            .heading(2, "Verdicts"),
            .paragraph(
                "\(claims): \(counts.joined(separator: ", ")). Each verdict is computed from what was measured."),
        ] + plots.filter { claim(of: $0) == nil }.map { .plot($0) } + [
            .verdicts(verdicts),
            .paragraph(
                "Numbers are medians with 95 % bootstrap intervals, of rounds in which all cases took turns in an "
                    + "order drawn anew. Ratios are taken within each round. Lower is better."),
        ]
    }

    private func section(_ verdict: ClaimVerdict) -> [PageBlock] {
        var blocks: [PageBlock] = [
            .heading(2, verdict.claim, anchor: verdict.claim),
            .quotation(verdict.statement, by: verdict.saidBy), .verdict(verdict.verdict, verdict.reason),
        ]
        let figures = verdict.figures
        if !figures.shown.rows.isEmpty { blocks.append(.table(figures)) }
        blocks += plots.filter { claim(of: $0) == verdict.claim }.map { .plot($0) }
        if let claim = document.claims?.first(where: { $0.claim == verdict.claim }), !claim.experiments.isEmpty {
            blocks += [.labelled("What was run", ""), .list(claim.experiments)]
        }
        blocks += records(of: verdict.claim)
        if let command = verdict.command {
            let time = verdict.seconds.map { " (it took \(QuantityFormatter.string($0 * 1e9, .nanoseconds)))" } ?? ""
            blocks += [.labelled("To run it again\(time)", ""), .command(command)]
        }
        return blocks
    }

    /// The claim whose identifier begins the plot's name; the longest, where several do.
    private func claim(of plot: Plot) -> String? {
        (document.verdicts ?? []).map(\.claim).filter { plot.name == $0 || plot.name.hasPrefix("\($0)-") }
            .max { $0.count < $1.count }
    }

    /// The null controls in sight, because they tell how much of a difference is noise; the rest on request.
    private func records(of suite: String) -> [PageBlock] {
        let records = document.records.filter { $0.suite == suite }
        let controls = records.filter { $0.parameters[.nullControl] == true }
        let others = records.filter { $0.parameters[.nullControl] != true }
        var blocks: [PageBlock] = []
        if !controls.isEmpty {
            blocks += [
                .labelled("Null controls", "the same code twice; how far its ratio is from 1 is noise."),
                .table(RecordTable(controls).table),
            ]
        }
        if !others.isEmpty {
            let table = RecordTable(others)
            let heading = others.count == 1 ? "One record" : "\(others.count) records"
            blocks.append(
                .details(heading, (table.common.isEmpty ? [] : [.paragraph(table.common)]) + [.table(table.table)]))
        }
        return blocks
    }
}

extension ClaimVerdict {
    /// Each number, claimed and measured; those that were only measured at the end.
    fileprivate var figures: TextTable {
        var table = TextTable([.init("number"), .init("claimed", .right), .init("measured", .right)])
        for row in rows where !claimed.isEmpty || row.measured != nil {
            table.append([row.name, row.claimed?.description ?? "", row.measured?.description ?? ""])
        }
        let shown = Set(rows.map(\.name))
        for figure in measured where !shown.contains(figure.name) {
            table.append([figure.name, "", figure.description])
        }
        return table
    }
}
