// The section of a claim: what came out, what was said, the plot, claimed beside measured numbers, what was run, what
// would change the verdict. How the rule decided, further figures and all records are there on request.

import Measurement

extension ResultsPage {
    /// The claim in the table of claims.
    func row(_ verdict: ClaimVerdict) -> ClaimRow {
        let finding = article.findings[verdict.claim]
        return ClaimRow(
            claim: verdict.claim, title: finding?.title ?? verdict.claim, author: verdict.author,
            verdict: verdict.verdict, isOurs: verdict.isOurs,
            sentence: (finding?.sentence ?? verdict.statement) + caveats(verdict))
    }

    /// What a reader of a verdict must know of its runs.
    private func caveats(_ verdict: ClaimVerdict) -> String {
        let byRun = verdict.byRun ?? []
        let each = zip(byRun, document.runs ?? []).map { "\($0.words) in \($1.name)" }.joined(separator: ", ")
        return (Set(byRun).count > 1 ? " Run by run: \(each)." : "")
            + (verdict.disturbed == nil ? "" : " Others used the processors meanwhile.")
    }

    /// The blocks of a claim's section.
    func section(_ verdict: ClaimVerdict) -> [PageBlock] {
        var blocks: [PageBlock] = [
            .heading(3, row(verdict).title), .finding(row(verdict)),
            .quotation(verdict.statement, by: verdict.isOurs ? "a claim of ours" : verdict.saidBy),
        ]
        blocks += plots.filter { claim(of: $0) == verdict.claim }.map { .plot($0) }
        let (shown, others) = figures(of: verdict)
        if !shown.shown.rows.isEmpty { blocks.append(.table(shown)) }
        if let claim = document.claims?.first(where: { $0.claim == verdict.claim }), !claim.experiments.isEmpty {
            let sentences = claim.experiments.map { Self.sentence(article.worded($0)) }
            blocks.append(.run(sentences.joined(separator: " ")))
        }
        if let change = article.findings[verdict.claim]?.change, !change.isEmpty {
            blocks.append(.change(change))
        }
        if let command = verdict.command {
            blocks.append(.again(command, verdict.seconds.flatMap(Self.duration)))
        }
        var decision: [PageBlock] = [.labelled("Rule", verdict.reason)]
        if let disturbed = verdict.disturbed { decision.append(.labelled("Disturbed", Self.sentence(disturbed))) }
        if !others.shown.rows.isEmpty { decision.append(.table(others)) }
        let recorded = records(of: verdict.claim)
        let count = document.records.count { $0.suite == verdict.claim }
        return blocks + [.decision(decision)]
            + (recorded.isEmpty ? [] : [.details("Measured: \(Self.counted(count, "record"))", recorded)])
    }

    /// Records in groups: the null controls first, because they tell how much of a difference is noise.
    func records(of suite: String) -> [PageBlock] {
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
            blocks.append(
                .details(
                    Self.counted(others.count, "record"),
                    (table.common.isEmpty ? [] : [.paragraph(table.common)]) + [.table(table.table)]))
        }
        return blocks
    }

    /// Claimed numbers beside measured ones, and what else was measured. A claim without numbers shows the first of
    /// those.
    private func figures(of verdict: ClaimVerdict) -> (shown: TextTable, others: TextTable) {
        let runs = document.runs ?? []
        let titles: [TextTable.Column] =
            [
                .init("number"), .init("claimed", .right), .init("measured", .right), .init("95 % interval", .right),
                .init("n", .right),
            ]
            + runs.map { .init("in \($0.name)", .right) }
        // Of a figure that a run lacks it is not known which one that is.
        func byRun(_ figure: MeasuredFigure?) -> [String] {
            guard var figure, let medians = figure.byRun, medians.count == runs.count else {
                return runs.map { _ in "" }
            }
            return medians.map { median in
                (figure.median, figure.low, figure.high) = (median, median, median)
                return ReaderNumber(figure).marked
            }
        }
        // What was counted once has no samples.
        func samples(_ figure: MeasuredFigure?) -> String { figure?.samples.flatMap { $0 > 0 ? "\($0)" : nil } ?? "" }
        var (shown, others) = (TextTable(titles), TextTable(titles))
        for claimed in verdict.claimed {
            let figure = verdict.measured.first { $0.name == claimed.name }
            let number = figure.map { ReaderNumber($0) }
            shown.append(
                [
                    article.worded(claimed.name), ReaderNumber.markedClaim(claimed), number?.marked ?? "",
                    number?.interval ?? "", samples(figure),
                ] + byRun(figure))
        }
        let claimed = Set(verdict.claimed.map(\.name))
        let further = verdict.measured.filter { !claimed.contains($0.name) }
        for (place, figure) in further.enumerated() {
            let number = ReaderNumber(figure)
            let cells =
                [article.worded(figure.name), "", number.marked, number.interval, samples(figure)] + byRun(figure)
            if claimed.isEmpty, place < Self.shownFigures { shown.append(cells) } else { others.append(cells) }
        }
        return (shown, others)
    }

    /// As many as a reader takes in at a glance.
    private static let shownFigures = 6

    private static func sentence(_ text: String) -> String {
        let end = text.last.map { ".:;!?".contains($0) } ?? true ? "" : "."
        // A word of a formula, such as a(4,5), keeps its letter.
        let isWord = text.dropFirst().first.map { $0.isLetter || $0 == " " } ?? false
        return (isWord ? text.prefix(1).uppercased() : String(text.prefix(1))) + text.dropFirst() + end
    }

    private static func counted(_ number: Int, _ noun: String) -> String {
        number == 1 ? "one \(noun)" : "\(QuantityFormatter.grouped(Double(number), decimals: 0)) \(noun)s"
    }

    /// Nothing of less than half a second: then the measurement was made for a claim before.
    private static func duration(_ seconds: Double) -> String? {
        if seconds < 0.5 { return nil }
        if seconds < 1.5 { return "one second" }
        return seconds < 90
            ? "\(Int(seconds.rounded())) seconds" : "\(Int((seconds / 60).rounded())) minutes"
    }
}

extension ClaimVerdict {
    /// Whether this project made the claim itself.
    var isOurs: Bool { saidBy.hasPrefix("ours") || saidBy.hasPrefix("derived") }

    /// Who made the claim, in a few words.
    fileprivate var author: String {
        if isOurs { return "us" }
        let first = saidBy.prefix { $0 != ";" && $0 != "," }
        return first.hasPrefix("an article") || first.hasPrefix("articles") ? "an article" : String(first)
    }
}

extension Verdict {
    /// What a reader calls it.
    var words: String {
        switch self {
        case .notMeasurable: "not measurable here"
        default: rawValue
        }
    }
}
