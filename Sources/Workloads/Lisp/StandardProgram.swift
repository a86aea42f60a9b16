// The default program of the Scheme workload.

enum StandardProgram {
    /// An evaluator for Scheme in Scheme that runs a program of its own, symbolic derivatives with simplification,
    /// queens by lists, and recursion 2,000 calls deep.
    static let text = text(fibonacci: 12, count: 200, queens: 7, depth: 2000)

    /// The same with other sizes: which Fibonacci number the inner evaluator computes, how far it counts, how many
    /// queens are placed, and how deep the recursion is.
    static func text(fibonacci: Int, count: Int, queens: Int, depth: Int) -> String {
        var (number, next) = (0, 1)
        for _ in 0..<fibonacci { (number, next) = (next, number + next) }
        let solutions = NQueensWorkload.solutions[queens - 1]
        return #"""
            ; expect: (\#(number) \#(count) (* 2 x) (+ (* 3 (* x x)) 2) \#(solutions) \#(depth) (1 2 3 5 8 9) 1275)

            ; An evaluator. Environments are lists of pairs.
            (define (evaluate x env)
              (cond ((symbol? x) (cdr (lookup x env)))
                    ((not (pair? x)) x)
                    ((eq? (car x) 'quote) (cadr x))
                    ((eq? (car x) 'if)
                     (if (evaluate (cadr x) env) (evaluate (caddr x) env) (evaluate (cadddr x) env)))
                    ((eq? (car x) 'lambda) (list 'closure (cadr x) (caddr x) env))
                    ((eq? (car x) 'letrec)
                     (let* ((cell (cons (car (cadr x)) '()))
                            (inner (cons cell env)))
                       (set-cdr! cell (evaluate (cadr (cadr x)) inner))
                       (evaluate (caddr x) inner)))
                    (else (invoke (evaluate (car x) env) (map (lambda (y) (evaluate y env)) (cdr x))))))
            (define (lookup name env) (or (assq name env) (error "unbound" name)))
            (define (invoke f arguments)
              (if (procedure? f)
                  (apply f arguments)
                  (evaluate (caddr f) (extend (cadr f) arguments (cadddr f)))))
            (define (extend names values env)
              (if (null? names)
                  env
                  (cons (cons (car names) (car values)) (extend (cdr names) (cdr values) env))))
            (define primitives (list (cons '+ +) (cons '- -) (cons '< <) (cons '= =)))
            (define (run-inner program) (evaluate program primitives))

            ; Derivatives with respect to x.
            (define (derive e)
              (cond ((integer? e) 0)
                    ((symbol? e) (if (eq? e 'x) 1 0))
                    ((eq? (car e) '+) (list '+ (derive (cadr e)) (derive (caddr e))))
                    (else (list '+ (list '* (cadr e) (derive (caddr e))) (list '* (derive (cadr e)) (caddr e))))))
            (define (simplify e)
              (if (pair? e) (combine (car e) (simplify (cadr e)) (simplify (caddr e))) e))
            (define (combine op a b)
              (cond ((and (integer? a) (integer? b)) (if (eq? op '+) (+ a b) (* a b)))
                    ((integer? b) (combine op b a))
                    ((eq? op '+)
                     (cond ((and (integer? a) (= a 0)) b)
                           ((integer? a) (list '+ b a))
                           ((equal? a b) (combine '* 2 a))
                           ((and (coefficient? b) (equal? a (caddr b))) (combine '* (+ 1 (cadr b)) a))
                           ((and (coefficient? a) (equal? b (caddr a))) (combine '* (+ 1 (cadr a)) b))
                           (else (list '+ a b))))
                    ((and (integer? a) (= a 0)) 0)
                    ((and (integer? a) (= a 1)) b)
                    ((and (coefficient? b) (symbol? a)) (list '* (cadr b) (list '* a (caddr b))))
                    (else (list '* a b))))
            (define (coefficient? e) (and (pair? e) (eq? (car e) '*) (integer? (cadr e))))

            ; Queens, by lists.
            (define (queens n)
              (let place ((row 0) (placed '()))
                (if (= row n)
                    1
                    (let try ((column 0))
                      (if (= column n)
                          0
                          (+ (if (safe? column placed 1) (place (+ row 1) (cons column placed)) 0)
                             (try (+ column 1))))))))
            (define (safe? column placed distance)
              (or (null? placed)
                  (and (not (= (car placed) column))
                       (not (= (abs (- (car placed) column)) distance))
                       (safe? column (cdr placed) (+ distance 1)))))

            (define (count n) (if (= n 0) 0 (+ 1 (count (- n 1)))))

            (define (sort-list l)
              (if (null? l)
                  '()
                  (let ((pivot (car l)))
                    (append (sort-list (filter (lambda (x) (< x pivot)) (cdr l)))
                            (list pivot)
                            (sort-list (filter (lambda (x) (not (< x pivot))) (cdr l)))))))

            (define (iota n) (let loop ((k n) (l '())) (if (= k 0) l (loop (- k 1) (cons k l)))))

            (list (run-inner '(letrec (fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))) (fib \#(fibonacci))))
                  (run-inner '(letrec (count (lambda (n) (if (= n 0) 0 (+ 1 (count (- n 1)))))) (count \#(count))))
                  (simplify (derive '(* x x)))
                  (simplify (derive '(+ (* x (* x x)) (+ (* 2 x) 7))))
                  (queens \#(queens))
                  (count \#(depth))
                  (sort-list '(5 3 9 1 8 2))
                  (fold-left + 0 (iota 50)))
            """#
    }
}
