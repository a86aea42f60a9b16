// Pages as Markdown, in the dialect of GitHub: pipe tables, and `details` as HTML.

extension ResultsPage {
    /// The page as Markdown. Plots are linked from the folder `plots` beside it.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func markdown() throws -> String {
        try MarkdownWriter.text(blocks())
    }
}

private enum MarkdownWriter {
    static func text(_ blocks: [PageBlock]) -> String { blocks.map(text).joined(separator: "\n") }

    private static func text(_ block: PageBlock) -> String {
        switch block {
        case .heading(let level, let text, _): "\(String(repeating: "#", count: level)) \(escaped(text))\n"
        case .paragraph(let text): escaped(text) + "\n"
        case .labelled(let label, let text):
            text.isEmpty ? "**\(escaped(label)):**\n" : "**\(escaped(label)):** \(escaped(text))\n"
        case .quotation(let text, let author): "> \(escaped(text))\n>\n> — \(escaped(author))\n"
        case .warning(let text): "**Warning:** \(escaped(text))\n"
        case .list(let items, let isNumbered):
            items.enumerated().map { place, item in "\(isNumbered ? "\(place + 1)." : "-") \(escaped(item))\n" }
                .joined()
        case .table(let table): text(table)
        case .verdicts(let verdicts): text(verdicts)
        case .verdict(let verdict, let reason): "**\(verdict.rawValue)**: \(escaped(reason))\n"
        case .command(let command): "    \(printable(command))\n"
        case .plot(let plot): "![\(escaped(plot.title))](plots/\(plot.name).svg)\n"
        case .details(let summary, let blocks):
            "<details><summary>\(escaped(summary))</summary>\n\n\(text(blocks))\n</details>\n"
        }
    }

    private static func text(_ table: TextTable) -> String {
        let shown = table.shown
        guard !shown.columns.isEmpty else { return "" }
        return row(shown.columns.map { escaped($0.title) })
            + row(shown.columns.map { $0.alignment == .right ? "---:" : "---" })
            + shown.rows.map { row($0.map(escaped)) }.joined()
    }

    private static func text(_ verdicts: [ClaimVerdict]) -> String {
        row(["claim", "verdict", "number", "claimed", "measured", "reason"])
            + row(["---", "---", "---", "---:", "---:", "---"])
            + verdicts.flatMap { verdict in
                verdict.rows.enumerated().map { place, figure in
                    let link = "[\(escaped(verdict.claim))](#\(verdict.claim))"
                    return row([
                        place == 0 ? link : "", place == 0 ? "**\(verdict.verdict.rawValue)**" : "",
                        escaped(figure.name), escaped(figure.claimed?.description ?? ""),
                        escaped(figure.measured?.description ?? ""),
                        place == 0 ? escaped(verdict.reason(atMost: 180)) : "",
                    ])
                }
            }.joined()
    }

    private static func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }

    private static func printable(_ text: String) -> String { TextTable.printable(text) }

    /// The text with what Markdown would read as markup escaped.
    private static func escaped(_ text: String) -> String {
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
