// The derived forms: cond, let, let*, letrec and named let.

extension SchemeAnalyzer {
    func analyzeClauses(
        _ clauses: ArraySlice<SchemeValue>, _ datum: SchemeValue, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode {
        guard let clause = clauses.first else { return .constant(.unspecified) }
        guard let parts = clause.elements, let test = parts.first else { throw malformed(datum) }
        if case .symbol(let symbol) = test, symbol.name == "else" {
            return .sequence(try analyzeEach(parts[1...], scope))
        }
        let condition = try analyze(test, scope)
        let otherwise = try analyzeClauses(clauses.dropFirst(), datum, scope)
        if parts.count == 1 { return .or([condition, otherwise]) }
        if parts.count == 3, case .symbol(let arrow) = parts[1], arrow.name == "=>" {
            return .receive(test: condition, receiver: try analyze(parts[2], scope), otherwise: otherwise)
        }
        return .conditional(condition, .sequence(try analyzeEach(parts[1...], scope)), otherwise)
    }

    func analyzeLet(
        _ arguments: [SchemeValue], _ datum: SchemeValue, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode {
        if case .symbol(let name) = arguments[0] {
            guard arguments.count >= 3 else { throw malformed(datum) }
            let bindings = try bindings(arguments[1], datum)
            // ((letrec ((name (lambda (variables) body))) name) values): the values do not see the name.
            let inner = SchemeScope([name], parent: scope)
            let names = SchemeValue.list(bindings.map { .symbol($0.name) })
            let code = try analyzeLambda(name.name, names, arguments[2...], inner)
            let loop = SchemeLambda(
                name: "let", parameters: 1, takesRest: false, slots: 1,
                body: .sequence([.setLocal(up: 0, slot: 0, .lambda(code)), .local(up: 0, slot: 0, name: name)]))
            return .call(
                .call(.lambda(loop), [.constant(.undefined)]), try analyzeEach(bindings.map(\.value)[...], scope))
        }
        let bindings = try bindings(arguments[0], datum)
        let names = SchemeValue.list(bindings.map { .symbol($0.name) })
        let code = try analyzeLambda("let", names, arguments[1...], scope)
        return .call(.lambda(code), try analyzeEach(bindings.map(\.value)[...], scope))
    }

    /// `let*`: one `let` per binding.
    func analyzeNestedLet(
        _ arguments: [SchemeValue], _ datum: SchemeValue, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode {
        let bindings = try bindings(arguments[0], datum)
        let keyword = SchemeValue.symbol(interpreter.symbol("let"))
        guard bindings.count > 1 else {
            return try analyze(.list([keyword, arguments[0]] + arguments[1...]), scope)
        }
        var nested: [SchemeValue] = Array(arguments[1...])
        for binding in bindings.reversed() {
            let pair = SchemeValue.list([.list([.symbol(binding.name), binding.value])])
            nested = [.list([keyword, pair] + nested)]
        }
        return try analyze(nested[0], scope)
    }

    /// `letrec`: the variables exist, undefined, while their values are evaluated in order.
    func analyzeRecursiveLet(
        _ bindings: [(name: SchemeSymbol, value: SchemeValue)], _ body: ArraySlice<SchemeValue>, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> SchemeNode {
        let inner = SchemeScope(bindings.map(\.name), parent: scope)
        var nodes: [SchemeNode] = []
        for (slot, binding) in bindings.enumerated() {
            nodes.append(.setLocal(up: 0, slot: slot, try analyze(binding.value, inner)))
        }
        // The body may contain definitions: it is a procedure of its own.
        nodes.append(.call(.lambda(try analyzeLambda("letrec", .null, body, inner)), []))
        let code = SchemeLambda(
            name: "letrec", parameters: bindings.count, takesRest: false, slots: bindings.count,
            body: .sequence(nodes))
        return .call(.lambda(code), bindings.map { _ in .constant(.undefined) })
    }

    func bindings(
        _ list: SchemeValue, _ datum: SchemeValue
    ) throws(SchemeFailure) -> [(name: SchemeSymbol, value: SchemeValue)] {
        guard let items = list.elements else { throw malformed(datum) }
        var result: [(name: SchemeSymbol, value: SchemeValue)] = []
        for item in items {
            guard let parts = item.elements, parts.count == 2, case .symbol(let name) = parts[0] else {
                throw malformed(datum)
            }
            result.append((name, parts[1]))
        }
        return result
    }

    private func analyzeEach(
        _ data: ArraySlice<SchemeValue>, _ scope: SchemeScope?
    ) throws(SchemeFailure) -> [SchemeNode] {
        var nodes: [SchemeNode] = []
        for datum in data {
            nodes.append(try analyze(datum, scope))
        }
        return nodes
    }
}
