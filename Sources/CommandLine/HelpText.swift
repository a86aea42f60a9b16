// Laying out the parts of help texts that the argument parser would wrap without indentation.

enum HelpText {
    /// The parser assumes this many columns where there is no terminal.
    static let width = 79

    /// The words of `text` in lines of at most `width` characters, unless one word is longer.
    static func lines(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// Names with what they mean, one to a line; further lines of a meaning are indented.
    static func list(_ items: [(name: String, meaning: String)]) -> String {
        let margin = 2 + (items.map(\.name.count).max() ?? 0) + 2
        return items.map { item in
            let start = "  \(item.name)".padding(to: margin)
            let lines = lines(item.meaning, width: width - margin)
            return start + lines.joined(separator: "\n" + "".padding(to: margin)) + "\n"
        }.joined()
    }
}

extension String {
    /// The text, filled with spaces up to `width` characters.
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
