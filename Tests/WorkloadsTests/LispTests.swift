import Processes
import TestNeeds
import Testing

@testable import Workloads

@Suite("Scheme")
struct LispTests {
    @Test(
        "expressions have their values",
        arguments: [
            ("42", "42"), ("-7", "-7"), ("#t", "#t"), ("\"a\\n\\\"b\"", "\"a\\n\\\"b\""), ("'sym", "sym"),
            ("'()", "()"),
            ("'(1 (2 . 3) . 4)", "(1 (2 . 3) . 4)"), ("(quote (a 'b))", "(a (quote b))"), ("(+)", "0"),
            ("(+ 1 2 3)", "6"),
            ("(- 5)", "-5"), ("(- 9 2 3)", "4"), ("(* 2 3 4)", "24"), ("(quotient -7 2)", "-3"),
            ("(remainder -7 2)", "-1"), ("(modulo -7 2)", "1"), ("(modulo 7 -2)", "-1"), ("(< 1 2 3)", "#t"),
            ("(< 1 3 2)", "#f"), ("(if #f 1 2)", "2"), ("(if '() 1 2)", "1"), ("(if 0 1)", "1"),
            ("(cond (#f 1) ((= 1 1) 2) (else 3))", "2"), ("(cond (#f 1) (else 2 3))", "3"), ("(cond (5))", "5"),
            ("(cond ((memq 'b '(a b c)) => cdr) (else 0))", "(c)"), ("(and)", "#t"), ("(and 1 2)", "2"),
            ("(and 1 #f 2)", "#f"), ("(or #f 3)", "3"), ("(or)", "#f"), ("(when #t 1 2)", "2"),
            ("(unless #t 1)", "#<unspecified>"),
            ("(begin 1 2 3)", "3"), ("(let ((x 1) (y 2)) (+ x y))", "3"), ("(let* ((x 1) (y (+ x 1))) (* x y))", "2"),
            ("(let* () 5)", "5"), ("(let loop ((i 0) (s 0)) (if (= i 5) s (loop (+ i 1) (+ s i))))", "10"),
            (
                "(letrec ((e (lambda (n) (if (= n 0) #t (o (- n 1))))) (o (lambda (n) (if (= n 0) #f (e (- n 1)))))) "
                    + "(e 101))",
                "#f"
            ),
            ("((lambda (x . rest) (list x rest)) 1 2 3)", "(1 (2 3))"), ("((lambda all all))", "()"),
            ("(define x 1) (set! x (+ x 1)) x", "2"), ("(define (f x) (define y (* x 2)) (+ x y)) (f 3)", "9"),
            (
                "(define (m) (let ((n 0)) (lambda () (set! n (+ n 1)) n))) (define c (m)) (c) (c) (list (c) ((m)))",
                "(3 1)"
            ),
            ("(define (compose f g) (lambda (x) (f (g x)))) ((compose car cdr) '(1 2))", "2"),
            ("(apply + 1 '(2 3))", "6"),
            ("(apply max '(3 9))", "9"), ("(map + '(1 2) '(10 20))", "(11 22)"),
            ("(map (lambda (x) (* x x)) '(1 2 3))", "(1 4 9)"),
            ("(append '(1) '(2 3) '() '(4))", "(1 2 3 4)"), ("(reverse '(1 2 3))", "(3 2 1)"), ("(length '(1 2))", "2"),
            ("(assoc '(b) '(((a) 1) ((b) 2)))", "((b) 2)"), ("(equal? '(1 (\"x\")) '(1 (\"x\")))", "#t"),
            ("(eq? '(1) '(1))", "#f"), ("(eq? 'a 'a)", "#t"), ("(string-append \"ab\" \"c\")", "\"abc\""),
            ("(string-length \"héé\")", "3"), ("(string->symbol \"q\")", "q"), ("(number->string -3)", "\"-3\""),
            ("(define p (cons 1 2)) (set-car! p 5) (set-cdr! p '(6)) p", "(5 6)"),
            (
                "(define v (make-vector 3 0)) (vector-set! v 1 'x) (list v (vector-ref v 1) (vector-length v))",
                "(#(0 x 0) x 3)"
            ),
            ("(let ((if list)) (if 1 2 3))", "(1 2 3)"), ("; comment\n #| block |# 1", "1"),
            ("(define (f) (g)) (define (g) 7) (f)", "7"), ("(fold-right cons '() '(1 2))", "(1 2)"),
        ])
    func value(_ program: String, _ expected: String) {
        let outcome = call(runSchemeCode, Array(program.utf8))
        #expect(outcome.message == expected)
        #expect(!outcome.isFailure)
    }

