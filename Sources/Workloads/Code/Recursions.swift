// Swift twins of the kernels ackermann.c and fib.c.

private func ackermann(_ m: UInt64, _ n: UInt64) -> UInt64 {
    if m == 0 { return n + 1 }
    if n == 0 { return ackermann(m - 1, 1) }
    return ackermann(m - 1, ackermann(m, n - 1))
}

private func fibonacci(_ n: UInt64) -> UInt64 {
    n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

/// Ackermann's function A(3, `parameter`); the checksum is the value itself.
@c(fl_ackermann_swift_run)
public func runAckermannCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    ackermann(3, parameter)
}

/// The Fibonacci number of `parameter`; the checksum is the value itself.
@c(fl_fib_swift_run)
public func runFibonacciCode(
    _ input: UnsafePointer<UInt8>?, _ length: Int, _ parameter: UInt64, _ outcome: UnsafeMutableRawPointer
) -> UInt64 {
    fibonacci(parameter)
}
