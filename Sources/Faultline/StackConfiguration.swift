internal import CShim

#if canImport(Glibc)
    import Glibc
#endif

/// What a stack is made from. Sizes are in bytes and are rounded up to pages of 4,096 bytes. The first frame begins
/// 192 to 1,152 bytes below the top: there stands what a coroutine needs while it runs, and suspended stacks shall not share
/// their cache sets.
public struct StackConfiguration: Sendable, Hashable {
    /// How the stack makes room.
    public var strategy: StackStrategy
    /// Bytes usable at first. Nil: 64 KiB for `fault`, 16 KiB for `fault-move`, 192 KiB for `check-move` and
    /// `check-segment`, 128 KiB for `grows-down`.
    public var initial: Int?
    /// Bytes usable at most; going beyond is an overflow. Nil: what the reservation holds, and for moving and segmented
    /// stacks what the largest reservation holds.
    public var maximum: Int?
    /// Size of the slot: 64 KiB, 256 KiB, 1 MiB, 8 MiB, 64 MiB or 1 GiB, guard included. Nil: the smallest that holds
    /// `maximum`, or 8 MiB where that is nil too.
    ///
    /// In slots of 64 MiB and 1 GiB what lies deeper than 1 MiB gets huge pages where the kernel has them, which makes
    /// the first touch several times as fast (`faultline bench growth`) and may waste 2 MiB less 4 KiB of such a stack.
    public var reservation: Int?
    /// Nil: guard pages where the kernel has them, else pages without access.
    public var guardKind: StackGuard?
    /// Nil: `UFFDIO_MOVE` where kernel and guard allow it; else `mremap` from 256 KiB of live stack on, copy below.
    public var mover: PageMover?
    /// Whether an overflow ends this coroutine with ``StackFault/overflow(_:)`` instead of the process. What the
    /// abandoned frames owned leaks, and what they were changing stays half changed: declare a coroutine isolated only
    /// when nothing outside depends on its frames being unwound.
    public var isIsolated: Bool
    /// Whether a nil dereference in the user's code ends this coroutine with ``StackFault/nilDereference(_:)``. Opt-in
    /// only: such a fault is a bug, and the same leaks apply.
    public var containsNilDereference: Bool
    /// Whether MXCSR and the x87 control word are the coroutine's own. Otherwise they are shared with its resumer, which
    /// is faster (`faultline bench switch` shows by how much) and right for code that never changes them.
    public var keepsFloatingPointControl: Bool

    public init(
        strategy: StackStrategy = .fault, initial: Int? = nil, maximum: Int? = nil, reservation: Int? = nil,
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
    }

    /// Room below the maximum on which frames that may not be abandoned finish after an overflow: 256 KiB.
    static let reserve = 256 << 10
    static let page = 4096
    /// `malloc`'s largest frames, the dynamic linker's and a signal frame need more than one page.
    static let smallestInitial = 4096

    /// The default of `initial` in bytes for a growing strategy.
    static func defaultInitial(of strategy: StackStrategy) -> Int {
        switch strategy {
        case .fault: 64 << 10
        case .faultMove: 16 << 10
        case .checkMove, .checkSegment: 192 << 10
        case .growsDown: 128 << 10
        case .fixed, .demand, .checkFixed: 0
        }
    }

    /// The largest `maximum` in bytes that any stack may have: the room of a slot of 1 GiB less the reserve.
    public static let largestMaximum = (1 << 30) - (1 << 20) - reserve

    /// Throws ``StackError/invalidConfiguration(_:)`` unless a stack can be made from this configuration.
    public func validate() throws {
        try StackError.check(fl_initialize(), "initialization")
        _ = try resolved()
    }

    /// The configuration as the shim takes it.
    func resolved() throws -> fl_stack_configuration {
        // Without sizes and choices only a few flags vary: worked out once, because making a coroutine from the pool takes
        // little longer than working this out.
        guard initial == nil && maximum == nil && reservation == nil && guardKind == nil && mover == nil else {
            return try workedOut()
        }
        var result =
            isIsolated ? Self.isolatedDefaults[strategy.ordinal] : Self.defaults[strategy.ordinal]
        result.contains_nil = containsNilDereference
        result.keeps_fp_control = keepsFloatingPointControl
        return result
    }

