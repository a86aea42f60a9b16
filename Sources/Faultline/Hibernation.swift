// Hibernation: a suspended coroutine without its pages (Faultline.docc/Hibernation.md).
internal import CShim

extension Coroutine {
    /// Puts the live part of a suspended coroutine's stack, usually a few hundred bytes, into a compact store and gives
    /// its pages back to the kernel. The next ``resume(_:)`` first restores it at the same addresses, which takes a few
    /// microseconds. Pointers into the stack stay valid: an access traps, the fault handler restores the stack, and the
    /// access goes on. Cancelling and destroying work as for other coroutines. Calling this again changes nothing.
    ///
    /// One thing differs: a system call that is given such a pointer fails with `EFAULT` until the stack is restored.
    ///
    /// - Parameter isUnshared: the caller promises that no other thread uses the stack, which saves three system calls.
    ///   It is required where the kernel cannot restore a page in one step: without userfaultfd, before Linux 6.13, and
    ///   in a child of fork. There an access through a pointer into the stack ends the process with a message.
    /// - Throws: ``StackError/notHibernatable(_:)`` unless the coroutine is suspended, on a strategy other than `fixed`
    ///   and `grows-down`, with guard pages, in one segment; ``StackError/unavailable(_:)`` when the kernel refuses.
    ///   The coroutine is then as before.
    /// - Complexity: up to seven system calls, and time in proportion to the live part.
    /// - Precondition: called on the thread that started the coroutine.
    public func hibernate(isUnshared: Bool = false) throws(StackError) {
        try FiberSupport.hibernate(fiber, isUnshared: isUnshared)
    }

    /// Whether the coroutine's stack is in the store. A resume or an access restores it.
    public var isHibernated: Bool { FiberSupport.isHibernated(fiber) }
}

/// The store of hibernated coroutines' stacks, one for the process.
public enum HibernationStore {
    /// What the store holds at one moment.
    public struct Usage: Sendable, Equatable {
        /// Hibernated coroutines, and those that an access restored and that were not resumed since.
        public let records: Int
        /// Bytes of their blocks, rounding included.
        public let bytes: Int
        /// Bytes of the slabs of 64 KiB that hold at least one block, and of the mappings of larger blocks. What
        /// exceeds ``bytes`` is free for further blocks.
        public let committed: Int
    }

    /// What the store holds now.
    public static var usage: Usage {
        let now = fl_store_usage_get()
        return Usage(records: Int(now.records), bytes: Int(now.bytes), committed: Int(now.committed))
    }
}

extension StackError {
    /// Nil where the stack hibernates.
    init?(_ hibernation: fl_hibernation, _ failure: fl_failure) {
        switch hibernation {
        case .FL_HIBERNATION_DONE: return nil
        case .FL_HIBERNATION_NOT_SUSPENDED: self = .notHibernatable("it is not suspended")
        case .FL_HIBERNATION_STRATEGY:
            self = .notHibernatable("strategies 'fixed' and 'grows-down' keep their memory; use another")
        case .FL_HIBERNATION_SEGMENTS:
            self = .notHibernatable("its frames are in several segments; use another strategy than 'check-segment'")
        case .FL_HIBERNATION_GUARD:
            self = .notHibernatable("guard 'prot-none' cannot be replaced page by page; use 'guard-pages'")
        case .FL_HIBERNATION_OVERFLOWING: self = .notHibernatable("its stack overflowed and finishes on its reserve")
        case .FL_HIBERNATION_SHARED:
            self = .notHibernatable(
                "this kernel or its settings cannot replace a guarded page in one step (userfaultfd); if no other "
                    + "thread uses the stack, pass isUnshared")
        case .FL_HIBERNATION_FAILED: self.init(failure, for: .hibernation)
        }
    }
}
