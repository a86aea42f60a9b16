// Columns of text, as narrow as their widest cell, without white space at the end of a line.

/// A plain text table.
///
/// Width is counted in characters; wide East Asian ones count once. Control characters in a cell are shown as `?`, so
/// that a name chosen by a user cannot drive the terminal.
public struct TextTable: Sendable {
    /// One column.
    public struct Column: Sendable, Hashable {
        /// On which side a cell is filled with spaces.
        public enum Alignment: Sendable, Hashable {
            /// For text.
            case left
            /// For numbers.
            case right
        }

        /// Its heading.
        public var title: String
        /// How its cells and heading are aligned.
        public var alignment: Alignment

        /// A column.
        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// What is shown: columns with a cell that is not empty.
    struct Shown {
        var columns: [Column]
        var rows: [[String]]
    }

    /// The columns that are shown, and their cells.
    var shown: Shown {
        let places = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        return Shown(columns: places.map { columns[$0] }, rows: rows.map { row in places.map { row[$0] } })
    }

    /// A table without rows.
    public init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row at the end.
    ///
    /// - Precondition: There is one cell for each column.
    public mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has one cell for each column")
        rows.append(cells.map(Self.printable))
    }

    /// The text: headings, a rule, the rows; each line ends in a newline. Columns whose cells are all empty are left
    /// out. Empty when there is no row.
    ///
    /// - Parameter indentation: Spaces before each line.
    public func rendered(indentation: Int = 0) -> String {
        let shown = shown
        guard !shown.columns.isEmpty else { return "" }
        let widths = shown.columns.indices.map { column in
            shown.rows.reduce(shown.columns[column].title.count) { max($0, $1[column].count) }
        }
        let lines = [shown.columns.map(\.title), widths.map { String(repeating: "-", count: $0) }] + shown.rows
        let margin = String(repeating: " ", count: indentation)
        var text = ""
        for line in lines {
            var rendered = margin
            for (place, cell) in line.enumerated() {
                let filling = String(repeating: " ", count: widths[place] - cell.count)
                let isRight = shown.columns[place].alignment == .right
                rendered += (place == 0 ? "" : "  ") + (isRight ? filling + cell : cell + filling)
            }
            while rendered.last == " " { rendered.removeLast() }
            text += rendered + "\n"
        }
        return text
    }

    /// The text with each control character replaced.
    static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(scalar.properties.generalCategory == .control ? "?" : scalar)
        }
        return String(scalars)
    }
}
