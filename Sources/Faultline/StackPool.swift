internal import CShim

/// The stacks that the calling thread keeps for reuse: at most 64 of each size of slot.
///
/// A pooled stack keeps at most its upper 64 KiB of memory where it had grown, and what was touched of it where it
/// cannot grow (`fixed`, `demand`, `check-fixed`).
public enum StackPool {
    /// Gives the pooled stacks' memory and address space back, so that the next stack of this thread begins without a
    /// page; the store of hibernated coroutines gives back what it keeps for the next one. Running, suspended and
    /// hibernated coroutines are not affected.
    /// - Complexity: two system calls at most for each pooled stack.
    public static func drain() {
        fl_pool_drain()
        fl_store_drain()
    }

    /// Bytes of the tables that one stack costs the library itself: its control block and its slot's entry.
    package static var controlBytes: Int { Int(fl_stack_bookkeeping()) }
}
