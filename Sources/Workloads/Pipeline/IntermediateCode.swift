// Edits LLVM's textual intermediate representation: one more attribute on each function definition, a name for each.

enum IntermediateCode {
    /// Gives private functions a name in the symbol table, which changes no instruction: without it
    /// the functions cannot be counted.
    static func naming(_ code: [UInt8]) -> [UInt8] {
        let (hidden, named) = (Array("define private ".utf8), Array("define internal ".utf8))
        let lines = code.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return Array(
            lines.map { $0.starts(with: hidden) ? named + $0.dropFirst(hidden.count) : Array($0) }
                .joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Adds the string attribute `attribute` (`"name"` or `"name"="value"`) to every definition that takes a fixed
    /// number of arguments: LLVM cannot give variadic functions a split stack ("do not support vararg functions").
    static func adding(_ attribute: String, to code: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(code.count + code.count / 16)
        let keyword = Array("define ".utf8)
        let insertion = Array(" \(attribute)".utf8)
        for line in code.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.starts(with: keyword), let insertionPoint = attributeIndex(line) {
                result += line[..<insertionPoint]
                result += insertion
                result += line[insertionPoint...]
            } else {
                result += line
            }
            result.append(UInt8(ascii: "\n"))
        }
        result.removeLast()
        return result
    }

    /// Where the attributes of a definition begin: behind its parameters and `unnamed_addr`. Nil if it is variadic.
    private static func attributeIndex(_ line: ArraySlice<UInt8>) -> Int? {
        // The return type and its attributes come first and contain no '@' outside quotes.
        guard var index = firstOutsideQuotes(UInt8(ascii: "@"), in: line) else { return nil }
        guard let opening = firstOutsideQuotes(UInt8(ascii: "("), in: line[index...]) else { return nil }
        index = opening
        var depth = 0
        var isQuoted = false
        while index < line.endIndex {
            switch line[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "(") where !isQuoted: depth += 1
            case UInt8(ascii: ")") where !isQuoted: depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { break }
        }
        guard depth == 0, !line[opening..<index - 1].reversed().starts(with: "...".utf8) else { return nil }
        for word in [" unnamed_addr", " local_unnamed_addr"] where line[index...].starts(with: word.utf8) {
            index += word.utf8.count
        }
        return index
    }

    /// Names in quotes escape a quote as \22, so that quotes always pair.
    private static func firstOutsideQuotes(_ byte: UInt8, in line: ArraySlice<UInt8>) -> Int? {
        var isQuoted = false
        for index in line.indices {
            if line[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, line[index] == byte { return index }
        }
        return nil
    }
}
