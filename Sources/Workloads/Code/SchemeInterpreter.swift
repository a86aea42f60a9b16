// Evaluation: a call that is not in tail position is a native call, a tail call is a jump.

final class SchemeInterpreter {
    private(set) var output = ""
    /// Calls of procedures.
    private(set) var applications: UInt64 = 0
    /// The deepest nesting of `evaluate`.
    private(set) var deepest: UInt64 = 0
    private var depth: UInt64 = 0
    private var symbols: [String: SchemeSymbol] = [:]
    private var changedFrames: [SchemeFrame] = []
    private var changedPairs: [SchemePair] = []
    private var changedVectors: [SchemeVector] = []

    /// The one builtin that calls its arguments, recognized by identity.
    private let applyBuiltin = SchemeBuiltin("apply", 2...Int.max) { _, _ throws(SchemeFailure) in .unspecified }

    init() {
        for builtin in SchemeBuiltins.all {
            symbol(builtin.name).value = .builtin(builtin)
        }
        symbol("apply").value = .builtin(applyBuiltin)
    }

    func symbol(_ name: String) -> SchemeSymbol {
        if let symbol = symbols[name] { return symbol }
        let symbol = SchemeSymbol(name)
        symbols[name] = symbol
        return symbol
    }

    /// Evaluates all expressions of `program`; the value of the last one.
    func run(_ program: UnsafeBufferPointer<UInt8>) throws(SchemeFailure) -> SchemeValue {
        var reader = SchemeReader(program, self)
        let analyzer = SchemeAnalyzer(interpreter: self)
        var result = SchemeValue.unspecified
        let top = SchemeFrame([], parent: nil)
        while let datum = try reader.next() {
            let node = try analyzer.analyze(datum, nil)
            result = try evaluate(node, top)
        }
        return result
    }

    func display(_ value: SchemeValue) {
        value.write(to: &output, display: true)
    }

    func newline() {
        output += "\n"
    }

    // MARK: Evaluation

    private func evaluate(_ start: SchemeNode, _ environment: SchemeFrame) throws(SchemeFailure) -> SchemeValue {
        depth += 1
        deepest = max(deepest, depth)
        defer { depth -= 1 }
        var node = start
        var frame = environment
        while true {
            switch node {
            case .constant(let value):
                return value
            case .local(let up, let slot, let name):
                return try defined(ancestor(frame, up).slots[slot], name)
            case .global(let symbol):
                return try defined(symbol.value, symbol)
            case .setLocal(let up, let slot, let value):
                set(ancestor(frame, up), slot, try evaluate(value, frame))
                return .unspecified
            case .setGlobal(let symbol, let value):
                _ = try defined(symbol.value, symbol)
                symbol.value = try evaluate(value, frame)
                return .unspecified
            case .define(let symbol, let value):
                symbol.value = try evaluate(value, frame)
                return .unspecified
            case .conditional(let test, let yes, let no):
                node = try evaluate(test, frame).isTrue ? yes : no
            case .lambda(let code):
                return .closure(SchemeClosure(code, frame))
            case .sequence(let nodes):
                guard let last = nodes.last else { return .unspecified }
                for index in 0..<nodes.count - 1 { _ = try evaluate(nodes[index], frame) }
                node = last
            case .and(let nodes):
                guard let last = nodes.last else { return .boolean(true) }
                for index in 0..<nodes.count - 1 where try !evaluate(nodes[index], frame).isTrue {
                    return .boolean(false)
                }
                node = last
            case .or(let nodes):
                guard let last = nodes.last else { return .boolean(false) }
                for index in 0..<nodes.count - 1 {
                    let value = try evaluate(nodes[index], frame)
                    if value.isTrue { return value }
                }
                node = last
            case .receive(let test, let receiver, let otherwise):
                let value = try evaluate(test, frame)
                node = value.isTrue ? .call(receiver, [.constant(value)]) : otherwise
            case .call(let operation, let operands):
                let function = try evaluate(operation, frame)
                let arguments = try evaluateAll(operands, frame)
                switch try apply(function, arguments) {
                case .value(let value): return value
                case .body(let code, let inner): (node, frame) = (code, inner)
                }
            }
        }
    }

