// Pages as Markdown, in the dialect of GitHub. What is folded in the HTML, and all records, are left out: they are in
// records.json and in report.html. So is more, where a page would be longer than a reader scrolls through.

extension ResultsPage {
    /// The page as Markdown. Plots are linked from the folder `plots` beside it.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func markdown() throws -> String {
        let blocks = try blocks()
        let texts = MarkdownWriter.Detail.allCases.lazy.map { MarkdownWriter(detail: $0).text(blocks) }
        return texts.first { $0.utf8.count <= Self.longestMarkdown } ?? MarkdownWriter(detail: .once).text(blocks)
    }

    /// Bytes; more is left to the HTML.
    static let longestMarkdown = 30_000
}

private struct MarkdownWriter {
    /// What is said of each claim, the most first.
    enum Detail: Int, CaseIterable {
        case all, withoutRuns, withoutChanges, least
        /// Nothing stands both in the table of claims and in their sections; times are in the HTML.
        case once
    }

    let detail: Detail

    func text(_ blocks: [PageBlock]) -> String {
        // A heading that only names what is folded says nothing.
        blocks.map { text($0) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func text(_ block: PageBlock) -> String {
        switch block {
        case .opening(let article): opening(article)
        case .heading(let level, let text, _): "\(String(repeating: "#", count: level)) \(escaped(text))\n"
        case .paragraph(let text): escaped(text) + "\n"
        case .labelled(let label, let text):
            text.isEmpty ? "**\(escaped(label)):**\n" : "**\(escaped(label)):** \(escaped(text))\n"
        case .quotation(let text, let author): "> \(escaped(text)) — \(escaped(author))\n"
        case .warning(let text): "**Warning:** \(escaped(text))\n"
        case .list(let items): items.map { "- \(escaped($0))\n" }.joined()
        case .lines(let lines):
            lines.enumerated().map { "\($0 + 1). **\(escaped($1.subject)).** \(escaped($1.text))\n" }.joined()
        case .table(let table): text(table)
        case .run(let run): detail == .all ? text(.labelled("What was run", run)) : ""
        case .change(let change):
            detail.rawValue < Detail.withoutChanges.rawValue
                ? text(.labelled("What would change the verdict", change)) : ""
        case .leftOut: leftOut
        case .claims(let rows): text(rows)
        // The sentence stands in the table of claims.
        case .finding(let row): detail == .once ? "" : "**\(badge(row))**\n"
        case .work(let work):
            "[\(escaped(work.name))](\(work.address)). \(escaped(work.found)) *Here:* \(escaped(work.ours))\n"
        case .again(let command, let time):
            detail == .once
                ? "`\(printable(command))`\n"
                : "**Again:** `\(printable(command))`\(time.map { ", \($0)" } ?? "")\n"
        // The heading above it says what it is of.
        case .plot(let plot): "![\(detail == .once ? plot.name : escaped(plot.title))](plots/\(plot.name).svg)\n"
        case .details: ""
        case .section(_, let blocks):
            text(
                blocks.filter { block in
                    if case .table = block { return detail.rawValue < Detail.least.rawValue }
                    return true
                })
        }
    }

    private var leftOut: String {
        let parts = ["what was run", "what would change the verdict", "all its numbers"].prefix(detail.rawValue)
        return parts.isEmpty
            ? ""
            : "report.html, which `faultline report` makes of records.json, also says of each claim "
                + "\(parts.joined(separator: ", ")).\n"
    }

    private func opening(_ article: Article) -> String {
        let figures = article.keyFigures.map { "**\(escaped($0.number))** \(escaped($0.text))" }
        let parts =
            ["# \(escaped(article.question))"] + (article.answer.isEmpty ? [] : ["**\(escaped(article.answer))**"])
            + article.paragraphs.map { escaped($0) } + (figures.isEmpty ? [] : [figures.joined(separator: " · ")])
        return parts.joined(separator: "\n\n") + "\n"
    }

    private func text(_ table: TextTable) -> String {
        let shown = table.shown
        guard !shown.columns.isEmpty else { return "" }
        return row(shown.columns.map { escaped($0.title) })
            + row(shown.columns.map { $0.alignment == .right ? "---:" : "---" })
            + shown.rows.map { row($0.map { escaped($0) }) }.joined()
    }

    private func text(_ rows: [ClaimRow]) -> String {
        // Its author stands at its quotation.
        let isOnce = detail == .once
        return row(["claim"] + (isOnce ? [] : ["by"]) + ["verdict", "what came out"])
            + row(Array(repeating: "---", count: isOnce ? 3 : 4))
            + rows.map { claim in
                let title = escaped(claim.title)
                return row(
                    [isOnce ? title : "[\(title)](#\(anchor(claim.title)))"] + (isOnce ? [] : [escaped(claim.author)])
                        + ["**\(badge(claim))**", escaped(claim.sentence)])
            }.joined()
    }

    private func badge(_ row: ClaimRow) -> String {
        row.verdict.rawValue + (row.isOurs ? " · ours" : "")
    }

    /// What GitHub names a heading of this text.
    private func anchor(_ heading: String) -> String {
        let kept = heading.lowercased().filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" }
        return kept.replacing(" ", with: "-")
    }

    private func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }

    private func printable(_ text: String) -> String { TextTable.printable(text) }

    /// The text with what Markdown would read as markup escaped.
    private func escaped(_ text: String) -> String {
        var result = ""
        let characters = Array(printable(text))
        for (place, character) in characters.enumerated() {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case "\\", "`", "*", "_", "|", "#", "~": result += "\\\(character)"
            // What follows makes it the end of a link; intervals are none.
            case "]" where place + 1 < characters.count && "([:".contains(characters[place + 1]): result += "\\]"
            default: result.append(character)
            }
        }
        return result
    }
}
