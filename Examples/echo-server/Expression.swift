// Sums and products of integers with parentheses, by plain recursion: a thousand parentheses are some thousand frames.

enum ExpressionError: Error, CustomStringConvertible {
    case expected(String, offset: Int)

    var description: String {
        switch self {
        case .expected(let what, let offset): "expected \(what) at offset \(offset)"
        }
    }
}

/// Evaluates a line such as `2*(3+4)-1`, modulo 2^64.
struct Evaluator {
    private let text: ArraySlice<UInt8>
    private var offset: Int

    static func value(of text: ArraySlice<UInt8>) throws -> Int {
        var evaluator = Evaluator(text: text, offset: text.startIndex)
        let value = try evaluator.sum()
        guard evaluator.offset == text.endIndex else { throw evaluator.expected("an operator or the end") }
        return value
    }

    private var next: UInt8? { offset < text.endIndex ? text[offset] : nil }

    private func expected(_ what: String) -> ExpressionError { .expected(what, offset: offset - text.startIndex) }

    private mutating func skip(_ character: Character) -> Bool {
        guard next == character.asciiValue else { return false }
        offset += 1
        return true
    }

    private mutating func sum() throws -> Int {
        var value = try product()
        while true {
            if skip("+") { value &+= try product() } else if skip("-") { value &-= try product() } else { return value }
        }
    }

    private mutating func product() throws -> Int {
        var value = try factor()
        while skip("*") { value &*= try factor() }
        return value
    }

    private mutating func factor() throws -> Int {
        if skip("(") {
            let value = try sum()
            guard skip(")") else { throw expected("')'") }
            return value
        }
        if skip("-") { return 0 &- (try factor()) }
        var value = 0
        let start = offset
        while let digit = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            value = value &* 10 &+ Int(digit - UInt8(ascii: "0"))
            offset += 1
        }
        guard offset > start else { throw expected("a number, '-' or '('") }
        return value
    }
}
