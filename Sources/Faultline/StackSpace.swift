internal import CShim
public import CSwitch

/// What is left of the stack that runs, on any thread: the main one, one of the cooperative pool, a coroutine.
///
/// Code that recurses through foreign input asks before it goes deeper. Then too deep is an error that unwinds: nothing
/// leaks and nothing stays half changed, unlike after an overflow that is contained.
///
///     func value() throws -> Value {
///         try StackSpace.check(16 << 10)
///         …  // may call value()
///     }
public enum StackSpace {
    /// Bytes between the stack pointer and the end of the running stack: its maximum, whether it has grown that far or
    /// not, or the end of the thread's own. Stacks that grow by checks end for this where code without checks must
    /// stop.
    ///
    /// A main thread's stack without a limit (`ulimit -s unlimited`) counts as one of 1 GiB.
    ///
    /// 0 where that is not known: on a signal handler's stack, on one that other code made, and on a main thread whose
    /// `/proc/self/maps` cannot be read. ``StackMemory/limit`` may refuse growth before the maximum. A thread asks the
    /// system once; that takes about 1 µs, on the main thread, whose mappings are read, about 50.
    /// - Complexity: a few instructions (`faultline bench headroom`).
    @inlinable public static var remaining: Int { Int(bitPattern: fl_space_left()) }

    /// Throws where fewer than `bytes` are left.
    ///
    /// - Parameter bytes: what the code up to the next check needs, with all that it calls. 16 KiB is enough for code
    ///   that has no large local arrays and formats no text; functions of libc take up to 10 KiB, the dynamic linker
    ///   more when it resolves a function at its first call.
    /// - Throws: ``InsufficientStack``.
    @inlinable public static func check(_ bytes: Int) throws(InsufficientStack) {
        let remaining = remaining
        if remaining < bytes { throw InsufficientStack(requested: bytes, remaining: remaining) }
    }

    /// The maximum of the stack that runs, 0 on a thread's own.
    @usableFromInline static var maximum: Int { Int(fl_space_maximum()) }
}

/// Less of the stack is left than was asked for.
@frozen public struct InsufficientStack: Error, Hashable, CustomStringConvertible {
    /// Bytes that were asked for: by ``withStackHeadroom(_:maximum:_:)`` 32 KiB or more.
    public let requested: Int
    /// Bytes that were left.
    public let remaining: Int

    @usableFromInline init(requested: Int, remaining: Int) {
        self.requested = requested
        self.remaining = remaining
    }

    public var description: String {
        "\(requested) bytes of stack were asked for and \(remaining) are left; the recursion is too deep for its "
            + "stack, or the stack needs a larger maximum"
    }
}

/// Runs `body` in place where `bytes` of stack are left, else on a grown stack: what a recursive function carries.
///
///     func depth(_ node: Node) throws -> Int {
///         try withStackHeadroom(32 << 10) { 1 + (try node.children.map(depth).max() ?? 0) }
///     }
///
/// The first call that finds too little left on a thread's own stack goes on, on a growable stack of `maximum`
/// (``withGrowableStack(maximum:_:)``). Where less than `bytes` is left there too, the recursion is too deep: that is
/// an error, which unwinds all of it. A coroutine with a smaller maximum gets a larger stack in the same way; but on
/// that it cannot suspend, and ``Coroutine/Suspender/suspend(_:)`` there ends the process with the rule. A coroutine or
/// generator that suspends at the bottom of a recursion has a large `maximum` itself, and asks with
/// ``StackSpace/check(_:)``.
///
/// - Parameters:
///   - bytes: what `body` needs up to the next such call, with all that it calls (``StackSpace/check(_:)``). Less than
///     32 KiB counts as that.
///   - maximum: bytes of the grown stack, from `bytes` and 16 KiB more to ``StackConfiguration/largestMaximum``.
///   - body: one level of the recursion.
/// - Throws: what `body` throws; ``InsufficientStack`` where the running stack has `maximum` already;
///   ``StackFault/overflow(_:)`` when `body` takes more than it said and reaches the end of a grown stack;
///   ``StackError`` when no stack can be made.
/// - Complexity: in place a few instructions (`faultline bench headroom`).
@inlinable
public func withStackHeadroom<R: ~Copyable>(
    _ bytes: Int, maximum: Int = 512 << 20, _ body: () throws -> R
) throws -> R {
    let bytes = max(bytes, StackSpace.leastHeadroom)
    if StackSpace.remaining >= bytes { return try body() }
    return try onLargerStack(bytes, maximum, body)
}

// Apart, so that what calls this stays small.
@inlinable @inline(never)
func onLargerStack<R: ~Copyable>(_ bytes: Int, _ maximum: Int, _ body: () throws -> R) throws -> R {
    try StackSpace.requireSmaller(maximum, bytes)
    return try withGrowableStack(maximum: maximum, body)
}

extension StackSpace {
    /// Making another stack, and entering it, takes some of this one: up to 16 KiB in a debug build, and more where a
    /// sanitizer is told of it.
    @usableFromInline static var leastHeadroom: Int { @inlinable get { 32 << 10 } }

    /// Throws where the running stack is as large as the one that would follow, or that one would not do.
    @usableFromInline static func requireSmaller(_ maximum: Int, _ bytes: Int) throws {
        // Of its own maximum a stack has that much less when its code begins.
        let room = 16 << 10
        guard maximum >= room, bytes <= maximum - room else {
            throw StackError.invalidConfiguration(
                "of \(maximum) bytes has no room for a headroom of \(bytes) and \(room) bytes that a call needs; "
                    + "raise it, or ask for less",
                option: .maximum)
        }
        if self.maximum >= maximum { throw InsufficientStack(requested: bytes, remaining: remaining) }
    }
}
