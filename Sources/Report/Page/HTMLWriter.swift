// Pages as one HTML file that needs no other: the style and the plots are part of it, and there is no script.

import FoundationEssentials

extension ResultsPage {
    /// The page as HTML.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func html() throws -> String {
        let style = String(decoding: PackageResources.page_css, as: UTF8.self)
        let blocks = try blocks()
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTMLWriter.escaped(article.question))</title>
            <style>
            \(style)</style>
            </head>
            <body>
            \(HTMLWriter.contents(blocks))<main>
            \(HTMLWriter.text(blocks))</main>
            </body>
            </html>

            """
    }
}

enum HTMLWriter {
    private static let sectionsAnchor = "findings"

    static func text(_ blocks: [PageBlock]) -> String { blocks.map(text).joined() }

    private static func text(_ block: PageBlock) -> String {
        switch block {
        case .opening(let article): opening(article)
        case .heading(let level, let text, let anchor):
            "<h\(level)\(anchor.map { " id=\"\(escaped($0))\"" } ?? "")>\(escaped(text))</h\(level)>\n"
        case .paragraph(let text): "<p>\(escaped(text))</p>\n"
        case .labelled(let label, let text):
            "<p class=\"label\"><strong>\(escaped(label)):</strong> \(escaped(text))</p>\n"
        case .quotation(let text, let author):
            "<blockquote><p>\(escaped(text))</p><footer>\(escaped(author))</footer></blockquote>\n"
        case .warning(let text): "<p class=\"warning\"><strong>Warning:</strong> \(escaped(text))</p>\n"
        case .list(let items): element("ul", "\n" + items.map { element("li", escaped($0)) }.joined())
        case .lines(let lines):
            element("ol class=\"lines\"", "\n" + lines.map { element("li", line($0)) }.joined())
        case .table(let table): text(table)
        case .claims(let rows): text(rows)
        case .finding(let row): "<p class=\"finding\">\(badge(row)) \(escaped(row.sentence))</p>\n"
        case .work(let work): text(work)
        case .again(let command, let time):
            "<p class=\"label\"><strong>To measure it again\(time.map { ", which took \($0)" } ?? ""):</strong></p>\n"
                + "<pre><code>\(escaped(command))</code></pre>\n"
        case .run(let run): text(.labelled("What was run", run))
        case .change(let change): text(.labelled("What would change the verdict", change))
        case .plot(let plot): text(plot)
        case .details(let summary, let blocks):
            "<details><summary>\(escaped(summary))</summary>\n\(text(blocks))</details>\n"
        case .decision(let blocks): text(.details("How the rule decided", blocks))
        case .sections(let title, let sections):
            text(.heading(2, title, anchor: sectionsAnchor))
                + sections.map { "<section id=\"\(escaped($0.anchor))\">\n\(text($0.blocks))</section>\n" }.joined()
        }
    }

    private static func opening(_ article: Article) -> String {
        var text = "<header>\n<h1>\(escaped(article.question))</h1>\n"
        if !article.answer.isEmpty { text += "<p class=\"answer\">\(escaped(article.answer))</p>\n" }
        text += article.paragraphs.map { "<p>\(escaped($0))</p>\n" }.joined()
        guard !article.keyFigures.isEmpty else { return text + "</header>\n" }
        let figures = article.keyFigures.map { figure in
            "<li><a href=\"#\(escaped(figure.claim))\"><strong>\(escaped(figure.number))</strong> "
                + "<span>\(escaped(figure.text))</span></a></li>\n"
        }
        return text + "<ul class=\"figures\">\n\(figures.joined())</ul>\n</header>\n"
    }

    /// A line of the summary, which leads to the claims that it follows from.
    private static func line(_ line: Article.Line) -> String {
        let subject =
            line.claims.first.map { "<a href=\"#\(escaped($0))\">\(escaped(line.subject))</a>" }
            ?? escaped(line.subject)
        return "<strong>\(subject).</strong> \(escaped(line.text))"
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

    /// A row for each claim; on a narrow window the style sets its cells below each other.
    private static func text(_ rows: [ClaimRow]) -> String {
        let body = rows.map { row in
            let link = "<a href=\"#\(escaped(row.claim))\">\(escaped(row.title))</a>"
            return element(
                "tr",
                "<td class=\"claim\">\(link)</td><td class=\"author\">\(escaped(row.author))</td>"
                    + "<td>\(badge(row))</td><td class=\"sentence\">\(escaped(row.sentence))</td>")
        }
        return "<table class=\"claims\">\n<thead><tr><th>claim</th><th>by</th><th>verdict</th><th>what came out</th>"
            + "</tr></thead>\n<tbody>\n\(body.joined())</tbody>\n</table>\n"
    }

    private static func text(_ work: Article.Work) -> String {
        "<p class=\"work\"><a href=\"\(escaped(work.address))\"><strong>\(escaped(work.name))</strong></a>. "
            + "\(escaped(work.found)) <em>Here:</em> \(escaped(work.ours))</p>\n"
    }

    /// As images, because the names inside of two plots on one page would meet; base64 holds no character to escape.
    private static func text(_ plot: Plot) -> String {
        func address(_ svg: String) -> String {
            "data:image/svg+xml;base64,\(Data(svg.utf8).base64EncodedString())"
        }
        let narrow = plot.narrow.map { "<source media=\"(max-width: 40rem)\" srcset=\"\(address($0))\">" } ?? ""
        let caption = plot.caption.map { "<figcaption>\(escaped($0))</figcaption>" } ?? ""
        return "<figure><picture>\(narrow)<img alt=\"\(escaped(plot.title))\" src=\"\(address(plot.svg))\"></picture>"
            + "\(caption)</figure>\n"
    }

    /// What is on the page, beside it on a wide window and on request on a narrow one.
    static func contents(_ blocks: [PageBlock]) -> String {
        var entries: [(level: Int, anchor: String, title: String)] = []
        for block in blocks {
            switch block {
            case .heading(2, let title, let anchor?): entries.append((2, anchor, title))
            case .sections(let title, let sections):
                entries.append((2, sectionsAnchor, title))
                for case (let anchor, .heading(_, let title, _)?) in sections.map({ ($0.anchor, $0.blocks.first) }) {
                    entries.append((3, anchor, title))
                }
            default: break
            }
        }
        guard entries.count > 2 else { return "" }
        let items = entries.map { entry in
            "<li class=\"level\(entry.level)\"><a href=\"#\(escaped(entry.anchor))\">\(escaped(entry.title))</a></li>\n"
        }
        let list = "<ul>\n\(items.joined())</ul>\n"
        return "<nav class=\"side\" aria-label=\"contents\">\n\(list)</nav>\n"
            + "<nav class=\"top\" aria-label=\"contents\">\n<details><summary>Contents</summary>\n\(list)</details>\n"
            + "</nav>\n"
    }

    /// A table that scrolls by itself where the window is narrow.
    private static func wide(_ rows: String) -> String { "<div class=\"wide\"><table>\n\(rows)\n</table></div>\n" }

    private static func badge(_ row: ClaimRow) -> String {
        let style = row.verdict.rawValue.prefix { $0 != " " }
        let ours = row.isOurs ? " · ours" : ""
        return "<span class=\"badge \(style)\">\(escaped(row.verdict.rawValue + ours))</span>"
    }

    private static func element(_ tag: String, _ content: String) -> String {
        "<\(tag)>\(content)</\(tag.prefix { $0 != " " })>\n"
    }

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
