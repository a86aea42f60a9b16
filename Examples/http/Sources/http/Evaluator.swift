// The recursion: expressions such as (+ 1 (* 2 3)), whose depth the client chooses.
import Faultline

struct NotAnExpression: Error {}

struct Evaluator {
    /// What the code below `value()` needs between two of its looks at the stack, with room to spare.
    private static let margin = 16 << 10
    private let looksAtStack: Bool
    private let text: [UInt8]
    private var position = 0

    /// - Throws: ``NotAnExpression``; `InsufficientStack` where the stack is nearly full and `looksAtStack` is true.
    static func evaluate(_ text: [UInt8], looksAtStack: Bool) throws -> Int {
        var evaluator = Evaluator(looksAtStack: looksAtStack, text: text)
        let value = try evaluator.value()
        guard evaluator.position == text.count else { throw NotAnExpression() }
        return value
    }

    private init(looksAtStack: Bool, text: [UInt8]) {
        self.looksAtStack = looksAtStack
        self.text = text
    }

    /// Each level owns an array, which would leak if its frame were abandoned.
    private mutating func value() throws -> Int {
        if looksAtStack { try StackSpace.check(Self.margin) }
        guard take("(") else { return try number() }
        var operands: [Int] = []
        operands.reserveCapacity(4)
        let isProduct = take("*")
        guard isProduct || take("+") else { throw NotAnExpression() }
        while take(" ") { operands.append(try value()) }
        guard take(")") else { throw NotAnExpression() }
        return isProduct ? operands.reduce(1, &*) : operands.reduce(0, &+)
    }

    private mutating func number() throws -> Int {
        let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw NotAnExpression() }
        position = digits.endIndex
        return value
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }
}
