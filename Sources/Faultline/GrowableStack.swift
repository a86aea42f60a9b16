public import CSwitch

/// Runs `body` on a growable stack: for recursion that is deeper than the thread's own stack.
///
/// The stack grows in place up to `maximum` bytes (``StackStrategy/automatic``). Calls may be nested, and may be made
/// on any thread and inside a task; the body runs to its end before this returns, on the same thread.
///
/// - Parameters:
///   - maximum: bytes of stack, 1 to ``StackConfiguration/largestMaximum`` (about 1 GiB). Memory is taken only as it is
///     touched.
///   - body: what runs on that stack.
/// - Throws: what `body` throws; ``StackFault/overflow(_:)`` when it needs more than `maximum`, and then everything
///   that the abandoned frames owned leaks; ``StackError`` when no stack can be made.
@inlinable
public func withGrowableStack<R: ~Copyable>(maximum: Int = 512 << 20, _ body: () throws -> R) throws -> R {
    do { return try run(on: FiberSupport.growable(maximum), body) } catch { throw error.underlying }
}

/// The same for a body that throws errors of one type: with `Never` only what the stack may throw is left.
///
///     func tree(of text: String) throws(GrowableStackError<ParseError>) -> Tree {
///         try withGrowableStack(throwing: ParseError.self) { () throws(ParseError) in try parse(text) }
///     }
///
/// - Throws: ``GrowableStackError``, which tells the body's errors from those of the stack.
@inlinable
public func withGrowableStack<R: ~Copyable, BodyError>(
    maximum: Int = 512 << 20, throwing type: BodyError.Type, _ body: () throws(BodyError) -> R
) throws(GrowableStackError<BodyError>) -> R {
    try run(on: FiberSupport.growable(maximum), body)
}

/// What ended a body that runs on a growable stack and throws errors of one type.
@frozen public enum GrowableStackError<BodyError: Error>: Error {
    /// The body threw this.
    case body(BodyError)
    /// A stack fault ended the body, for instance because it needs more than the maximum.
    case fault(StackFault)
    /// No stack could be made, and the body did not run.
    case unavailable(StackError)
}

/// Runs `body` on a stack made from `configuration`, as ``withGrowableStack(maximum:_:)`` does on an isolated one.
///
/// - Throws: what `body` throws; ``StackFault`` where `configuration` contains the fault
///   (``StackConfiguration/isIsolated``, ``StackConfiguration/containsNilDereference``), else that ends the process;
///   ``StackError`` when no such stack can be made.
@inlinable
public func withStack<R: ~Copyable>(_ configuration: StackConfiguration, _ body: () throws -> R) throws -> R {
    do { return try run(on: FiberSupport.onThread(configuration), body) } catch { throw error.underlying }
}

/// Runs `body` on a stack made from `configuration`, and afterwards hands the statistics of that stack to `statistics`,
/// even when a fault ended it.
///
/// - Throws: as ``withStack(_:_:)``.
@inlinable
public func withStack<R: ~Copyable>(
    _ configuration: StackConfiguration, statistics: (FaultStatistics) -> Void, _ body: () throws -> R
) throws -> R {
    do {
        return try withoutActuallyEscaping(statistics) {
            try run(on: FiberSupport.onThread(configuration), statistics: $0, body)
        }
    } catch let error as GrowableStackError<any Error> { throw error.underlying }
}

extension GrowableStackError {
    @usableFromInline var underlying: any Error {
        switch self {
        case .body(let error): error
        case .fault(let fault): fault
        case .unavailable(let error): error
        }
    }
}

/// Runs `body` on the stack of `fiber`, and gives that back.
@inlinable
func run<R: ~Copyable, BodyError>(
    on fiber: @autoclosure () throws(StackError) -> UnsafeMutablePointer<fl_fiber>,
    statistics: ((FaultStatistics) -> Void)? = nil, _ body: () throws(BodyError) -> R
) throws(GrowableStackError<BodyError>) -> R {
    let made: UnsafeMutablePointer<fl_fiber>
    do { made = try fiber() } catch { throw .unavailable(error) }
    defer { fl_fiber_destroy(made) }
    var result: Result<R, BodyError>?
    withUnsafeMutablePointer(to: &result) { place in
        callClosure(made) { place.initialize(to: Result(catching: body)) }
    }
    statistics?(FiberSupport.statistics(of: made))
    if made.pointee.state == .FL_FIBER_FAULTED { throw .fault(FiberSupport.fault(of: made)) }
    switch consume result {
    case .success(let value): return value
    case .failure(let error): throw .body(error)
    case nil: preconditionFailure("a body that ended has a result")
    }
}

// Defined in CShim/Switch/src/call.c, which says why it takes the closure's two words.
@_silgen_name("fl_fiber_call_closure")
@usableFromInline func callClosure(_ fiber: UnsafeMutablePointer<fl_fiber>, _ body: () -> Void)
