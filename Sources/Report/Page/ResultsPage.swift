// Which parts a page of results has, and in which order: the question and its answer, the summary, the claims, each
// claim with its plot, the work of others, how to measure again, the machine.

import FoundationEssentials
import Measurement

/// A document for readers, as Markdown or HTML.
public struct ResultsPage {
    /// What is shown.
    public var document: Document
    /// What follows from it, in words.
    public var article: Article
    /// Shown with the claim whose identifier begins their name; those of no claim stand with the table of claims.
    public var plots: [Plot]

    /// A page.
    public init(_ document: Document, article: Article = Article(question: "Results"), plots: [Plot] = []) {
        self.document = document
        self.article = article
        self.plots = plots
    }

    /// All parts.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)`` for the first record that breaks an invariant.
    func blocks() throws -> [PageBlock] {
        for record in document.records { try record.check() }
        let verdicts = document.verdicts ?? []
        var blocks: [PageBlock] = [.opening(article)]
        // An incomplete run is the first thing to know of it.
        let warnings = document.notes.filter { $0.hasPrefix("not finished: ") } + document.machine.warnings
        blocks += warnings.map { .warning($0) }
        if !article.lines.isEmpty {
            blocks += [.heading(2, "In \(Self.spelled(article.lines.count)) lines", anchor: "lines")]
            blocks += [.lines(article.lines)]
        }
        if !verdicts.isEmpty {
            blocks += overview(verdicts)
            blocks.append(.sections("Claim by claim", verdicts.map { ($0.claim, section($0)) }))
        }
        for suite in document.suites where !verdicts.contains(where: { $0.claim == suite }) {
            blocks += [.heading(2, suite, anchor: suite)] + records(of: suite)
        }
        if !article.related.isEmpty {
            blocks += [.heading(2, "Related work", anchor: "related")] + article.related.map { .work($0) }
        }
        return blocks + guide() + machine()
    }

    private func overview(_ verdicts: [ClaimVerdict]) -> [PageBlock] {
        let counts = Verdict.allCases.compactMap { verdict in
            let count = verdicts.count { $0.verdict == verdict }
            return count == 0 ? nil : "\(count) \(verdict.words)"
        }
        let claims = verdicts.count == 1 ? "One claim" : "\(verdicts.count) claims"
        return [
            .heading(2, "The claims", anchor: "claims"),
            .paragraph(
                "\(claims): \(counts.joined(separator: ", ")). A verdict is computed from what was measured and what "
                    + "was claimed. Depends means that a claim holds up to a boundary, which its rule names, or in one "
                    + "run and not in another; ours, that we made it ourselves."),
            .claims(verdicts.map(row)),
        ] + plots.filter { claim(of: $0) == nil }.map { .plot($0) } + [
            .paragraph(
                (document.runs == nil
                    ? "Numbers are medians, with the intervals that hold the true one in 95 of 100 such runs. "
                    : "Numbers are medians over the runs below, with the intervals that hold those of every run: each "
                        + "of these holds the true one in 95 of 100 such runs. ")
                    + "Where things are compared, they took turns in an order drawn anew for each round, and ratios "
                    + "are taken within a round. A mean over programs is a geometric one. Tables say of how many "
                    + "samples (n) a number is.")
        ] + (article.untested.isEmpty ? [] : [.labelled("Not tested", article.untested)])
    }

    private func guide() -> [PageBlock] {
        guard !article.guide.isEmpty else { return [] }
        var table = TextTable([.init("to make again"), .init("type"), .init("it takes")])
        for task in article.guide { table.append([task.what, task.command, task.time]) }
        return [.heading(2, "Measure it again", anchor: "guide"), .table(table)]
            + (article.needs.isEmpty ? [] : [.labelled("A second machine needs", ""), .list(article.needs)])
    }

    private func machine() -> [PageBlock] {
        let notes: [PageBlock] =
            document.notes.isEmpty ? [] : [.details("Notes of the run", [.list(document.notes)])]
        guard let runs = document.runs else {
            let facts = document.machine.summaryTable
            return [.heading(2, "The machine", anchor: "machine"), .table(facts)]
                + [.details("All facts of the machine", [.table(document.machine.table)])] + notes
        }
        var table = TextTable([
            .init("run"), .init("began (UTC)"), .init("seed", .right), .init("commit"), .init("processor"),
            .init("Linux"),
        ])
        for run in runs {
            table.append([
                run.name, run.began ?? "not known", run.seed.map { "\($0)" } ?? "not known",
                run.machine.sourceRevision ?? "not known", run.machine.processorModel ?? "not known",
                run.machine.kernelRelease ?? "not known",
            ])
        }
        return [.heading(2, "The runs and their machines", anchor: "machine"), .paragraph(apart(runs)), .table(table)]
            + runs.map { .details("All facts of the machine of \($0.name)", [.table($0.machine.table)]) } + notes
    }

    /// How different the runs are that are put together.
    private func apart(_ runs: [MeasuredRun]) -> String {
        let models = Set(runs.map(\.machine.processorModel)).count
        let times = runs.compactMap { $0.began.flatMap { try? Date($0, strategy: .iso8601) } }
        let hours = (times.max() ?? .distantPast).timeIntervalSince(times.min() ?? .distantPast) / 3600
        return "The runs are of processors of \(models == 1 ? "one model" : "\(models) models"), and "
            + (times.count < runs.count
                ? "it is not known when all of them began."
                : "began \(QuantityFormatter.grouped(hours, decimals: 1)) hours apart at most.")
    }

    /// The claim whose identifier begins the plot's name; the longest, where several do.
    func claim(of plot: Plot) -> String? {
        (document.verdicts ?? []).map(\.claim).filter { plot.name == $0 || plot.name.hasPrefix("\($0)-") }
            .max { $0.count < $1.count }
    }

    private static func spelled(_ number: Int) -> String { number == 10 ? "ten" : "\(number)" }
}
