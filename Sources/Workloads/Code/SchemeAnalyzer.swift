// Data to code: resolves every variable to a slot of a frame or to a global before anything is evaluated.

indirect enum SchemeNode {
    case constant(SchemeValue)
    /// The variable `slot` of the frame `up` levels out. The name is for messages.
    case local(up: Int, slot: Int, name: SchemeSymbol)
    case global(SchemeSymbol)
    case setLocal(up: Int, slot: Int, SchemeNode)
    case setGlobal(SchemeSymbol, SchemeNode)
    case define(SchemeSymbol, SchemeNode)
    case conditional(SchemeNode, SchemeNode, SchemeNode)
    case lambda(SchemeLambda)
    case sequence([SchemeNode])
    case and([SchemeNode])
    case or([SchemeNode])
    /// `(cond (test => receiver) …)`: calls the receiver with the value of the test if that is true.
    case receive(test: SchemeNode, receiver: SchemeNode, otherwise: SchemeNode)
    case call(SchemeNode, [SchemeNode])
}

/// The code of a lambda expression.
final class SchemeLambda {
    let name: String
    let parameters: Int
    /// Whether a further parameter takes the remaining arguments as a list.
    let takesRest: Bool
    /// Parameters and the definitions inside the body.
    let slots: Int
    let body: SchemeNode

    init(name: String, parameters: Int, takesRest: Bool, slots: Int, body: SchemeNode) {
        self.name = name
        self.parameters = parameters
        self.takesRest = takesRest
        self.slots = slots
        self.body = body
    }
}

/// The variables of one lambda expression while its body is analyzed.
final class SchemeScope {
    var names: [SchemeSymbol]
    let parent: SchemeScope?

    init(_ names: [SchemeSymbol], parent: SchemeScope?) {
        self.names = names
        self.parent = parent
    }

    /// Where `symbol` is bound, nil if it is global.
    func find(_ symbol: SchemeSymbol) -> (up: Int, slot: Int)? {
        var scope: SchemeScope? = self
        var up = 0
        while let current = scope {
            if let slot = current.names.lastIndex(where: { $0 === symbol }) { return (up, slot) }
            scope = current.parent
            up += 1
        }
        return nil
    }
}

struct SchemeAnalyzer {
    let interpreter: SchemeInterpreter

    func analyze(_ datum: SchemeValue, _ scope: SchemeScope?) throws(SchemeFailure) -> SchemeNode {
        switch datum {
        case .symbol(let symbol):
            guard let place = scope?.find(symbol) else { return .global(symbol) }
            return .local(up: place.up, slot: place.slot, name: symbol)
        case .pair(let pair):
            guard let arguments = pair.rest.elements else { throw malformed(datum) }
            // A local variable hides a special form of the same name.
            if case .symbol(let keyword) = pair.first, scope?.find(keyword) == nil,
                let node = try analyzeForm(keyword.name, arguments, datum, scope)
            {
                return node
            }
            let operation = try analyze(pair.first, scope)
            return .call(operation, try analyzeAll(arguments[...], scope))
        case .null:
            throw SchemeFailure(reason: "() is not an expression; quote it")
        default:
            return .constant(datum)
        }
    }

