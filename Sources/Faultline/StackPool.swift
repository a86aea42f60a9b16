internal import CShim

/// The stacks that the calling thread keeps for reuse: at most 64 of each size of slot.
///
/// A pooled stack keeps at most its upper 64 KiB of memory where it had grown, and what was touched of it where it
/// cannot grow (`fixed`, `demand`, `check-fixed`).
public enum StackPool {
    /// Gives the pooled stacks' memory and address space back, so that the next stack of this thread begins without a
    /// page. Running and suspended coroutines are not affected.
    /// - Complexity: two system calls at most for each pooled stack.
    public static func drain() { fl_pool_drain() }
}
