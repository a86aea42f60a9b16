// Values of the Scheme interpreter. Reference counted like any Swift program's; cycles are broken at the end of a run
// by `SchemeInterpreter.breakCycles()`, which empties every object that was ever changed after its creation.

/// Why a program cannot be read or evaluated.
struct SchemeFailure: Error {
    var reason: String
}

enum SchemeValue {
    case null
    case unspecified
    /// What a variable holds before its definition is evaluated.
    case undefined
    case boolean(Bool)
    case integer(Int)
    case symbol(SchemeSymbol)
    case string(SchemeString)
    case pair(SchemePair)
    case vector(SchemeVector)
    case closure(SchemeClosure)
    case builtin(SchemeBuiltin)

    /// Everything except #f.
    var isTrue: Bool {
        if case .boolean(false) = self { false } else { true }
    }

    /// Whether a change that stores this value can close a cycle.
    var canRefer: Bool {
        switch self {
        case .pair, .vector, .closure: true
        default: false
        }
    }

    /// A list of `items`, ended by `tail`.
    static func list(_ items: some BidirectionalCollection<SchemeValue>, tail: SchemeValue = .null) -> SchemeValue {
        var result = tail
        for item in items.reversed() {
            result = .pair(SchemePair(item, result))
        }
        return result
    }

    /// The elements of a proper list, nil if this is none.
    var elements: [SchemeValue]? {
        var items: [SchemeValue] = []
        var rest = self
        while case .pair(let pair) = rest {
            items.append(pair.first)
            rest = pair.rest
        }
        if case .null = rest { return items }
        return nil
    }

    /// eq? and eqv?: integers by value, everything with contents by identity.
    static func identical(_ one: SchemeValue, _ other: SchemeValue) -> Bool {
        switch (one, other) {
        case (.null, .null), (.unspecified, .unspecified), (.undefined, .undefined): true
        case (.boolean(let left), .boolean(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.symbol(let left), .symbol(let right)): left === right
        case (.string(let left), .string(let right)): left === right
        case (.pair(let left), .pair(let right)): left === right
        case (.vector(let left), .vector(let right)): left === right
        case (.closure(let left), .closure(let right)): left === right
        case (.builtin(let left), .builtin(let right)): left === right
        default: false
        }
    }

    /// equal?: recursion on first elements, a loop along lists.
    static func equal(_ one: SchemeValue, _ other: SchemeValue) -> Bool {
        var (one, other) = (one, other)
        while true {
            switch (one, other) {
            case (.pair(let left), .pair(let right)):
                guard equal(left.first, right.first) else { return false }
                (one, other) = (left.rest, right.rest)
            case (.string(let left), .string(let right)):
                return left.text == right.text
            case (.vector(let left), .vector(let right)):
                return left.items.elementsEqual(right.items, by: equal)
            default:
                return identical(one, other)
            }
        }
    }

    /// Appends the external representation: recursion on first elements, a loop along lists.
    /// - Parameter display: strings without quotes.
    func write(to text: inout String, display: Bool) {
        switch self {
        case .null: text += "()"
        case .unspecified: text += "#<unspecified>"
        case .undefined: text += "#<undefined>"
        case .boolean(let flag): text += flag ? "#t" : "#f"
        case .integer(let integer): text += String(integer)
        case .symbol(let symbol): text += symbol.name
        case .string(let string): text += display ? string.text : string.quoted
        case .closure(let closure): text += "#<procedure \(closure.code.name)>"
        case .builtin(let builtin): text += "#<procedure \(builtin.name)>"
        case .vector(let vector):
            text += "#("
            for index in vector.items.indices {
                if index > 0 { text += " " }
                vector.items[index].write(to: &text, display: display)
            }
            text += ")"
        case .pair(let pair):
            pair.writeList(to: &text, display: display)
        }
    }
}

/// A name and its global variable.
final class SchemeSymbol {
    let name: String
    var value: SchemeValue = .undefined

    init(_ name: String) {
        self.name = name
    }
}

final class SchemeString {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    var quoted: String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result.unicodeScalars.append(contentsOf: ["\\", scalar])
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

final class SchemePair {
    var first: SchemeValue
    var rest: SchemeValue
    /// In the interpreter's list of changed objects.
    var isChanged = false

    init(_ first: SchemeValue, _ rest: SchemeValue) {
        self.first = first
        self.rest = rest
    }

    /// Frees a list in a loop, not one nested release per element.
    deinit {
        guard case .pair(var pair) = rest else { return }
        rest = .null
        while isKnownUniquelyReferenced(&pair), case .pair(let next) = pair.rest {
            pair.rest = .null
            pair = next
        }
    }

    fileprivate func writeList(to text: inout String, display: Bool) {
        text += "("
        first.write(to: &text, display: display)
        var rest = rest
        while case .pair(let pair) = rest {
            text += " "
            pair.first.write(to: &text, display: display)
            rest = pair.rest
        }
        if case .null = rest {
        } else {
            text += " . "
            rest.write(to: &text, display: display)
        }
        text += ")"
    }
}

final class SchemeVector {
    var items: [SchemeValue]
    /// In the interpreter's list of changed objects.
    var isChanged = false

    init(_ items: [SchemeValue]) {
        self.items = items
    }
}

/// The variables of one procedure call.
final class SchemeFrame {
    var slots: [SchemeValue]
    let parent: SchemeFrame?
    /// In the interpreter's list of changed objects.
    var isChanged = false

    init(_ slots: [SchemeValue], parent: SchemeFrame?) {
        self.slots = slots
        self.parent = parent
    }
}

/// A lambda expression together with the variables around it.
final class SchemeClosure {
    let code: SchemeLambda
    let frame: SchemeFrame?

    init(_ code: SchemeLambda, _ frame: SchemeFrame?) {
        self.code = code
        self.frame = frame
    }
}

/// A procedure of the interpreter itself.
final class SchemeBuiltin {
    typealias Body = (SchemeInterpreter, [SchemeValue]) throws(SchemeFailure) -> SchemeValue

    let name: String
    let arity: ClosedRange<Int>
    let body: Body

    init(_ name: String, _ arity: ClosedRange<Int>, _ body: @escaping Body) {
        self.name = name
        self.arity = arity
        self.body = body
    }
}