    private func analyzeForm(
        _ keyword: String, _ arguments: [SchemeValue], _ datum: SchemeValue, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode? {
        switch keyword {
        case "quote" where arguments.count == 1:
            return .constant(arguments[0])
        case "if" where arguments.count == 2 || arguments.count == 3:
            let no = arguments.count == 3 ? try analyze(arguments[2], scope) : .constant(.unspecified)
            return .conditional(try analyze(arguments[0], scope), try analyze(arguments[1], scope), no)
        case "define" where !arguments.isEmpty:
            return try analyzeDefine(arguments, datum, scope)
        case "set!" where arguments.count == 2:
            guard case .symbol(let symbol) = arguments[0] else { throw malformed(datum) }
            return assignment(symbol, try analyze(arguments[1], scope), scope)
        case "lambda" where arguments.count >= 2:
            return .lambda(try analyzeLambda("lambda", arguments[0], arguments[1...], scope))
        case "begin":
            return .sequence(try analyzeAll(arguments[...], scope))
        case "and":
            return .and(try analyzeAll(arguments[...], scope))
        case "or":
            return .or(try analyzeAll(arguments[...], scope))
        case "when" where arguments.count >= 2, "unless" where arguments.count >= 2:
            let body = SchemeNode.sequence(try analyzeAll(arguments[1...], scope))
            let test = try analyze(arguments[0], scope)
            let nothing = SchemeNode.constant(.unspecified)
            return keyword == "when" ? .conditional(test, body, nothing) : .conditional(test, nothing, body)
        case "cond":
            return try analyzeClauses(arguments[...], datum, scope)
        case "let" where arguments.count >= 2:
            return try analyzeLet(arguments, datum, scope)
        case "let*" where arguments.count >= 2:
            return try analyzeNestedLet(arguments, datum, scope)
        case "letrec" where arguments.count >= 2, "letrec*" where arguments.count >= 2:
            return try analyzeRecursiveLet(try bindings(arguments[0], datum), arguments[1...], scope)
        case "quote", "if", "define", "set!", "lambda", "when", "unless", "let", "let*", "letrec", "letrec*":
            throw malformed(datum)
        default:
            return nil
        }
    }

    private func analyzeAll(
        _ data: ArraySlice<SchemeValue>, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> [SchemeNode] {
        var nodes: [SchemeNode] = []
        nodes.reserveCapacity(data.count)
        for datum in data {
            nodes.append(try analyze(datum, scope))
        }
        return nodes
    }

    private func assignment(_ symbol: SchemeSymbol, _ value: SchemeNode, _ scope: SchemeScope?) -> SchemeNode {
        guard let place = scope?.find(symbol) else { return .setGlobal(symbol, value) }
        return .setLocal(up: place.up, slot: place.slot, value)
    }

    /// A definition inside a body assigns to the slot that `analyzeLambda` has reserved for it.
    private func analyzeDefine(
        _ arguments: [SchemeValue], _ datum: SchemeValue, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode {
        guard let symbol = definedName(arguments[0]) else { throw malformed(datum) }
        let value: SchemeNode
        if case .pair(let signature) = arguments[0] {
            guard arguments.count >= 2 else { throw malformed(datum) }
            value = .lambda(try analyzeLambda(symbol.name, signature.rest, arguments[1...], scope))
        } else {
            guard arguments.count == 2 else { throw malformed(datum) }
            value = try analyze(arguments[1], scope)
        }
        guard let scope else { return .define(symbol, value) }
        guard scope.names.contains(where: { $0 === symbol }) else {
            throw SchemeFailure(reason: "'define' of \(symbol.name) must be at the top level or directly in a body")
        }
        return assignment(symbol, value, scope)
    }

    private func definedName(_ target: SchemeValue) -> SchemeSymbol? {
        switch target {
        case .symbol(let symbol): symbol
        case .pair(let pair): if case .symbol(let symbol) = pair.first { symbol } else { nil }
        default: nil
        }
    }

    func analyzeLambda(
        _ name: String, _ parameters: SchemeValue, _ body: ArraySlice<SchemeValue>, _ parent: SchemeScope?
    ) throws(SchemeFailure) -> SchemeLambda {
        var names: [SchemeSymbol] = []
        var rest = parameters
        while case .pair(let pair) = rest, case .symbol(let symbol) = pair.first {
            names.append(symbol)
            rest = pair.rest
        }
        let count = names.count
        var takesRest = false
        if case .symbol(let symbol) = rest {
            names.append(symbol)
            takesRest = true
        } else if case .null = rest {
        } else {
            throw SchemeFailure(reason: "the parameters of \(name) are not names")
        }
        for datum in body {
            if case .pair(let pair) = datum, case .symbol(let keyword) = pair.first, keyword.name == "define",
                case .pair(let target) = pair.rest, let symbol = definedName(target.first)
            {
                names.append(symbol)
            }
        }
        let scope = SchemeScope(names, parent: parent)
        return SchemeLambda(
            name: name, parameters: count, takesRest: takesRest, slots: names.count,
            body: .sequence(try analyzeAll(body, scope)))
    }

    func malformed(_ datum: SchemeValue) -> SchemeFailure {
        var text = ""
        datum.write(to: &text, display: false)
        return SchemeFailure(reason: "malformed expression \(text.prefix(80))")
    }
}
