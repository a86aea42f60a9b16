// A recursive-descent parser for RFC 8259: one native call per level of nesting, no limit of its own.
//
// Where the RFC leaves a choice: a byte order mark is an error; an escape that names a lone surrogate is an error
// (it has no UTF-8); a number beyond the range of Double is an error; duplicate names are kept.

/// Why a text is not JSON, and where.
struct JSONFailure: Error {
    /// In bytes from the beginning of the text.
    var offset: Int
    var reason: String
}

/// Parses one document. `bytes` must outlive the parser.
struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// Contents of a string with escapes, kept between strings for its capacity.
    private var scratch: [UInt8] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The whole text as one value, with nothing but whitespace around it.
    mutating func parseDocument() throws(JSONFailure) -> JSONValue {
        var value = try parseValue()
        skipWhitespace()
        if position < bytes.count {
            JSONValue.dismantle(&value)
            throw failure("unexpected text after the end of the document")
        }
        return value
    }

    private mutating func parseValue() throws(JSONFailure) -> JSONValue {
        skipWhitespace()
        guard position < bytes.count else { throw failure("expected a value, found the end of the text") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: throw failure("expected a value")
        }
    }

    private mutating func parseArray() throws(JSONFailure) -> JSONValue {
        position += 1
        if skip(UInt8(ascii: "]")) { return .array([]) }
        var items: [JSONValue] = []
        do throws(JSONFailure) {
            repeat {
                items.append(try parseValue())
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "]")) else { throw failure("expected ',' or ']' in an array") }
            return .array(items)
        } catch {
            JSONValue.dismantle(.array(items), emptying: &items)
            throw error
        }
    }

    private mutating func parseObject() throws(JSONFailure) -> JSONValue {
        position += 1
        if skip(UInt8(ascii: "}")) { return .object([]) }
        var members: [JSONMember] = []
        do throws(JSONFailure) {
            repeat {
                let name = try parseName()
                members.append(JSONMember(name: name, value: try parseValue()))
            } while skip(UInt8(ascii: ","))
            guard skip(UInt8(ascii: "}")) else { throw failure("expected ',' or '}' in an object") }
            return .object(members)
        } catch {
            JSONValue.dismantle(.object(members), emptying: &members)
            throw error
        }
    }

    @inline(never)
    private mutating func parseName() throws(JSONFailure) -> String {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            throw failure("expected a name in quotes")
        }
        let name = try parseString()
        guard skip(UInt8(ascii: ":")) else { throw failure("expected ':' after a name") }
        return name
    }

    @inline(never)
    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard position + index < bytes.count, bytes[position + index] == word.utf8Start[index] else {
                throw failure("expected '\(word)'")
            }
        }
        position += word.utf8CodeUnitCount
        return value
    }

    // MARK: Numbers

    @inline(never)
    private mutating func parseNumber() throws(JSONFailure) -> JSONValue {
        let start = position
        let negative = bytes[position] == UInt8(ascii: "-")
        if negative { position += 1 }
        var integer: Int64? = 0
        let firstDigit = position
        while let digit = digit(at: position) {
            // Accumulates downwards: the least Int64 has no positive counterpart.
            let (product, tooBig) = (integer ?? 0).multipliedReportingOverflow(by: 10)
            let (next, tooSmall) = product.subtractingReportingOverflow(Int64(digit))
            integer = integer == nil || tooBig || tooSmall ? nil : next
            position += 1
        }
        if position == firstDigit { throw failure("expected a digit") }
        if bytes[firstDigit] == UInt8(ascii: "0"), position - firstDigit > 1 {
            position = firstDigit + 1
            throw failure("a number has no leading zeros")
        }
        var isInteger = !(negative && integer == 0)
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try skipDigits()
        }
        if isInteger, let integer, negative || integer != .min { return .integer(negative ? integer : -integer) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let number = Double(text), number.isFinite else {
            position = start
            throw failure("the number is out of range")
        }
        return .number(number)
    }

    private func digit(at index: Int) -> UInt8? {
        guard index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else { return nil }
        return bytes[index] - UInt8(ascii: "0")
    }

    private mutating func skipDigits() throws(JSONFailure) {
        if digit(at: position) == nil { throw failure("expected a digit") }
        while digit(at: position) != nil { position += 1 }
    }

    // MARK: Strings

    @inline(never)
    private mutating func parseString() throws(JSONFailure) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position - 1]), as: UTF8.self)
            case UInt8(ascii: "\\"):
                return try parseEscapedString(from: start)
            default:
                position += try sequenceLength()
            }
        }
        throw failure("the text ends inside a string")
    }

    /// The rest of a string from its first escape on.
    private mutating func parseEscapedString(from start: Int) throws(JSONFailure) -> String {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: bytes[start..<position])
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try parseEscape()
            default:
                let length = try sequenceLength()
                scratch.append(contentsOf: bytes[position..<position + length])
                position += length
            }
        }
        throw failure("the text ends inside a string")
    }

    private mutating func parseEscape() throws(JSONFailure) {
        guard position + 1 < bytes.count else {
            position = bytes.count
            throw failure("the text ends inside a string")
        }
        let letter = bytes[position + 1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0c)
        case UInt8(ascii: "n"): scratch.append(0x0a)
        case UInt8(ascii: "r"): scratch.append(0x0d)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            try parseUnicodeEscape()
            return
        default: throw failure("unknown escape")
        }
        position += 2
    }

    private mutating func parseUnicodeEscape() throws(JSONFailure) {
        let first = try hexadecimal(at: position + 2)
        var code = UInt32(first)
        var length = 6
        if (0xd800...0xdbff).contains(first) {
            guard position + 7 < bytes.count, bytes[position + 6] == UInt8(ascii: "\\"),
                bytes[position + 7] == UInt8(ascii: "u")
            else { throw failure("a high surrogate without a low surrogate") }
            let second = try hexadecimal(at: position + 8)
            guard (0xdc00...0xdfff).contains(second) else {
                throw failure("a high surrogate without a low surrogate")
            }
            code = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
            length = 12
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("a low surrogate without a high surrogate") }
        scratch.append(contentsOf: UTF8.encode(scalar)!)
        position += length
    }

    private func hexadecimal(at start: Int) throws(JSONFailure) -> UInt16 {
        var result: UInt16 = 0
        for index in start..<start + 4 {
            guard index < bytes.count, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue,
                bytes[index] < 0x80
            else { throw failure("expected four hexadecimal digits after '\\u'") }
            result = result << 4 | UInt16(digit)
        }
        return result
    }

    /// The length of the UTF-8 sequence at `position`, by the table of RFC 3629, section 4.
    private func sequenceLength() throws(JSONFailure) -> Int {
        let first = bytes[position]
        if first < 0x80 {
            if first < 0x20 { throw failure("a control character inside a string must be escaped") }
            return 1
        }
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xc2...0xdf: (2, 0x80...0xbf)
            case 0xe0: (3, 0xa0...0xbf)
            case 0xe1...0xec, 0xee...0xef: (3, 0x80...0xbf)
            case 0xed: (3, 0x80...0x9f)
            case 0xf0: (4, 0x90...0xbf)
            case 0xf1...0xf3: (4, 0x80...0xbf)
            case 0xf4: (4, 0x80...0x8f)
            default: (0, 0...0)
            }
        guard length != 0, position + length <= bytes.count, second.contains(bytes[position + 1]) else {
            throw failure("invalid UTF-8")
        }
        for index in position + 2..<max(position + 2, position + length) where bytes[index] & 0xc0 != 0x80 {
            throw failure("invalid UTF-8")
        }
        return length
    }

    // MARK: Helpers

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    /// Skips whitespace and, if it follows, `byte`.
    private mutating func skip(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private func failure(_ reason: String) -> JSONFailure {
        JSONFailure(offset: position, reason: reason)
    }
}
