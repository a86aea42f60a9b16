internal import CScheduler
internal import Synchronization

/// The mutex of the standard library, which is not instrumented: ThreadSanitizer is told of it, and without that would
/// take what it guards for races.
struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let own: Synchronization.Mutex<Value>
    private let sign = fls_lock_sign()

    init(_ value: consuming sending Value) { own = Synchronization.Mutex(value) }

    deinit { fls_lock_forget(sign) }

    borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try own.withLock { (value: inout sending Value) throws(Failure) -> sending Result in
            fls_lock_taken(sign)
            defer { fls_lock_left(sign) }
            return try body(&value)
        }
    }
}
