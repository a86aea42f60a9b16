// The procedures that programs find defined. `SchemeBuiltins.prelude` has those that are written in Scheme.

enum SchemeBuiltins {
    /// A new list for each interpreter: nothing is shared between runs, so nothing needs to be locked.
    static var all: [SchemeBuiltin] {
        arithmetic + predicates + lists + textAndVectors
    }

    private static var arithmetic: [SchemeBuiltin] {
        [
            fold("+", 0...Int.max, start: 0) { $0.addingReportingOverflow($1) },
            fold("*", 0...Int.max, start: 1) { $0.multipliedReportingOverflow(by: $1) },
            SchemeBuiltin("-", 1...Int.max) { _, arguments throws(SchemeFailure) in
                var result = try integer(arguments[0], "-")
                if arguments.count == 1 {
                    return .integer(try checked(0.subtractingReportingOverflow(result), "-"))
                }
                for argument in arguments[1...] {
                    result = try checked(result.subtractingReportingOverflow(integer(argument, "-")), "-")
                }
                return .integer(result)
            },
            division("quotient") { $0.dividedReportingOverflow(by: $1) },
            division("remainder") { $0.remainderReportingOverflow(dividingBy: $1) },
            division("modulo") { dividend, divisor in
                let (rest, overflow) = dividend.remainderReportingOverflow(dividingBy: divisor)
                return (rest != 0 && (rest < 0) != (divisor < 0) ? rest + divisor : rest, overflow)
            },
            comparison("=", ==), comparison("<", <), comparison(">", >), comparison("<=", <=), comparison(">=", >=),
        ]
    }

    private static var predicates: [SchemeBuiltin] {
        [
            test("null?") { if case .null = $0 { true } else { false } },
            test("pair?") { if case .pair = $0 { true } else { false } },
            test("symbol?") { if case .symbol = $0 { true } else { false } },
            test("string?") { if case .string = $0 { true } else { false } },
            test("integer?") { if case .integer = $0 { true } else { false } },
            test("number?") { if case .integer = $0 { true } else { false } },
            test("boolean?") { if case .boolean = $0 { true } else { false } },
            test("vector?") { if case .vector = $0 { true } else { false } },
            test("procedure?") {
                switch $0 {
                case .closure, .builtin: true
                default: false
                }
            },
            test("not") { !$0.isTrue },
            SchemeBuiltin("eq?", 2...2) { .boolean(SchemeValue.identical($1[0], $1[1])) },
            SchemeBuiltin("eqv?", 2...2) { .boolean(SchemeValue.identical($1[0], $1[1])) },
            SchemeBuiltin("equal?", 2...2) { .boolean(SchemeValue.equal($1[0], $1[1])) },
        ]
    }

    private static var lists: [SchemeBuiltin] {
        [
            SchemeBuiltin("cons", 2...2) { .pair(SchemePair($1[0], $1[1])) },
            SchemeBuiltin("list", 0...Int.max) { .list($1) },
            SchemeBuiltin("car", 1...1) { _, arguments throws(SchemeFailure) in try pair(arguments[0], "car").first },
            SchemeBuiltin("cdr", 1...1) { _, arguments throws(SchemeFailure) in try pair(arguments[0], "cdr").rest },
            SchemeBuiltin("set-car!", 2...2) { interpreter, arguments throws(SchemeFailure) in
                interpreter.changePair(try pair(arguments[0], "set-car!"), first: arguments[1])
                return .unspecified
            },
            SchemeBuiltin("set-cdr!", 2...2) { interpreter, arguments throws(SchemeFailure) in
                interpreter.changePair(try pair(arguments[0], "set-cdr!"), rest: arguments[1])
                return .unspecified
            },
            SchemeBuiltin("length", 1...1) { _, arguments throws(SchemeFailure) in
                .integer(try elements(arguments[0], "length").count)
            },
            SchemeBuiltin("reverse", 1...1) { _, arguments throws(SchemeFailure) in
                .list(try elements(arguments[0], "reverse").reversed())
            },
            SchemeBuiltin("append", 0...Int.max) { _, arguments throws(SchemeFailure) in
                var result = arguments.last ?? .null
                for argument in arguments.dropLast().reversed() {
                    result = .list(try elements(argument, "append"), tail: result)
                }
                return result
            },
        ]
    }

    private static var textAndVectors: [SchemeBuiltin] {
        [
            SchemeBuiltin("display", 1...1) { interpreter, arguments throws(SchemeFailure) in
                interpreter.display(arguments[0])
                return .unspecified
            },
            SchemeBuiltin("newline", 0...0) { interpreter, _ throws(SchemeFailure) in
                interpreter.newline()
                return .unspecified
            },
            SchemeBuiltin("error", 1...Int.max) { _, arguments throws(SchemeFailure) in
                var words: [String] = []
                for (index, argument) in arguments.enumerated() {
                    var text = ""
                    argument.write(to: &text, display: index == 0)
                    words.append(text)
                }
                throw SchemeFailure(reason: words.joined(separator: " "))
            },
            SchemeBuiltin("string-append", 0...Int.max) { _, arguments throws(SchemeFailure) in
                var result = ""
                for argument in arguments { result += try string(argument, "string-append") }
                return .string(SchemeString(result))
            },
            SchemeBuiltin("string-length", 1...1) { _, arguments throws(SchemeFailure) in
                .integer(try string(arguments[0], "string-length").unicodeScalars.count)
            },
            SchemeBuiltin("string=?", 2...2) { _, arguments throws(SchemeFailure) in
                .boolean(try string(arguments[0], "string=?") == string(arguments[1], "string=?"))
            },
            SchemeBuiltin("symbol->string", 1...1) { _, arguments throws(SchemeFailure) in
                guard case .symbol(let symbol) = arguments[0] else {
                    throw wrong(arguments[0], "symbol->string", "a symbol")
                }
                return .string(SchemeString(symbol.name))
            },
            SchemeBuiltin("string->symbol", 1...1) { interpreter, arguments throws(SchemeFailure) in
                .symbol(interpreter.symbol(try string(arguments[0], "string->symbol")))
            },
            SchemeBuiltin("number->string", 1...1) { _, arguments throws(SchemeFailure) in
                .string(SchemeString(String(try integer(arguments[0], "number->string"))))
            },
            SchemeBuiltin("make-vector", 2...2) { _, arguments throws(SchemeFailure) in
                let count = try integer(arguments[0], "make-vector")
                guard (0...1 << 26).contains(count) else {
                    throw wrong(arguments[0], "make-vector", "a length")
                }
                return .vector(SchemeVector(Array(repeating: arguments[1], count: count)))
            },
            SchemeBuiltin("vector-length", 1...1) { _, arguments throws(SchemeFailure) in
                .integer(try vector(arguments[0], "vector-length").items.count)
            },
            SchemeBuiltin("vector-ref", 2...2) { _, arguments throws(SchemeFailure) in
                let vector = try vector(arguments[0], "vector-ref")
                return vector.items[try index(arguments[1], of: vector, "vector-ref")]
            },
            SchemeBuiltin("vector-set!", 3...3) { interpreter, arguments throws(SchemeFailure) in
                let vector = try vector(arguments[0], "vector-set!")
                interpreter.changeVector(vector, try index(arguments[1], of: vector, "vector-set!"), arguments[2])
                return .unspecified
            },
        ]
    }
}
