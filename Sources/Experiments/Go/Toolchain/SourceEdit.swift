// Changes of Go's own sources, by what the source says: a text that must be in a file exactly once, so that a version
// that says something else is refused instead of half changed.

import Glibc

/// A change of one place of one file.
struct SourceEdit: Sendable, Hashable {
    /// Below `src` of the installation.
    let file: String
    /// What must be there exactly once.
    let anchor: String
    let replacement: String
}

/// A file of the sources, changed or new.
public struct ChangedSource: Sendable, Hashable {
    /// Below `src` of the installation.
    public let file: String
    /// The lines of the new file that are others than before, beginning with 1; empty for a new file.
    public let lines: [Int]
    /// The whole file as it becomes.
    public let text: String

    /// What a listing says of it.
    public var summary: String {
        lines.isEmpty
            ? "src/\(file): new, \(text.count { $0 == "\n" }) lines"
            : "src/\(file): \(lines.map { "line \($0)" }.joined(separator: ", "))"
    }
}

/// Why the sources of an installation are not changed: one line.
public struct SourceRefusal: Error, Hashable, CustomStringConvertible {
    public let description: String
}

extension SourceEdit {
    /// The files that `edits` change, each once.
    ///
    /// - Parameter read: the text of a file below `src`; nil where it is not there.
    static func apply(
        _ edits: [SourceEdit], _ read: (String) -> String?
    ) throws(SourceRefusal) -> [ChangedSource] {
        var changed: [ChangedSource] = []
        var files: [String] = []
        for edit in edits where !files.contains(edit.file) { files.append(edit.file) }
        for file in files {
            guard let original = read(file) else {
                throw SourceRefusal(description: "src/\(file) is not there; install the sources of Go with it")
            }
            var places: [(offset: Int, edit: SourceEdit)] = []
            let text = Array(original.utf8)
            guard !text.isEmpty else { throw SourceRefusal(description: "src/\(file) is empty") }
            for edit in edits where edit.file == file {
                let found = offsets(of: Array(edit.anchor.utf8), in: text)
                guard found.count == 1 else {
                    let line = edit.anchor.split(separator: "\n").first { !$0.isEmpty } ?? ""
                    throw SourceRefusal(
                        description: "'\(line.drop { $0.isWhitespace })' is in src/\(file) \(found.count) times "
                            + "instead of once; this version of Go is not known")
                }
                places.append((found[0], edit))
            }
            changed.append(change(file, text, places.sorted { $0.offset < $1.offset }))
        }
        return changed
    }

    private static func change(
        _ file: String, _ text: [UInt8], _ places: [(offset: Int, edit: SourceEdit)]
    ) -> ChangedSource {
        var new: [UInt8] = []
        var (copied, line) = (0, 1)
        var lines: [Int] = []
        for (offset, edit) in places {
            let kept = text[copied..<offset]
            let (old, replacement) = (Array(edit.anchor.utf8), Array(edit.replacement.utf8))
            line += kept.count { $0 == newline }
            // The first line that says something else.
            lines.append(line + zip(old, replacement).prefix { $0 == $1 }.count { $0.0 == newline })
            line += replacement.count { $0 == newline }
            new += kept + replacement
            copied = offset + old.count
        }
        return ChangedSource(file: file, lines: lines, text: String(decoding: new + text[copied...], as: UTF8.self))
    }

    private static let newline = UInt8(ascii: "\n")

    private static func offsets(of part: [UInt8], in text: [UInt8]) -> [Int] {
        text.withUnsafeBytes { all in
            var found: [Int] = []
            var start = 0
            while let next = memchr(all.baseAddress! + start, Int32(part[0]), all.count - start) {
                let offset = UnsafeRawPointer(next) - all.baseAddress!
                if offset + part.count <= all.count, memcmp(next, part, part.count) == 0 { found.append(offset) }
                start = offset + 1
                if start == all.count { break }
            }
            return found
        }
    }
}
