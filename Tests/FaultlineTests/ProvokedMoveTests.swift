// Real work while a timer moves the stack at growth points, thousands of times.
import CShim
import Faultline
import TestNeeds
import TestSupport
import Testing

private enum JSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])
}

private struct SyntaxError: Error, Equatable { let offset: Int }

/// A recursive-descent parser; each level is a frame of its own.
private struct Parser {
    let bytes: [UInt8]
    var offset = 0

    mutating func value() throws -> JSON {
        skip()
        guard offset < bytes.count else { throw SyntaxError(offset: offset) }
        switch bytes[offset] {
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func array() throws -> JSON {
        offset += 1
        var values: [JSON] = []
        while true {
            skip()
            if take("]") { return .array(values) }
            values.append(try value())
            skip()
            if !take(",") {
                try expect("]")
                return .array(values)
            }
        }
    }

    private mutating func object() throws -> JSON {
        offset += 1
        var values: [String: JSON] = [:]
        while true {
            skip()
            if take("}") { return .object(values) }
            let key = try string()
            skip()
            try expect(":")
            values[key] = try value()
            skip()
            if !take(",") {
                try expect("}")
                return .object(values)
            }
        }
    }

    private mutating func string() throws -> String {
        try expect("\"")
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        try expect("\"")
        return text
    }

    private mutating func number() throws -> JSON {
        let start = offset
        while offset < bytes.count, "+-.eE0123456789".utf8.contains(bytes[offset]) { offset += 1 }
        guard let number = Double(String(decoding: bytes[start..<offset], as: UTF8.self)) else {
            throw SyntaxError(offset: start)
        }
        return .number(number)
    }

    private mutating func word(_ word: String, _ value: JSON) throws -> JSON {
        for byte in word.utf8 { try expect(byte) }
        return value
    }
    private mutating func skip() { while offset < bytes.count, bytes[offset] <= 32 { offset += 1 } }
    private mutating func take(_ c: Unicode.Scalar) -> Bool {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: c) else { return false }
        offset += 1
        return true
    }
    private mutating func expect(_ c: Unicode.Scalar) throws { try expect(UInt8(ascii: c)) }
    private mutating func expect(_ byte: UInt8) throws {
        guard offset < bytes.count, bytes[offset] == byte else { throw SyntaxError(offset: offset) }
        offset += 1
    }
}

private func printed(_ value: JSON) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .number(let number): "\(number)"
    case .string(let text): "\"\(text)\""
    case .array(let values): "[" + values.map(printed).joined(separator: ",") + "]"
    case .object(let values):
        "{" + values.sorted { $0.key < $1.key }.map { "\"\($0.key)\":" + printed($0.value) }.joined(separator: ",")
            + "}"
    }
}

private func document(_ depth: Int) -> String {
    depth == 0
        ? "[1, 2.5e3, true, false, null, \"a string that is too long to be small\"]"
        : "{\"depth\": \(depth), \"left\": \(document(depth - 1)), \"right\": [[[\(document(depth - 1))]]]}"
}

private indirect enum Tree {
    case leaf
    case node(Tree, Int, Tree)
    static func build(_ low: Int, _ high: Int) -> Tree {
        if low >= high { return .leaf }
        let middle = (low + high) / 2
        return .node(build(low, middle), middle, build(middle + 1, high))
    }
    func fold<T>(_ start: T, _ combine: (T, Int) throws -> T) rethrows -> T {
        switch self {
        case .leaf: start
        case .node(let l, let n, let r): try r.fold(combine(l.fold(start, combine), n), combine)
        }
    }
}

private struct Thrown: Error { let depth: Int, trail: String }

@inline(never) private func throwing(_ depth: Int, _ trail: String) throws -> Int {
    if depth == 0 { throw Thrown(depth: trail.utf8.count, trail: trail) }
    defer { _ = keep(depth) }
    return try throwing(depth - 1, depth % 7 == 0 ? trail + "\(depth)," : trail) + 1
}

@inline(never) private func chained(_ depth: Int, _ function: @escaping (Int) -> Int) -> Int {
    if depth == 0 { return function(1) }
    return chained(depth - 1) { function($0 &+ depth) ^ depth }
}

private func quicksorted(_ numbers: [Int]) -> [Int] {
    guard let pivot = numbers.first else { return [] }
    let rest = numbers.dropFirst()
    return quicksorted(rest.filter { $0 < pivot }) + [pivot] + quicksorted(rest.filter { $0 >= pivot })
}

private func workload(_ name: String) -> String {
    switch name {
    case "parser":
        var parser = Parser(bytes: Array(document(6).utf8))
        let nested = Parser(
            bytes: Array((String(repeating: "[", count: 500) + String(repeating: "]", count: 500)).utf8))
        var copy = nested
        let first = (try? parser.value()).map(printed) ?? "error at \(parser.offset)"
        let second = (try? copy.value()).map(printed) ?? "error at \(copy.offset)"
        return first + second
    case "trees":
        let tree = Tree.build(0, 2000)
        return "\(tree.fold(0, +)) \(tree.fold("") { $1 % 100 == 0 ? $0 + "\($1) " : $0 })"
    case "strings":
        var words: [String: [Int]] = [:]
        for n in 0..<600 {
            words["word number \(n % 97) of many"] = (words["word number \(n % 97) of many"] ?? []) + [n]
        }
        return words.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.reduce(0, +))" }.joined(separator: ";")
            .uppercased()
    case "throws":
        do { return "\(try throwing(800, ""))" } catch { return "\(error)" }
    case "closures":
        return "\(chained(500) { $0 * 3 })"
    case "sorting":
        var state: UInt64 = 1
        let numbers = (0..<300).map { _ -> Int in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 40)
        }
        return quicksorted(numbers).prefix(20).map(String.init).joined(separator: " ")
    default: fatalError("no workload \(name)")
    }
}

/// Runs `body` at depths of the stack that differ by less than a page. Optimized code may stay within one page below
/// its caller, and only a store that reaches the next one can move.
private func atOffsets(_ body: @escaping () -> Bool) -> Bool {
    var isSame = true
    for step in 0..<8 {
        withUnsafeMutablePointer(to: &isSame) { isSame in
            withUnsafePointer(to: { if !body() { isSame.pointee = false } }) { work in
                ts_call_below(
                    1 + step * 512, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() },
                    UnsafeMutableRawPointer(mutating: work))
            }
        }
    }
    return isSame
}

extension Stacks {
    // ThreadSanitizer holds the signals of a timer back, and AddressSanitizer keeps the end of the stack in its own
    // frames.
    @Suite(.needs(.noSanitizer)) struct ProvokedMoves {
        static let workloads = ["parser", "trees", "strings", "throws", "closures", "sorting"]
        static let movesEach = 1800  // six workloads: more than 10,000 in all

        @Test(arguments: workloads) func resultsDoNotChange(_ name: String) throws {
            let expected = workload(name)
            var moves = 0
            var rounds = 0
            while moves < Self.movesEach && rounds < 20_000 {
                let mover = MoverCase.all[rounds % MoverCase.all.count]
                let (same, statistics) = try measured(try mover.configuration(initial: 16 << 10)) {
                    _ = fl_debug_provoke_moves(40, false)
                    defer { _ = fl_debug_provoke_moves(0, false) }
                    return at(depth: 100) { atOffsets { workload(name) == expected } }
                }
                #expect(same, "round \(rounds) with \(mover.testDescription)")
                moves += statistics.allMoves
                rounds += 1
            }
            #expect(moves >= Self.movesEach, "the timer provoked only \(moves) moves in \(rounds) rounds")
        }
    }
}
