// Text to data: one native call per level of parentheses.

struct SchemeReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let interpreter: SchemeInterpreter
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, _ interpreter: SchemeInterpreter) {
        self.bytes = bytes
        self.interpreter = interpreter
    }

    /// The next datum, nil at the end of the text.
    mutating func next() throws(SchemeFailure) -> SchemeValue? {
        try skipSpace()
        return position < bytes.count ? try readDatum() : nil
    }

    private mutating func readDatum() throws(SchemeFailure) -> SchemeValue {
        try skipSpace()
        guard position < bytes.count else { throw failure("the program ends inside an expression") }
        switch bytes[position] {
        case UInt8(ascii: "("):
            return try readList()
        case UInt8(ascii: ")"):
            throw failure("unexpected ')'")
        case UInt8(ascii: "'"):
            position += 1
            return SchemeValue.list([.symbol(interpreter.symbol("quote")), try readDatum()])
        case UInt8(ascii: "\""):
            return .string(SchemeString(try readString()))
        default:
            return try readAtom()
        }
    }

    private mutating func readList() throws(SchemeFailure) -> SchemeValue {
        position += 1
        var items: [SchemeValue] = []
        var tail = SchemeValue.null
        while true {
            try skipSpace()
            guard position < bytes.count else { throw failure("missing ')'") }
            if bytes[position] == UInt8(ascii: ")") {
                position += 1
                return SchemeValue.list(items, tail: tail)
            }
            if bytes[position] == UInt8(ascii: "."), isDelimiter(at: position + 1), !items.isEmpty {
                position += 1
                tail = try readDatum()
                try skipSpace()
                guard position < bytes.count, bytes[position] == UInt8(ascii: ")") else {
                    throw failure("expected ')' after the datum that follows a dot")
                }
            } else {
                items.append(try readDatum())
            }
        }
    }

    private mutating func readString() throws(SchemeFailure) -> String {
        position += 1
        var contents: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count {
                position += 1
                switch bytes[position] {
                case UInt8(ascii: "n"): contents.append(0x0a)
                case UInt8(ascii: "t"): contents.append(0x09)
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): contents.append(bytes[position])
                default: throw failure("unknown escape in a string")
                }
            } else {
                contents.append(bytes[position])
            }
            position += 1
        }
        guard position < bytes.count else { throw failure("the program ends inside a string") }
        position += 1
        return String(decoding: contents, as: UTF8.self)
    }

    private mutating func readAtom() throws(SchemeFailure) -> SchemeValue {
        let start = position
        while !isDelimiter(at: position) { position += 1 }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        switch text {
        case "#t", "#true": return .boolean(true)
        case "#f", "#false": return .boolean(false)
        default: break
        }
        let first = text.utf8.first!
        if first == UInt8(ascii: "#") { throw failure("'\(text)' is not supported") }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let isSigned = text.utf8.count > 1 && (first == UInt8(ascii: "-") || first == UInt8(ascii: "+"))
        if digits.contains(first) || isSigned && digits.contains(text.utf8.dropFirst().first!) {
            guard let integer = Int(text) else { throw failure("'\(text)' is not an integer of 64 bits") }
            return .integer(integer)
        }
        return .symbol(interpreter.symbol(text))
    }

    private func isDelimiter(at index: Int) -> Bool {
        guard index < bytes.count else { return true }
        switch bytes[index] {
        case 0x20, 0x09, 0x0a, 0x0d, 0x0c, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""),
            UInt8(ascii: ";"), UInt8(ascii: "'"):
            return true
        default:
            return false
        }
    }

    /// Skips white space, `; comments` and `#| comments |#`.
    private mutating func skipSpace() throws(SchemeFailure) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d, 0x0c:
                position += 1
            case UInt8(ascii: ";"):
                while position < bytes.count, bytes[position] != 0x0a { position += 1 }
            case UInt8(ascii: "#") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "|"):
                position += 2
                while !(position + 1 < bytes.count && bytes[position] == UInt8(ascii: "|")
                    && bytes[position + 1] == UInt8(ascii: "#"))
                {
                    guard position < bytes.count else { throw failure("the program ends inside a comment") }
                    position += 1
                }
                position += 2
            default:
                return
            }
        }
    }

    private func failure(_ reason: String) -> SchemeFailure {
        SchemeFailure(reason: "\(reason) (byte \(position))")
    }
}
