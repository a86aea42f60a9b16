// What a coroutine used of its stack and left is the kernel's again.
internal import CShim

extension Coroutine {
    /// Gives back the memory below a suspended coroutine's live frames: what it used once and has left. It goes on as
    /// before, and touches fresh memory when it gets there again. Calling this again releases what was used since.
    ///
    /// - `fault`: the guard comes up again, to where it stood at first or to the page below the live frames.
    /// - `demand`, `check-fixed`, and `check-segment` with one segment: the pages go, the bounds stay.
    /// - `fault-move` and `check-move`: the pages go, and the stack moves back to a smaller slot when at two calls in a row,
    ///   and between them, it used less than a quarter of its room: to the smallest, from its first on, that holds
    ///   twice what is live, with all that moving means (docs/HAZARDS.md). It keeps no more former ranges for that than
    ///   growth does, and forgets none.
    ///
    /// A hibernated coroutine has no memory to give back.
    ///
    /// - Throws: ``StackError/notShrinkable(_:)`` unless the coroutine is suspended, on a strategy other than `fixed` and
    ///   `grows-down`; ``StackError/unavailable(_:)`` when the kernel refuses: the coroutine goes on as before, though
    ///   a part may have been given back.
    /// - Complexity: up to four system calls for each 8 MiB that it may use without asking, and time in proportion to what
    ///   it used; a move besides.
    /// - Precondition: called on the thread that started the coroutine.
    @discardableResult public func shrink() throws -> StackShrinkage { try FiberSupport.shrink(fiber) }
}

/// What ``Coroutine/shrink()`` did.
public struct StackShrinkage: Sendable, Equatable {
    /// Bytes of pages that were in memory before.
    public let releasedBytes: Int
    /// Whether the stack is in a smaller slot now.
    public let hasMoved: Bool
    /// Whether it would have moved but must stay: a stack keeps the last eight ranges that it left, and forgets none of them for
    /// a smaller slot.
    public let mustStay: Bool
}

extension FiberSupport {
    static func shrink(_ fiber: UnsafeMutablePointer<fl_fiber>) throws -> StackShrinkage {
        switch fiber.pointee.state {
        case .FL_FIBER_SUSPENDED, .FL_FIBER_IDLE, .FL_FIBER_HIBERNATED: requireItsThread(fiber)
        case .FL_FIBER_CREATED, .FL_FIBER_RUNNING, .FL_FIBER_FINISHED, .FL_FIBER_FAULTED: break
        }
        var result = fl_shrink_result()
        switch fl_stack_shrink(stack(fiber), &result) {
        case .FL_SHRINKING_DONE: break
        case .FL_SHRINKING_NOT_SUSPENDED: throw StackError.notShrinkable("it is not suspended")
        case .FL_SHRINKING_STRATEGY:
            throw StackError.notShrinkable("strategies 'fixed' and 'grows-down' keep their memory; use another")
        case .FL_SHRINKING_SEGMENTS:
            throw StackError.notShrinkable(
                "its frames stand in several segments, which are freed on return; use another strategy than 'check-segment'"
            )
        case .FL_SHRINKING_OVERFLOWING:
            throw StackError.notShrinkable("its stack overflowed and finishes on its reserve")
        case .FL_SHRINKING_FAILED: throw StackError(result.failure, for: .shrinking)
        }
        return StackShrinkage(
            releasedBytes: Int(result.released), hasMoved: result.moved, mustStay: result.must_stay)
    }
}
