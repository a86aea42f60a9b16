internal import CShim

/// The memory of all stacks of the process together, and a limit to it.
///
/// When a process fills its control group or the machine, the kernel ends it (SIGKILL). With a limit below that, the
/// coroutine that asks for more gets an error instead: making it throws ``StackError/unavailable(_:)``, growing ends it
/// with ``StackFault/overflow(_:)`` where it is isolated, and no other coroutine is affected.
///
///     StackMemory.limit = MachineLimits.current().groupMemory.map { $0 / 2 }
///
/// What a stack may touch without asking counts: its usable part under `fault`, `fault-move`, `check-move` and
/// `check-segment`, its maximum under the others. Stacks that are pooled or hibernate count as well, because they are
/// used again without asking.
public enum StackMemory {
    /// Bytes that stacks may use together, 0 or more; nil, the default, is no limit. A limit below ``inUse`` takes
    /// nothing away, but further requests fail.
    public static var limit: Int? {
        get {
            let limit = fl_memory_limit()
            return limit == .max ? nil : Int(clamping: limit)
        }
        set { fl_memory_limit_set(newValue.map { UInt64(max(0, $0)) } ?? .max) }
    }

    /// Bytes that stacks may touch now without asking for more.
    public static var inUse: Int { Int(clamping: fl_memory_in_use()) }
}
