public import CSwitch

/// Runs `body` on a growable stack: for recursion that is deeper than the thread's own stack.
///
/// The stack grows in place up to `maximum` bytes (``StackStrategy/automatic``). Calls may be nested, and may be made on any
/// thread and inside a task; the body runs to its end before this returns, on the same thread.
///
/// - Parameter maximum: bytes of stack, 1 to ``StackConfiguration/largestMaximum`` (about 1 GiB). Memory is taken only
///   as it is touched.
/// - Throws: what `body` throws; ``StackFault/overflow(_:)`` when it needs more than `maximum`, and then everything
///   that the abandoned frames owned leaks; ``StackError`` when no stack can be made.
@inlinable
public func withGrowableStack<R>(maximum: Int = 512 << 20, _ body: () throws -> R) throws -> R {
    try withStack(StackConfiguration(maximum: maximum, isIsolated: true), body)
}

/// Runs `body` on a stack made from `configuration`. See ``withGrowableStack(maximum:_:)``.
@inlinable
public func withStack<R>(_ configuration: StackConfiguration, _ body: () throws -> R) throws -> R {
    try onStack(configuration, statistics: nil, body)
}

/// Runs `body` on a stack made from `configuration`, and afterwards hands the statistics of that stack to `statistics`,
/// even when a fault ended it. See ``withGrowableStack(maximum:_:)``.
@inlinable
public func withStack<R>(
    _ configuration: StackConfiguration, statistics: (FaultStatistics) -> Void, _ body: () throws -> R
) throws -> R {
    try withoutActuallyEscaping(statistics) { try onStack(configuration, statistics: $0, body) }
}

@inlinable
func onStack<R>(
    _ configuration: StackConfiguration, statistics: ((FaultStatistics) -> Void)?, _ body: () throws -> R
) throws -> R {
    let fiber = try FiberSupport.make(configuration)
    defer { FiberSupport.destroy(fiber) }
    try FiberSupport.bindToThread(fiber)
    var result: Result<R, any Error>?
    callClosure(fiber) {
        do { result = .success(try body()) } catch { result = .failure(error) }
    }
    statistics?(FiberSupport.statistics(of: fiber))
    if fiber.pointee.state == .FL_FIBER_FAULTED { throw FiberSupport.fault(of: fiber) }
    guard let result else { preconditionFailure("a body that ended has a result") }
    return try result.get()
}

// Defined in CShim/Switch/src/call.c, which says why it takes the closure's two words.
@_silgen_name("fl_fiber_call_closure")
@usableFromInline func callClosure(_ fiber: UnsafeMutablePointer<fl_fiber>, _ body: () -> Void)
