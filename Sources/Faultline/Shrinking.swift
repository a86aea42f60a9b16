// Shrinking: what a suspended coroutine used of its stack and left goes back to the kernel
// (Faultline.docc/Hibernation.md).
internal import CShim

extension Coroutine {
    /// Gives back the memory below a suspended coroutine's live frames, which it used once and has left. The coroutine
    /// goes on as before, and touches fresh memory when it gets there again. A later call releases what was used since.
    ///
    /// - `fault`: the guard comes up again, to its first position or to the page below the live frames.
    /// - `demand`, `check-fixed`, and `check-segment` with one segment: the pages go, the bounds stay.
    /// - `fault-move` and `check-move`: the pages go. The stack moves back to a smaller slot when it used less than a
    ///   quarter of its room at two calls in a row and between them. It takes the smallest slot that holds twice the
    ///   live part, but none smaller than its first. All hazards of moving apply (docs/HAZARDS.md). The stack keeps as
    ///   many former ranges as after growth, and forgets none.
    ///
    /// A hibernated coroutine has no memory to give back.
    ///
    /// - Throws: ``StackError/notShrinkable(_:)`` unless the coroutine is suspended, on a strategy other than `fixed`
    ///   and `grows-down`; ``StackError/unavailable(_:)`` when the kernel refuses. The coroutine then goes on as
    ///   before, though a part may have been given back.
    /// - Complexity: up to four system calls for each 8 MiB of the usable part, and time in proportion to what was
    ///   used; where the stack moves, the time of the move.
    /// - Precondition: called on the thread that started the coroutine.
    @discardableResult public func shrink() throws(StackError) -> StackShrinkage { try FiberSupport.shrink(fiber) }
}

/// What ``Coroutine/shrink()`` did.
public struct StackShrinkage: Sendable, Equatable {
    /// Bytes of pages that were in memory before.
    public let releasedBytes: Int
    /// Whether the stack is in a smaller slot now.
    public let hasMoved: Bool
    /// Whether the stack would have moved but must stay: it keeps eight ranges that it left, and forgets none of them
    /// for a smaller slot.
    public let mustStay: Bool
}

extension FiberSupport {
    static func shrink(_ fiber: UnsafeMutablePointer<fl_fiber>) throws(StackError) -> StackShrinkage {
        requireItsThreadIfSuspended(fiber)
        var result = fl_shrink_result()
        switch fl_stack_shrink(stack(fiber), &result) {
        case .FL_SHRINKING_DONE: break
        case .FL_SHRINKING_NOT_SUSPENDED: throw StackError.notShrinkable("it is not suspended")
        case .FL_SHRINKING_STRATEGY:
            throw StackError.notShrinkable("strategies 'fixed' and 'grows-down' keep their memory; use another")
        case .FL_SHRINKING_SEGMENTS:
            throw StackError.notShrinkable(
                "its frames are in several segments, which are freed on return; use another strategy than "
                    + "'check-segment'")
        case .FL_SHRINKING_OVERFLOWING:
            throw StackError.notShrinkable("its stack overflowed and finishes on its reserve")
        case .FL_SHRINKING_FAILED: throw StackError(result.failure, for: .shrinking)
        }
        return StackShrinkage(
            releasedBytes: Int(result.released), hasMoved: result.moved, mustStay: result.must_stay)
    }
}
