// What a page of results is made of, whatever it is written as. Text in a block is plain: each writer escapes it.

/// A part of a page.
enum PageBlock {
    /// 1 to 3; the anchor is what links within the page name.
    case heading(Int, String, anchor: String? = nil)
    case paragraph(String)
    /// A paragraph after a word in bold.
    case labelled(String, String)
    /// What a source said.
    case quotation(String, by: String)
    case warning(String)
    case list([String], isNumbered: Bool = false)
    case table(TextTable)
    /// Claims with their verdicts, each linked to the heading of that anchor.
    case verdicts([ClaimVerdict])
    /// How a claim fared, and why.
    case verdict(Verdict, String)
    /// What to type.
    case command(String)
    case plot(Plot)
    /// Hidden until asked for.
    case details(String, [PageBlock])
}

/// A plot that is there as a file.
public struct Plot: Sendable, Hashable {
    /// The name of the file, without its ending.
    public var name: String
    /// The image.
    public var svg: String

    /// A plot.
    public init(name: String, svg: String) {
        self.name = name
        self.svg = svg
    }

    /// What the image says that it shows (its Dublin Core title), else its name.
    var title: String {
        let tags = (open: "<dc:title>", close: "</dc:title>")
        guard let start = svg.firstRange(of: tags.open)?.upperBound,
            let end = svg[start...].firstRange(of: tags.close)?.lowerBound, start < end
        else { return name }
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        return entities.reduce(String(svg[start..<end])) { $0.replacing($1.0, with: $1.1) }
    }
}