    /// What a call comes to: a value, or the body that the caller continues with.
    private enum Application {
        case value(SchemeValue)
        case body(SchemeNode, SchemeFrame)
    }

    @inline(never)
    private func apply(_ function: SchemeValue, _ arguments: [SchemeValue]) throws(SchemeFailure) -> Application {
        applications += 1
        switch function {
        case .closure(let closure):
            return .body(closure.code.body, try bind(closure, arguments))
        case .builtin(let builtin):
            guard builtin.arity.contains(arguments.count) else {
                throw SchemeFailure(reason: "\(builtin.name) called with \(arguments.count) arguments")
            }
            guard builtin === applyBuiltin else { return .value(try builtin.body(self, arguments)) }
            guard let spread = arguments[arguments.count - 1].elements else {
                throw SchemeFailure(reason: "the last argument of apply must be a list")
            }
            return try apply(arguments[0], arguments[1..<arguments.count - 1] + spread)
        default:
            var text = ""
            function.write(to: &text, display: false)
            throw SchemeFailure(reason: "\(text.prefix(80)) is not a procedure")
        }
    }

    @inline(never)
    private func evaluateAll(_ nodes: [SchemeNode], _ frame: SchemeFrame) throws(SchemeFailure) -> [SchemeValue] {
        var values: [SchemeValue] = []
        values.reserveCapacity(nodes.count)
        for node in nodes {
            values.append(try evaluate(node, frame))
        }
        return values
    }

    private func bind(_ closure: SchemeClosure, _ arguments: [SchemeValue]) throws(SchemeFailure) -> SchemeFrame {
        let code = closure.code
        guard arguments.count == code.parameters || code.takesRest && arguments.count > code.parameters else {
            throw SchemeFailure(
                reason: "\(code.name) called with \(arguments.count) arguments, it takes \(code.parameters)")
        }
        var slots = arguments
        if code.takesRest {
            slots.removeSubrange(code.parameters...)
            slots.append(.list(arguments[code.parameters...]))
        }
        while slots.count < code.slots { slots.append(.undefined) }
        return SchemeFrame(slots, parent: closure.frame)
    }

    private func ancestor(_ frame: SchemeFrame, _ up: Int) -> SchemeFrame {
        var frame = frame
        for _ in 0..<up { frame = frame.parent! }
        return frame
    }

    private func defined(_ value: SchemeValue, _ symbol: SchemeSymbol) throws(SchemeFailure) -> SchemeValue {
        if case .undefined = value { throw SchemeFailure(reason: "\(symbol.name) is not defined") }
        return value
    }

    // MARK: Changes, and the cycles they can close

    private func set(_ frame: SchemeFrame, _ slot: Int, _ value: SchemeValue) {
        frame.slots[slot] = value
        guard value.canRefer, !frame.isChanged else { return }
        frame.isChanged = true
        changedFrames.append(frame)
    }

    func changePair(_ pair: SchemePair, first: SchemeValue? = nil, rest: SchemeValue? = nil) {
        if let first { pair.first = first }
        if let rest { pair.rest = rest }
        guard (first ?? .null).canRefer || (rest ?? .null).canRefer, !pair.isChanged else { return }
        pair.isChanged = true
        changedPairs.append(pair)
    }

    func changeVector(_ vector: SchemeVector, _ index: Int, _ value: SchemeValue) {
        vector.items[index] = value
        guard value.canRefer, !vector.isChanged else { return }
        vector.isChanged = true
        changedVectors.append(vector)
    }

    /// Empties globals and every object that was changed after its creation, so that nothing outlives the run.
    func breakCycles() {
        for symbol in symbols.values { symbol.value = .undefined }
        for frame in changedFrames { frame.slots = [] }
        for pair in changedPairs {
            pair.first = .null
            pair.rest = .null
        }
        for vector in changedVectors { vector.items = [] }
    }
}