    @Test(
        "wrong programs are errors with a reason",
        arguments: [
            ("(", "missing ')' (byte 1)"), (")", "unexpected ')' (byte 0)"), ("x", "x is not defined"),
            ("()", "() is not an expression; quote it"),
            ("(1 2)", "1 is not a procedure"), ("(car 1)", "car: 1 is not a pair"),
            ("(car)", "car called with 0 arguments"),
            ("((lambda (x) x))", "lambda called with 0 arguments, it takes 1"), ("(if)", "malformed expression (if)"),
            ("(let ((x)) x)", "malformed expression (let ((x)) x)"), ("(set! y 1)", "y is not defined"),
            ("(quotient 1 0)", "quotient: division by zero"),
            ("(* 9223372036854775807 2)", "*: the result does not fit in 64 bits"),
            ("99999999999999999999", "'99999999999999999999' is not an integer of 64 bits (byte 20)"),
            ("(letrec ((a b) (b 1)) a)", "b is not defined"),
            ("(error \"bad thing\" '(1 \"x\"))", "bad thing (1 \"x\")"),
            ("(vector-ref (make-vector 2 0) 2)", "vector-ref: index 2 in a vector of 2"),
            ("\"abc", "the program ends inside a string (byte 4)"),
            ("(+ 'a 1)", "+: a is not an integer"),
            (
                "(if 1 (define x 2))x(lambda () (if 1 (define z 2)))",
                "'define' of z must be at the top level or directly in a body"
            ),
        ])
    func failure(_ program: String, _ reason: String) {
        let outcome = call(runSchemeCode, Array(program.utf8))
        #expect(outcome.isFailure)
        #expect(outcome.message == "Scheme error: \(reason)")
    }

    @Test("tail calls do not deepen the recursion, other calls do")
    func tailCalls() {
        let loop = "(define (loop n) (cond ((= n 0) 'done) (else (loop (- n 1))))) (loop 20000)"
        let tail = call(runSchemeCode, Array(loop.utf8))
        #expect(tail.message == "done")
        #expect(tail.counts[1] < 10)
        let count = "(define (count n) (if (= n 0) 0 (+ 1 (count (- n 1))))) (count 20000)"
        let deep = call(runSchemeCode, Array(count.utf8))
        #expect(deep.message == "20000")
        #expect(deep.counts[1] > 20_000)
    }

    @Test("long lists are freed, deep data is read and written")
    func longLists() {
        let program = "(define (f n l) (if (= n 0) l (f (- n 1) (cons n l)))) (length (f 100000 '()))"
        #expect(call(runSchemeCode, Array(program.utf8)).message == "100000")
        let nested = "'" + String(repeating: "(", count: 20_000) + String(repeating: ")", count: 20_000)
        #expect(call(runSchemeCode, Array(nested.utf8)).message.hasPrefix("((((("))
    }

    @Test("what is displayed counts")
    func output() {
        let one = call(runSchemeCode, Array("(display \"a\") (newline) 1".utf8))
        let other = call(runSchemeCode, Array("(display \"b\") (newline) 1".utf8))
        #expect(one.message == other.message)
        #expect(one.checksum != other.checksum)
    }

    @Test("a file's expectation is checked")
    func expectation() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/a.scm"
        try Files.write("; expect: 3\n(+ 1 2)".utf8, to: path)
        let prepared = try LispWorkload().prepare(inputs: [path])
        #expect(prepared.summary.hasPrefix("3: "))
        #expect(try prepared.run(CodeLoader().load(LispWorkload(), variant: .builtin)).operations > 0)
        try Files.write("; expect: 4\n(+ 1 2)".utf8, to: path)
        #expect(
            line { try LispWorkload().prepare(inputs: [path]) } == "\(path): the result is 3, not 4 as the file expects"
        )
    }
}
