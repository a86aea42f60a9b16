internal import CShim

/// What code with compiler-inserted prologue checks is linked with, or given at run time, so that its checks make room
/// on the running stack. `check-move` and `check-segment` need it; on other stacks no check fails.
///
/// Both functions have conventions of their own, so they are addresses rather than function values.
public enum CheckedCode {
    /// What a failed check calls: `__morestack`, with the size of the frame in r10 and that of the stack arguments in
    /// r11, all argument registers kept.
    public static var morestack: UnsafeRawPointer {
        let entry: @convention(c) () -> Void = fl_morestack
        return unsafeBitCast(entry, to: UnsafeRawPointer.self)
    }

    /// What clang calls for a local of variable size that finds no room: `__morestack_allocate_stack_space`, which
    /// takes the size in bytes and returns memory from the heap that lives until the coroutine ends.
    public static var allocateStackSpace: UnsafeRawPointer {
        let entry: @convention(c) (Int) -> UnsafeMutableRawPointer = fl_morestack_allocate
        return unsafeBitCast(entry, to: UnsafeRawPointer.self)
    }
}
