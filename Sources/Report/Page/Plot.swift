// Plots as scripts/plot leaves them: SVG with a title and a description, for a wide column and for a phone.

/// A plot that is there as a file.
public struct Plot: Sendable, Hashable {
    /// The name of the file, without its ending.
    public var name: String
    /// The image.
    public var svg: String
    /// The same for a narrow window; `nil` where there is none.
    public var narrow: String?

    /// A plot.
    public init(name: String, svg: String, narrow: String? = nil) {
        self.name = name
        self.svg = svg
        self.narrow = narrow
    }

    /// What the image says that it shows (its Dublin Core title), else its name.
    var title: String { element("dc:title") ?? name }

    /// What is to be seen in it (its Dublin Core description); `nil` where it does not say.
    var caption: String? { element("dc:description") }

    private func element(_ name: String) -> String? {
        guard let start = svg.firstRange(of: "<\(name)>")?.upperBound,
            let end = svg[start...].firstRange(of: "</\(name)>")?.lowerBound, start < end
        else { return nil }
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        let text = entities.reduce(String(svg[start..<end])) { $0.replacing($1.0, with: $1.1) }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
