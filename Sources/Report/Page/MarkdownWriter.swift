// Pages as Markdown, in the dialect of GitHub: one with the answer and the table of claims, and one for each claim.
// Records are in records.json and in report.html.

extension ResultsPage {
    /// A file of Markdown; its path is relative to the folder of the results.
    public typealias MarkdownFile = (path: String, text: String)

    /// The page as Markdown, `report.md`, and a page for each claim, `claims/NAME.md`. Plots are linked from the folder
    /// `plots`.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func markdown() throws -> [MarkdownFile] {
        let report = MarkdownWriter(folder: "", level: 0).text(try blocks())
        return [("report.md", report)]
            + (document.verdicts ?? []).map { verdict in
                ("claims/\(verdict.claim).md", MarkdownWriter(folder: "../", level: -2).text(section(verdict)))
            }
    }
}

private struct MarkdownWriter {
    /// From the page to the folder of the results.
    let folder: String
    /// Added to the levels of headings.
    let level: Int

    func text(_ blocks: [PageBlock]) -> String {
        // A heading that only names what is folded says nothing.
        blocks.map { text($0) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func text(_ block: PageBlock) -> String {
        switch block {
        case .opening(let article): opening(article)
        case .heading(let level, let text, _):
            "\(String(repeating: "#", count: level + self.level)) \(escaped(text))\n"
        case .paragraph(let text): escaped(text) + "\n"
        case .labelled(let label, let text):
            text.isEmpty ? "**\(escaped(label)):**\n" : "**\(escaped(label)):** \(escaped(text))\n"
        case .quotation(let text, let author): "> \(escaped(text)) — \(escaped(author))\n"
        case .warning(let text): "**Warning:** \(escaped(text))\n"
        case .list(let items): items.map { "- \(escaped($0))\n" }.joined()
        case .lines(let lines):
            lines.enumerated().map { "\($0 + 1). **\(escaped($1.subject)).** \(escaped($1.text))\n" }.joined()
        case .table(let table): text(table)
        case .run(let run): text(.labelled("What was run", run))
        case .change(let change): text(.labelled("What would change the verdict", change))
        case .claims(let rows): text(rows)
        case .finding(let row): "**\(badge(row))**: \(escaped(row.sentence))\n"
        case .work(let work):
            "[\(escaped(work.name))](\(work.address)). \(escaped(work.found)) *Here:* \(escaped(work.ours))\n"
        case .again(let command, let time):
            "**Again:** `\(printable(command))`\(time.map { ", \($0)" } ?? "")\n"
        case .plot(let plot): "![\(escaped(plot.title))](\(folder)plots/\(plot.name).svg)\n"
        case .decision(let blocks): text(blocks)
        case .details, .sections: ""
        }
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
        row(["claim", "by", "verdict", "what came out"]) + row(Array(repeating: "---", count: 4))
            + rows.map { claim in
                row([
                    "[\(escaped(claim.title))](\(folder)claims/\(claim.claim).md)", escaped(claim.author),
                    "**\(badge(claim))**", escaped(claim.sentence),
                ])
            }.joined()
    }

    private func badge(_ row: ClaimRow) -> String {
        row.verdict.rawValue + (row.isOurs ? " · ours" : "")
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
