// Regular expressions: syntax tree and parser.
//
// Characters are Unicode scalars of UTF-8 text. `^` and `$` match at lines, `.` matches anything but a newline,
// `\b` and `\w` know ASCII letters, digits and `_`. Groups `( )` and `(?: )`, `|`, `* + ? {m} {m,} {m,n}` greedy and,
// with a `?` behind, lazy; classes with ranges and `\d \w \s \D \W \S`; `\1` to `\9`. Alternatives and repetitions are
// tried in order, as Perl does, not longest first as POSIX does.

/// Why a pattern is malformed, and where (in bytes).
struct RegexFailure: Error {
    var offset: Int
    var reason: String
}

/// A set of characters.
struct RegexSet {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    static let digits = RegexSet(ranges: [0x30...0x39])
    static let word = RegexSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    static let space = RegexSet(ranges: [0x09...0x0d, 0x20...0x20])
    static let line = RegexSet(ranges: [0x0a...0x0a], isNegated: true)

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        return isNegated
    }

    /// The ranges of everything that is not in this set, which must not be negated itself.
    var inverted: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
            next = max(next, range.upperBound + 1)
        }
        return result + [next...0x10ffff]
    }
}

indirect enum RegexNode {
    case empty
    case set(RegexSet)
    case lineStart
    case lineEnd
    case wordBoundary(negated: Bool)
    /// A group that captures under its number from 1.
    case group(Int, RegexNode)
    case sequence([RegexNode])
    case alternation([RegexNode])
    case repetition(RegexNode, minimum: Int, maximum: Int?, isGreedy: Bool)
    case backreference(Int)

    /// Whether it may match without reading a character.
    var canBeEmpty: Bool {
        switch self {
        case .empty, .lineStart, .lineEnd, .wordBoundary, .backreference: true
        case .set: false
        case .group(_, let node): node.canBeEmpty
        case .sequence(let nodes): nodes.allSatisfy(\.canBeEmpty)
        case .alternation(let nodes): nodes.contains(where: \.canBeEmpty)
        case .repetition(let node, let minimum, _, _): minimum == 0 || node.canBeEmpty
        }
    }
}

/// A parsed pattern.
struct RegexPattern {
    var root: RegexNode
    /// The number of capturing groups.
    var groups: Int
    var hasBackreferences: Bool

    init(_ pattern: String) throws(RegexFailure) {
        var parser = RegexParser(pattern)
        root = try parser.parse()
        groups = parser.groups
        hasBackreferences = parser.highestReference > 0
    }
}

private struct RegexParser {
    /// What `{m,n}` may ask for: counted repetitions are expanded.
    private static let largestCount = 1000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private(set) var groups = 0
    private(set) var highestReference = 0

    init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    mutating func parse() throws(RegexFailure) -> RegexNode {
        let node = try parseAlternation()
        if position < scalars.count { throw failure("unmatched ')'") }
        if highestReference > groups { throw failure("\\\(highestReference) refers to a group that does not exist") }
        return node
    }

