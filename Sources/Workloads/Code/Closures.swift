// Swift twin of the kernel closures.c: the same expression, one Swift closure per node.

private typealias Expression = (UInt64) -> UInt64

/// The function that the expression calls recursively; filled in once its body exists.
private final class Function {
    var body: Expression = { _ in 0 }
}

private func less(_ first: @escaping Expression, _ second: @escaping Expression) -> Expression {
    { first($0) < second($0) ? 1 : 0 }
}

private func sum(_ first: @escaping Expression, _ second: @escaping Expression) -> Expression {
    { first($0) + second($0) }
}

private func difference(_ first: @escaping Expression, _ second: @escaping Expression) -> Expression {
    { first($0) - second($0) }
}

private func conditional(
    _ test: @escaping Expression, _ yes: @escaping Expression, _ no: @escaping Expression
) -> Expression {
    { test($0) != 0 ? yes($0) : no($0) }
}

private func call(_ function: Function, _ argument: @escaping Expression) -> Expression {
    { function.body(argument($0)) }
}

/// `n < 2 ? n : fib(n-1) + fib(n-2)` by calling closures; the checksum is the value itself.
@c(fl_closures_swift_run)
public func runClosuresCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    let function = Function()
    let argument: Expression = { $0 }
    let one: Expression = { _ in 1 }
    let two: Expression = { _ in 2 }
    function.body = conditional(
        less(argument, two), argument,
        sum(call(function, difference(argument, one)), call(function, difference(argument, two))))
    let result = function.body(parameter)
    // The body refers to the function: break the cycle.
    function.body = { _ in 0 }
    return result
}