    // The defaults of every strategy are valid everywhere: a test makes a stack of each.
    private static let defaults = StackStrategy.allCases.map {
        try! StackConfiguration(strategy: $0).workedOut()
    }
    private static let isolatedDefaults = StackStrategy.allCases.map {
        try! StackConfiguration(strategy: $0, isIsolated: true).workedOut()
    }

    private func workedOut() throws -> fl_stack_configuration {
        try reject(.initial, if: initial != nil)
        try reject(.reservation, if: reservation != nil)
        try reject(.guardKind, if: guardKind != nil)
        try reject(.mover, if: mover != nil)
        let pages = try resolvedGuard()
        if mover == .uffdioMove && pages == .protNone {
            throw StackError.invalidConfiguration(
                "mover 'uffdio-move' needs guard 'guard-pages', which is not what this stack has; choose 'copy' or 'mremap'"
            )
        }
        var result = fl_stack_configuration()
        result.strategy = strategy.shim
        result.guard = pages.shim
        result.mover = mover.map(\.shim) ?? .FL_MOVER_AUTOMATIC
        result.contains_overflow = isIsolated
        result.contains_nil = containsNilDereference
        result.keeps_fp_control = keepsFloatingPointControl
        // grows-down has no room of its own below its maximum, and without containment a reserve would be wasted.
        result.reserve = isIsolated && strategy != .growsDown ? UInt(Self.reserve) : 0
        try resolveSizes(into: &result)
        return result
    }

    private func reject(_ option: StackOption, if isSet: Bool) throws {
        guard isSet && !option.isUsed(by: strategy) else { return }
        throw StackError.invalidConfiguration(
            "strategy '\(strategy.rawValue)' does not use '\(option.rawValue)'; leave it out")
    }

    private func resolvedGuard() throws -> StackGuard {
        let capabilities = fl_capabilities_get().pointee
        switch guardKind {
        case .guardPages where !capabilities.guard_install:
            throw StackError.invalidConfiguration(
                "guard 'guard-pages' needs MADV_GUARD_INSTALL, which this kernel lacks (Linux 6.13 has it); choose 'prot-none'"
            )
        case .some(let kind): return kind
        // Mode 2 charges a writable reservation in full, so that only pages without access can be reserved.
        case nil: return capabilities.guard_install && capabilities.overcommit_mode != 2 ? .guardPages : .protNone
        }
    }

    private static func rounded(_ size: Int, _ name: String) throws -> Int {
        guard size > 0, size <= largestMaximum else {
            throw StackError.invalidConfiguration(
                "\(name) of \(size) bytes is out of range; use 1 to \(largestMaximum)")
        }
        return (size + page - 1) & ~(page - 1)
    }

    private func resolveSizes(into result: inout fl_stack_configuration) throws {
        let reserve = Int(result.reserve)
        let first = try initial.map { try Self.rounded($0, "initial") } ?? Self.defaultInitial(of: strategy)
        var most = try maximum.map { try Self.rounded($0, "maximum") }
        var slot = fl_slot_size.FL_SLOT_64KIB

        if strategy == .growsDown {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(UInt32(RLIMIT_STACK.rawValue)), &limit)
            let allowed = Int(clamping: limit.rlim_cur)
            most = most ?? min(allowed, 8 << 20)
            if let most, most > allowed {
                throw StackError.invalidConfiguration(
                    "maximum of \(most) bytes exceeds RLIMIT_STACK (\(allowed) bytes), which bounds 'grows-down'; raise it with ulimit -s"
                )
            }
        } else if strategy.moves || strategy == .checkSegment {
            most = most ?? Self.largestMaximum
            let usable = min(first, most ?? first)
            slot = fl_slot_for(UInt(usable + (usable == most ? reserve : 0)), .FL_SLOT_64KIB)
        } else if let reservation {
            guard let exact = fl_slot_size.all.first(where: { Int(fl_slot_geometry_of($0).size) == reservation })
            else {
                throw StackError.invalidConfiguration(
                    "reservation of \(reservation) bytes is not a slot size; use 64KiB, 256KiB, 1MiB, 8MiB, 64MiB or 1GiB"
                )
            }
            slot = exact
            let room = Int(fl_slot_room(exact))
            most = most ?? room - reserve
            guard let most, most > 0, most + reserve <= room else {
                throw StackError.invalidConfiguration(
                    "a reservation of \(reservation) bytes has room for \(room), which \(maximum.map { "a maximum of \($0)" } ?? "any maximum") and a reserve of \(reserve) exceed; choose a larger reservation"
                )
            }
        } else if let most {
            slot = fl_slot_for(UInt(most + reserve), .FL_SLOT_64KIB)
        } else {
            slot = .FL_SLOT_8MIB
            most = Int(fl_slot_room(.FL_SLOT_8MIB)) - reserve
        }
        guard slot != .FL_SLOT_SIZES, let most else {
            throw StackError.invalidConfiguration("maximum exceeds \(Self.largestMaximum) bytes")
        }
        if strategy.grows && initial != nil && first > most {
            throw StackError.invalidConfiguration("initial of \(first) bytes exceeds the maximum of \(most) bytes")
        }
        result.initial = UInt(min(first, most))
        result.maximum = UInt(most)
        result.slot = slot.rawValue
    }
}

