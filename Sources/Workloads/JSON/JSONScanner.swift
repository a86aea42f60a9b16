// The independent check of the JSON workload: one loop over the text with an explicit stack of brackets.
//
// Shares nothing with the parser (Code/JSONParser.swift) but the definition of the digest: strings are validated by the
// standard library, numbers converted by the C library.

import Glibc

struct JSONScanner {
    /// Why and where (in bytes) a text is not JSON.
    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    /// What may come next.
    private enum Expectation {
        case value
        case valueOrEnd
        case name
        case nameOrEnd
        case separatorOrEnd
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var hash = FNVHash()
    /// The open brackets, `[` or `{`.
    private var open: [UInt8] = []
    private var values: UInt64 = 0
    private var names: UInt64 = 0
    private var stringBytes: UInt64 = 0
    private var deepest = 0

    /// The expected checksum and counts (values, depth, names, bytes of both) of the text.
    static func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> (checksum: UInt64, counts: [UInt64]) {
        var scanner = JSONScanner(bytes: bytes)
        try scanner.scan()
        return (
            scanner.hash.value,
            [scanner.values, UInt64(scanner.deepest), scanner.names, scanner.stringBytes]
        )
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private mutating func scan() throws(Failure) {
        var expectation = Expectation.value
        while let byte = nextVisible() {
            switch (expectation, byte) {
            case (.separatorOrEnd, _) where open.isEmpty:
                throw failure("unexpected text after the end of the document")
            case (.valueOrEnd, UInt8(ascii: "]")), (.nameOrEnd, UInt8(ascii: "}")),
                (.separatorOrEnd, UInt8(ascii: "]")) where open.last == UInt8(ascii: "["),
                (.separatorOrEnd, UInt8(ascii: "}")) where open.last == UInt8(ascii: "{"):
                hash.add(byte)
                index += 1
                open.removeLast()
                expectation = .separatorOrEnd
            case (.separatorOrEnd, UInt8(ascii: ",")):
                index += 1
                expectation = open.last == UInt8(ascii: "[") ? .value : .name
            case (.name, UInt8(ascii: "\"")), (.nameOrEnd, UInt8(ascii: "\"")):
                names += 1
                try scanString(kind: UInt8(ascii: "k"))
                guard nextVisible() == UInt8(ascii: ":") else { throw failure("expected ':' after a name") }
                index += 1
                expectation = .value
            case (.value, UInt8(ascii: "[")), (.value, UInt8(ascii: "{")),
                (.valueOrEnd, UInt8(ascii: "[")), (.valueOrEnd, UInt8(ascii: "{")):
                values += 1
                hash.add(byte)
                index += 1
                open.append(byte)
                deepest = max(deepest, open.count)
                expectation = byte == UInt8(ascii: "[") ? .valueOrEnd : .nameOrEnd
            case (.value, _), (.valueOrEnd, _):
                values += 1
                try scanScalar(byte)
                expectation = .separatorOrEnd
            default:
                throw failure("unexpected character")
            }
        }
        guard open.isEmpty, case .separatorOrEnd = expectation else { throw failure("the text ends too early") }
    }

    /// The first byte that is not white space.
    private mutating func nextVisible() -> UInt8? {
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
            index += 1
        }
        return nil
    }

    private mutating func scanScalar(_ first: UInt8) throws(Failure) {
        switch first {
        case UInt8(ascii: "\""): try scanString(kind: UInt8(ascii: "s"))
        case UInt8(ascii: "n"): try scanWord("null")
        case UInt8(ascii: "t"): try scanWord("true")
        case UInt8(ascii: "f"): try scanWord("false")
        default: try scanNumber()
        }
    }

    private mutating func scanWord(_ word: String) throws(Failure) {
        guard bytes[index...].starts(with: word.utf8) else { throw failure("expected \(word)") }
        hash.add(bytes[index])
        index += word.utf8.count
    }

    /// States of a number, by what has been read last.
    private enum NumberState {
        case start, minus, zero, digits, point, fraction, exponent, sign, power
    }

    private mutating func scanNumber() throws(Failure) {
        var state = NumberState.start
        let begin = index
        scan: while index < bytes.count {
            switch (state, bytes[index]) {
            case (.start, UInt8(ascii: "-")): state = .minus
            case (.start, UInt8(ascii: "0")), (.minus, UInt8(ascii: "0")): state = .zero
            case (.start, 0x31...0x39), (.minus, 0x31...0x39), (.digits, 0x30...0x39): state = .digits
            case (.zero, UInt8(ascii: ".")), (.digits, UInt8(ascii: ".")): state = .point
            case (.point, 0x30...0x39), (.fraction, 0x30...0x39): state = .fraction
            case (.zero, 0x45), (.zero, 0x65), (.digits, 0x45), (.digits, 0x65), (.fraction, 0x45), (.fraction, 0x65):
                state = .exponent
            case (.exponent, UInt8(ascii: "+")), (.exponent, UInt8(ascii: "-")): state = .sign
            case (.exponent, 0x30...0x39), (.sign, 0x30...0x39), (.power, 0x30...0x39): state = .power
            default: break scan
            }
            index += 1
        }
        let text = String(decoding: bytes[begin..<index], as: UTF8.self)
        switch state {
        case .zero, .digits:
            if text != "-0", let integer = Int64(text) {
                hash.add(UInt8(ascii: "i"))
                hash.add(word: UInt64(bitPattern: integer))
                return
            }
        case .fraction, .power: break
        default: throw failure("expected a value")
        }
        let number = strtod(text, nil)
        guard number.isFinite else { throw failure("the number is out of range") }
        hash.add(UInt8(ascii: "d"))
        hash.add(word: number.bitPattern)
    }

    private mutating func scanString(kind: UInt8) throws(Failure) {
        hash.add(kind)
        index += 1
        let begin = index
        var hasEscapes = false
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] < 0x20 { throw failure("a control character inside a string") }
            if bytes[index] == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 1
            }
            index += 1
        }
        guard index < bytes.count, let raw = String(validating: bytes[begin..<index], as: UTF8.self) else {
            throw failure(index < bytes.count ? "invalid UTF-8" : "the text ends inside a string")
        }
        index += 1
        let text = hasEscapes ? try unescaped(raw) : raw
        hash.add(text: text)
        stringBytes += UInt64(text.utf8.count)
    }

    /// Decodes escapes by way of UTF-16, which surrogates are made for.
    private func unescaped(_ raw: String) throws(Failure) -> String {
        let simple: [UInt16: UInt16] = [
            0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9,
        ]
        var units: [UInt16] = []
        var rest = Array(raw.utf16)[...]
        while let unit = rest.popFirst() {
            guard unit == 0x5c else {
                units.append(unit)
                continue
            }
            guard let letter = rest.popFirst() else { throw failure("an incomplete escape") }
            if let value = simple[letter] {
                units.append(value)
                continue
            }
            let digits = rest.prefix(4)
            guard letter == 0x75, digits.count == 4,
                digits.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x46).contains($0 & 0xffdf) }),
                let value = UInt16(String(decoding: digits, as: UTF16.self), radix: 16)
            else { throw failure("unknown escape") }
            units.append(value)
            rest = rest.dropFirst(4)
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw failure("a lone surrogate") }
        return text
    }

    private func failure(_ reason: String) -> Failure {
        Failure(offset: index, reason: reason)
    }
}
