// Pages as one HTML file that needs no other: the style and the plots are part of it, and there is no script.

import FoundationEssentials

extension ResultsPage {
    /// The page as HTML.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func html() throws -> String {
        let style = String(decoding: PackageResources.page_css, as: UTF8.self)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTMLWriter.escaped(Self.title))</title>
            <style>
            \(style)</style>
            </head>
            <body>
            <main>
            \(try HTMLWriter.text(blocks()))</main>
            </body>
            </html>

            """
    }
}

private enum HTMLWriter {
    static func text(_ blocks: [PageBlock]) -> String { blocks.map(text).joined() }

    private static func text(_ block: PageBlock) -> String {
        switch block {
        case .heading(let level, let text, let anchor):
            "<h\(level)\(anchor.map { " id=\"\(escaped($0))\"" } ?? "")>\(escaped(text))</h\(level)>\n"
        case .paragraph(let text): "<p>\(escaped(text))</p>\n"
        case .labelled(let label, let text):
            "<p class=\"label\"><strong>\(escaped(label)):</strong> \(escaped(text))</p>\n"
        case .quotation(let text, let author):
            "<blockquote><p>\(escaped(text))</p><footer>\(escaped(author))</footer></blockquote>\n"
        case .warning(let text): "<p class=\"warning\"><strong>Warning:</strong> \(escaped(text))</p>\n"
        case .list(let items, let isNumbered):
            element(isNumbered ? "ol" : "ul", "\n" + items.map { element("li", escaped($0)) }.joined())
        case .table(let table): text(table)
        case .verdicts(let verdicts): text(verdicts)
        case .verdict(let verdict, let reason): "<p class=\"verdict\">\(badge(verdict)) \(escaped(reason))</p>\n"
        case .command(let command): "<pre><code>\(escaped(command))</code></pre>\n"
        case .plot(let plot): text(plot)
        case .details(let summary, let blocks):
            "<details><summary>\(escaped(summary))</summary>\n\(text(blocks))</details>\n"
        }
    }

    private static func text(_ table: TextTable) -> String {
        let shown = table.shown
        guard !shown.columns.isEmpty else { return "" }
        let classes = shown.columns.map { $0.alignment == .right ? " class=\"number\"" : "" }
        let head = zip(shown.columns, classes).map { "<th\($1)>\(escaped($0.title))</th>" }.joined()
        let rows = shown.rows.map { row in
            element("tr", zip(row, classes).map { "<td\($1)>\(escaped($0))</td>" }.joined())
        }
        return wide("<thead><tr>\(head)</tr></thead>\n<tbody>\n\(rows.joined())</tbody>")
    }

    private static func text(_ verdicts: [ClaimVerdict]) -> String {
        let titles = ["claim", "verdict", "number", "claimed", "measured", "reason"]
        let bodies = verdicts.map { verdict in
            let figures = verdict.rows
            let span = figures.count > 1 ? " rowspan=\"\(figures.count)\"" : ""
            let rows = figures.enumerated().map { place, figure in
                var cells =
                    "<td class=\"figure\">\(escaped(figure.name))</td><td "
                    + "class=\"number\">\(escaped(figure.claimed?.description ?? ""))</td><td "
                    + "class=\"number\">\(escaped(figure.measured?.description ?? ""))</td>"
                if place == 0 {
                    let name = escaped(verdict.claim)
                    cells =
                        "<td\(span) class=\"claim\"><a "
                        + "href=\"#\(name)\">\(name)</a></td><td\(span)>\(badge(verdict.verdict))</td>"
                        + cells + "<td\(span) class=\"reason\">\(escaped(verdict.reason(atMost: 180)))</td>"
                }
                return element("tr", cells)
            }
            // A body per claim, so that the style can draw a line between claims.
            return "<tbody>\n\(rows.joined())</tbody>"
        }
        let head = titles.map { "<th\($0 == "claimed" || $0 == "measured" ? " class=\"number\"" : "")>\($0)</th>" }
        return wide("<thead><tr>\(head.joined())</tr></thead>\n\(bodies.joined(separator: "\n"))")
    }

    /// As an image, because the names inside of two plots on one page would meet; base64 holds no character to escape.
    private static func text(_ plot: Plot) -> String {
        let data = Data(plot.svg.utf8).base64EncodedString()
        return "<figure><img alt=\"\(escaped(plot.title))\" src=\"data:image/svg+xml;base64,\(data)\"></figure>\n"
    }

    /// A table that scrolls by itself where the window is narrow.
    private static func wide(_ rows: String) -> String { "<div class=\"wide\"><table>\n\(rows)\n</table></div>\n" }

    private static func badge(_ verdict: Verdict) -> String {
        let style = verdict.rawValue.prefix { $0 != " " }
        return "<span class=\"badge \(style)\">\(escaped(verdict.rawValue))</span>"
    }

    private static func element(_ name: String, _ content: String) -> String { "<\(name)>\(content)</\(name)>\n" }

    /// The text with what HTML would read as markup escaped, in elements and in quoted attributes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in TextTable.printable(text) {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