/// Why a stack or coroutine could not be made or resumed.
public enum StackError: Error, Equatable, CustomStringConvertible {
    /// The configuration contradicts itself or this machine; the text names the option and the remedy.
    case invalidConfiguration(String)
    /// The kernel refused what a stack needs.
    case unavailable(call: String, errno: Int32)
    /// The coroutine has ended: it finished, was cancelled, or was ended by a stack fault.
    case finished
    /// The coroutine cannot hibernate as it is; the text says why.
    case notHibernatable(String)
    /// The coroutine cannot be shrunk as it is; the text says why.
    case notShrinkable(String)

    public var description: String {
        switch self {
        case .invalidConfiguration(let text): text
        case .finished: "the coroutine has ended and cannot be resumed"
        case .notHibernatable(let text): "the coroutine cannot hibernate: \(text)"
        case .notShrinkable(let text): "the coroutine cannot be shrunk: \(text)"
        case .unavailable(let call, let number):
            "\(Self.task(of: call)): \(call) failed with \(String(cString: strerror(number)))\(Self.remedy(call, number))"
        }
    }

    // Two mappings a stack: what is allowed, and what twice as many take. In mode 2 of overcommit what becomes usable is
    // charged for too, and the kernel says the same of both.
    private static var mappingsRemedy: String {
        let capabilities = fl_capabilities_get().pointee
        let commit =
            capabilities.overcommit_mode == 2
            ? "; vm.overcommit_memory is 2, where every usable byte counts towards CommitLimit: raise vm.overcommit_ratio "
                + "or ask for smaller stacks" : ""
        let allowed = capabilities.max_map_count
        let other = capabilities.guard_install ? "use 'guard-pages'" : "run Linux 6.13, whose guards need none"
        return commit
            + "; each stack with guard 'prot-none' takes two mappings, so that vm.max_map_count \(allowed) allows about "
            + "\(allowed / 2): for \(allowed) stacks raise vm.max_map_count to \(2 * allowed + 1000), or \(other)"
    }

    // What the call was for.
    private static func task(of call: String) -> String {
        if call.hasPrefix("shrink-") { return "no shrinking" }
        let isOfHibernation = ["hibernate-", "restore-", "store-", "idle-"].contains { call.hasPrefix($0) }
        return isOfHibernation ? "no hibernation" : "no stack"
    }

    /// What helps where `call` failed with `number`; empty or a clause that begins with a semicolon.
    static func remedy(_ call: String, _ number: Int32) -> String {
        switch (call, number) {
        case ("protect-write", ENOMEM), ("protect-none", ENOMEM), ("grow-protect", ENOMEM):
            mappingsRemedy
        case ("arena-map", ENOMEM):
            "; raise RLIMIT_AS (ulimit -v), or use guard 'prot-none' where vm.overcommit_memory is 2"
        case ("handler-set", EBUSY):
            "; another library replaced the SIGSEGV or SIGBUS handler: call FaultHandler.install() after it"
        case ("stack-memory", _): "; all stacks together may use no more: raise StackMemory.limit"
        case (_, ENOMEM): "; free memory or ask for smaller stacks"
        default: ""
        }
    }
}
