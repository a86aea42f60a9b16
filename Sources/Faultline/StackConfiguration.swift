/// What a stack is made from. Sizes are in bytes and are rounded up to pages of 4,096 bytes. The first frame begins 192
/// to 1,152 bytes below the top: above it stands what a coroutine needs while it runs, and the distances differ so that
/// suspended stacks do not conflict in the same sets of the cache (CShim/README.md).
///
/// A size or choice that the strategy does not use must be nil, else making the stack throws:
/// ``StackOption/isUsed(by:)`` tells. `automatic` uses neither ``initial`` nor ``mover``.
public struct StackConfiguration: Sendable, Hashable, CustomReflectable {
    /// How the stack makes room. At first ``StackStrategy/automatic``:
    ///
    /// | machine and process | strategy | because |
    /// |---|---|---|
    /// | ``StackMemory/limit`` is set | `fault` | only a growth that asks can be refused |
    /// | else `vm.overcommit_memory` is 2 | `fault` | `demand` is charged for its maximum from the start |
    /// | else | `demand` | no signal before the overflow |
    ///
    /// `fault` needs a signal for each growth. So a thread that blocks SIGSEGV, an alternate stack that other code took
    /// away, or a system call that stores below the stack pointer can end the process under it, and not under `demand`.
    public var strategy: StackStrategy { didSet { number = knownNumber } }
    /// Bytes usable at first, 1 to the maximum. Nil: 64 KiB for `fault`, 16 KiB for `fault-move`, 192 KiB for
    /// `check-move` and `check-segment`, 128 KiB for `grows-down`.
    public var initial: Int? { didSet { number = knownNumber } }
    /// Bytes usable at most, 1 to ``largestMaximum``; going beyond is an overflow. Nil: what the reservation holds, and
    /// for moving and segmented stacks what the largest reservation holds. `grows-down` takes `RLIMIT_STACK` instead,
    /// up to 8 MiB, and can have no more than that limit.
    public var maximum: Int? { didSet { number = knownNumber } }
    /// Size of the slot, guard included: a power of two from 64 KiB to 1 GiB. Nil: the smallest that holds `maximum`
    /// and, for an isolated stack, 256 KiB below it, on which code that may not be abandoned finishes after an
    /// overflow; 8 MiB where `maximum` is nil too. The guard takes a quarter of a slot, at most 1 MiB, and half or more
    /// of the two smallest.
    ///
    /// | `maximum` | slot | slot of an isolated stack |
    /// |---|---|---|
    /// | to 16 KiB | 64 KiB | 512 KiB |
    /// | 32 KiB | 128 KiB | 512 KiB |
    /// | 64 KiB | 128 KiB | 512 KiB |
    /// | 128 KiB | 256 KiB | 512 KiB |
    /// | 256 KiB | 512 KiB | 1 MiB |
    /// | 512 KiB to 512 MiB, a power of two | twice as large | twice as large |
    ///
    /// In slots of 32 MiB and more, what lies deeper than 1 MiB gets huge pages where the kernel has them. The first
    /// touch is then several times as fast (`faultline bench growth`), and up to 2 MiB less 4 KiB of each such stack
    /// may be wasted.
    public var reservation: Int? { didSet { number = knownNumber } }
    /// Nil: guard pages where the kernel has them, else pages without access.
    public var guardKind: StackGuard? { didSet { number = knownNumber } }
    /// Nil: `UFFDIO_MOVE` where kernel and guard allow it; else `mremap` from 256 KiB of live stack on, copy below.
    public var mover: PageMover? { didSet { number = knownNumber } }
    /// Whether an overflow ends this coroutine with ``StackFault/overflow(_:)`` instead of the process. What the
    /// abandoned frames owned leaks, and what they were changing stays half changed. Isolate a coroutine only when
    /// nothing outside depends on its frames being unwound.
    public var isIsolated: Bool { didSet { number = knownNumber } }
    /// Whether a nil dereference in the coroutine's code ends it with ``StackFault/nilDereference(_:)``. False at
    /// first, because such a fault is a bug; the same leaks apply.
    public var containsNilDereference: Bool { didSet { number = knownNumber } }
    /// Whether MXCSR and the x87 control word are the coroutine's own. Otherwise they are shared with its resumer,
    /// which is faster (`faultline bench switch` shows by how much) and right for code that never changes them.
    public var keepsFloatingPointControl: Bool { didSet { number = knownNumber } }

    /// A configuration. What contradicts itself or this machine is an error where a stack is made from it.
    public init(
        strategy: StackStrategy = .automatic, initial: Int? = nil, maximum: Int? = nil, reservation: Int? = nil,
        guardKind: StackGuard? = nil, mover: PageMover? = nil, isIsolated: Bool = false,
        containsNilDereference: Bool = false, keepsFloatingPointControl: Bool = false
    ) {
        self.strategy = strategy
        self.initial = initial
        self.maximum = maximum
        self.reservation = reservation
        self.guardKind = guardKind
        self.mover = mover
        self.isIsolated = isIsolated
        self.containsNilDereference = containsNilDereference
        self.keepsFloatingPointControl = keepsFloatingPointControl
        number = knownNumber
    }

    /// What may be set.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "strategy": strategy, "initial": initial as Any, "maximum": maximum as Any,
                "reservation": reservation as Any, "guardKind": guardKind as Any, "mover": mover as Any,
                "isIsolated": isIsolated, "containsNilDereference": containsNilDereference,
                "keepsFloatingPointControl": keepsFloatingPointControl,
            ], displayStyle: .struct)
    }

    /// Another one for each of the configurations that most code uses, 0 for all others. It is kept because a stack
    /// from the pool is made in little more time than working it out takes.
    @usableFromInline private(set) var number: UInt64 = 0

    /// The largest ``maximum`` in bytes that any stack may have: the room of a slot of 1 GiB less the reserve.
    public static let largestMaximum = (1 << 30) - (1 << 20) - reserve
}