    private var current: Unicode.Scalar? {
        position < scalars.count ? scalars[position] : nil
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    private mutating func parseAlternation() throws(RegexFailure) -> RegexNode {
        var alternatives = [try parseSequence()]
        while skip("|") {
            alternatives.append(try parseSequence())
        }
        return alternatives.count == 1 ? alternatives[0] : .alternation(alternatives)
    }

    private mutating func parseSequence() throws(RegexFailure) -> RegexNode {
        var nodes: [RegexNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            nodes.append(try parseRepetition())
        }
        switch nodes.count {
        case 0: return .empty
        case 1: return nodes[0]
        default: return .sequence(nodes)
        }
    }

    private mutating func parseRepetition() throws(RegexFailure) -> RegexNode {
        let atom = try parseAtom()
        let minimum: Int
        let maximum: Int?
        switch current {
        case "*": (minimum, maximum) = (0, nil)
        case "+": (minimum, maximum) = (1, nil)
        case "?": (minimum, maximum) = (0, 1)
        case "{": (minimum, maximum) = try parseCounts()
        default: return atom
        }
        position += 1
        let isGreedy = !skip("?")
        if let next = current, "*+?{".unicodeScalars.contains(next) { throw failure("nothing to repeat") }
        return .repetition(atom, minimum: minimum, maximum: maximum, isGreedy: isGreedy)
    }

    /// `{m}`, `{m,}` or `{m,n}`; stops at the closing brace.
    private mutating func parseCounts() throws(RegexFailure) -> (Int, Int?) {
        position += 1
        let minimum = try parseCount()
        var maximum: Int? = minimum
        if skip(",") {
            maximum = current == "}" ? nil : try parseCount()
        }
        guard current == "}" else { throw failure("expected '}'") }
        if let maximum, maximum < minimum { throw failure("the bounds of a repetition are out of order") }
        return (minimum, maximum)
    }

    private mutating func parseCount() throws(RegexFailure) -> Int {
        var count: Int?
        while let scalar = current, ("0"..."9").contains(scalar) {
            count = (count ?? 0) * 10 + Int(scalar.value - 0x30)
            if count! > Self.largestCount { throw failure("a repetition count above \(Self.largestCount)") }
            position += 1
        }
        guard let count else { throw failure("expected a repetition count") }
        return count
    }

    private mutating func parseAtom() throws(RegexFailure) -> RegexNode {
        let scalar = scalars[position]
        position += 1
        switch scalar {
        case "(":
            var number: Int?
            if skip("?") {
                guard skip(":") else { throw failure("the only group that starts with '(?' is '(?:'") }
            } else {
                groups += 1
                number = groups
            }
            let node = try parseAlternation()
            guard skip(")") else { throw failure("missing ')'") }
            return number.map { .group($0, node) } ?? node
        case "[": return .set(try parseClass())
        case ".": return .set(.line)
        case "^": return .lineStart
        case "$": return .lineEnd
        case "*", "+", "?", "{": throw failure("nothing to repeat")
        case "\\": return try parseEscape()
        default: return .set(RegexSet(ranges: [scalar.value...scalar.value]))
        }
    }

    private mutating func parseEscape() throws(RegexFailure) -> RegexNode {
        switch current {
        case "b":
            position += 1
            return .wordBoundary(negated: false)
        case "B":
            position += 1
            return .wordBoundary(negated: true)
        case .some(let digit) where ("1"..."9").contains(digit):
            position += 1
            let number = Int(digit.value - 0x30)
            highestReference = max(highestReference, number)
            return .backreference(number)
        default:
            return .set(RegexSet(ranges: try parseEscapedRanges()))
        }
    }

    /// The character or characters that an escape stands for, inside and outside classes.
    private mutating func parseEscapedRanges() throws(RegexFailure) -> [ClosedRange<UInt32>] {
        guard let scalar = current else { throw failure("the pattern ends after a backslash") }
        position += 1
        switch scalar {
        case "n": return [0x0a...0x0a]
        case "r": return [0x0d...0x0d]
        case "t": return [0x09...0x09]
        case "d": return RegexSet.digits.ranges
        case "w": return RegexSet.word.ranges
        case "s": return RegexSet.space.ranges
        case "D": return RegexSet.digits.inverted
        case "W": return RegexSet.word.inverted
        case "S": return RegexSet.space.inverted
        default:
            guard scalar.value < 0x80, !RegexSet.word.contains(scalar.value) else {
                throw failure("unknown escape '\\\(scalar)'")
            }
            return [scalar.value...scalar.value]
        }
    }

    private mutating func parseClass() throws(RegexFailure) -> RegexSet {
        var set = RegexSet(isNegated: skip("^"))
        var isFirst = true
        while isFirst || current != "]" {
            isFirst = false
            var ranges = try parseClassItem()
            if current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                position += 1
                let upper = try parseClassItem()
                guard ranges.count == 1, ranges[0].count == 1, upper.count == 1, upper[0].count == 1,
                    ranges[0].lowerBound <= upper[0].lowerBound
                else { throw failure("the range in a class is out of order") }
                ranges = [ranges[0].lowerBound...upper[0].lowerBound]
            }
            set.ranges += ranges
        }
        position += 1
        return set
    }

    private mutating func parseClassItem() throws(RegexFailure) -> [ClosedRange<UInt32>] {
        guard let scalar = current else { throw failure("missing ']'") }
        position += 1
        return scalar == "\\" ? try parseEscapedRanges() : [scalar.value...scalar.value]
    }

    private func failure(_ reason: String) -> RegexFailure {
        RegexFailure(offset: scalars[..<position].reduce(0) { $0 + UTF8.width($1) }, reason: reason)
    }
}
