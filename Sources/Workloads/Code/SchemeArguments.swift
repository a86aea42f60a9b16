// Checks of arguments that the builtin procedures share, and the procedures that are written in Scheme.

extension SchemeBuiltins {
    static let prelude: StaticString = """
        (define (zero? n) (= n 0))
        (define (positive? n) (> n 0))
        (define (negative? n) (< n 0))
        (define (even? n) (= (remainder n 2) 0))
        (define (odd? n) (not (even? n)))
        (define (abs n) (if (< n 0) (- n) n))
        (define (min a b) (if (< b a) b a))
        (define (max a b) (if (> b a) b a))
        (define (cadr x) (car (cdr x)))
        (define (cddr x) (cdr (cdr x)))
        (define (caar x) (car (car x)))
        (define (cdar x) (cdr (car x)))
        (define (caddr x) (car (cddr x)))
        (define (cdddr x) (cdr (cddr x)))
        (define (cadddr x) (car (cdddr x)))
        (define (list-tail l k) (if (= k 0) l (list-tail (cdr l) (- k 1))))
        (define (list-ref l k) (car (list-tail l k)))
        (define (map1 f l) (if (null? l) '() (cons (f (car l)) (map1 f (cdr l)))))
        (define (map f l . more)
          (if (null? more)
              (map1 f l)
              (let loop ((lists (cons l more)))
                (if (null? (car lists))
                    '()
                    (cons (apply f (map1 car lists)) (loop (map1 cdr lists)))))))
        (define (for-each f l) (when (pair? l) (f (car l)) (for-each f (cdr l))))
        (define (filter f l)
          (cond ((null? l) '()) ((f (car l)) (cons (car l) (filter f (cdr l)))) (else (filter f (cdr l)))))
        (define (fold-left f start l) (if (null? l) start (fold-left f (f start (car l)) (cdr l))))
        (define (fold-right f start l) (if (null? l) start (f (car l) (fold-right f start (cdr l)))))
        (define (memq x l) (cond ((null? l) #f) ((eq? x (car l)) l) (else (memq x (cdr l)))))
        (define (member x l) (cond ((null? l) #f) ((equal? x (car l)) l) (else (member x (cdr l)))))
        (define (assq x l) (cond ((null? l) #f) ((eq? x (caar l)) (car l)) (else (assq x (cdr l)))))
        (define (assoc x l) (cond ((null? l) #f) ((equal? x (caar l)) (car l)) (else (assoc x (cdr l)))))
        """

    typealias Overflowing = (partialValue: Int, overflow: Bool)

    static func fold(
        _ name: String, _ arity: ClosedRange<Int>, start: Int, _ operation: @escaping (Int, Int) -> Overflowing
    ) -> SchemeBuiltin {
        SchemeBuiltin(name, arity) { _, arguments throws(SchemeFailure) in
            var result = start
            for argument in arguments {
                result = try checked(operation(result, integer(argument, name)), name)
            }
            return .integer(result)
        }
    }

    static func division(_ name: String, _ operation: @escaping (Int, Int) -> Overflowing) -> SchemeBuiltin {
        SchemeBuiltin(name, 2...2) { _, arguments throws(SchemeFailure) in
            let divisor = try integer(arguments[1], name)
            if divisor == 0 { throw SchemeFailure(reason: "\(name): division by zero") }
            return .integer(try checked(operation(integer(arguments[0], name), divisor), name))
        }
    }

    static func comparison(_ name: String, _ holds: @escaping (Int, Int) -> Bool) -> SchemeBuiltin {
        SchemeBuiltin(name, 1...Int.max) { _, arguments throws(SchemeFailure) in
            var previous = try integer(arguments[0], name)
            for argument in arguments.dropFirst() {
                let next = try integer(argument, name)
                if !holds(previous, next) { return .boolean(false) }
                previous = next
            }
            return .boolean(true)
        }
    }

    static func test(_ name: String, _ holds: @escaping (SchemeValue) -> Bool) -> SchemeBuiltin {
        SchemeBuiltin(name, 1...1) { .boolean(holds($1[0])) }
    }

    static func checked(_ result: Overflowing, _ name: String) throws(SchemeFailure) -> Int {
        if result.overflow { throw SchemeFailure(reason: "\(name): the result does not fit in 64 bits") }
        return result.partialValue
    }

    static func wrong(_ value: SchemeValue, _ name: String, _ expected: String) -> SchemeFailure {
        var text = ""
        value.write(to: &text, display: false)
        return SchemeFailure(reason: "\(name): \(text.prefix(80)) is not \(expected)")
    }

    static func integer(_ value: SchemeValue, _ name: String) throws(SchemeFailure) -> Int {
        if case .integer(let integer) = value { return integer }
        throw wrong(value, name, "an integer")
    }

    static func string(_ value: SchemeValue, _ name: String) throws(SchemeFailure) -> String {
        if case .string(let string) = value { return string.text }
        throw wrong(value, name, "a string")
    }

    static func pair(_ value: SchemeValue, _ name: String) throws(SchemeFailure) -> SchemePair {
        if case .pair(let pair) = value { return pair }
        throw wrong(value, name, "a pair")
    }

    static func vector(_ value: SchemeValue, _ name: String) throws(SchemeFailure) -> SchemeVector {
        if case .vector(let vector) = value { return vector }
        throw wrong(value, name, "a vector")
    }

    static func elements(_ value: SchemeValue, _ name: String) throws(SchemeFailure) -> [SchemeValue] {
        if let items = value.elements { return items }
        throw wrong(value, name, "a list")
    }

    static func index(_ value: SchemeValue, of vector: SchemeVector, _ name: String) throws(SchemeFailure) -> Int {
        let index = try integer(value, name)
        guard vector.items.indices.contains(index) else {
            throw SchemeFailure(reason: "\(name): index \(index) in a vector of \(vector.items.count)")
        }
        return index
    }
}
