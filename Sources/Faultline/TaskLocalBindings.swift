internal import CShim
package import CSwitch

/// A copy of the values that `TaskLocal` has bound for the code that makes it. What runs on a stack of its own starts
/// with one, as a task does, and binds its own values from then on.
package struct TaskLocalBindings: ~Copyable, @unchecked Sendable {
    private var list: UInt = 0

    /// - Throws: ``StackError/unavailable(_:)`` when there is no memory for the copies.
    package init() throws(StackError) {
        try initializeShim()
        try StackError.check(fl_bindings_copy(&list), .valueBinding)
    }

    /// Lets a coroutine that has not started begin with them.
    package consuming func give(to fiber: UnsafeMutablePointer<fl_fiber>) {
        fl_bindings_give(fiber, list)
        list = 0
    }

    /// Runs `body` with them, on a thread that runs no task.
    package borrowing func bound<R>(_ body: () throws -> R) rethrows -> R {
        guard list != 0 else { return try body() }
        let before = fl_bindings_exchange(list)
        defer { _ = fl_bindings_exchange(before) }
        return try body()
    }

    deinit { if list != 0 { fl_bindings_release(list) } }
}
