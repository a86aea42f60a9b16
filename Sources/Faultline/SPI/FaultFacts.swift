// SPI: the classifier of faults as a function of its facts, and where slots lie.
internal import CShim

/// The facts of one fault, as the handler gathers them; `fl_fault.h` says what each one means. Addresses and sizes are
/// in bytes.
@_spi(Experiments) public struct FaultFacts: Sendable {
    /// What the faulting instruction does with memory.
    public enum AccessKind: Sendable { case unknown, none, memory, push, pop }
    /// Where the accessed address lies with respect to the arenas.
    public enum Zone: Sendable { case outside, committed, room, beyond, oldRange, free, hibernated }
    /// How the running stack grows, as far as the classifier needs it.
    public enum Growth: Sendable { case never, byTrap, byCheck }

    /// The decoded instruction.
    public struct Access: Sendable {
        public var kind = AccessKind.unknown
        public var length: UInt32 = 0
        public var address: UInt = 0

        public init(kind: AccessKind = .unknown, length: UInt32 = 0, address: UInt = 0) {
            self.kind = kind
            self.length = length
            self.address = address
        }
    }

    /// The stack of the coroutine that runs on the thread.
    public struct RunningStack: Sendable {
        public var low, base, slotLow, roomLow: UInt
        public var growth: Growth

        public init(low: UInt, base: UInt, slotLow: UInt, roomLow: UInt, growth: Growth) {
            self.low = low
            self.base = base
            self.slotLow = slotLow
            self.roomLow = roomLow
            self.growth = growth
        }
    }

    public var signal: Int32 = 0
    public var code: Int32 = 0
    public var address: UInt = 0
    public var pageFaultError: UInt64 = 0
    public var trap: UInt64 = 0
    public var instruction: UInt = 0
    public var stackPointer: UInt = 0
    public var access = Access()
    public var stack: RunningStack?
    public var zone = Zone.outside
    public var addressIsInRunningStack = false
    public var stackPointerIsInRunningStack = false
    public var stackPointerIsBelowRunningSlot = false
    public var nilExtent: UInt = 0
    public var signalFrameSize = 0

    public init() {}

    /// The classifier's verdict: a position in ``FaultStatistics/verdicts``.
    public func classified() -> Int { Int(withUnsafePointer(to: shim) { fl_fault_classify($0) }.rawValue) }

    private var shim: fl_fault_facts {
        var facts = fl_fault_facts()
        facts.signal = signal
        facts.code = code
        facts.address = address
        facts.error = pageFaultError
        facts.trap = trap
        facts.ip = instruction
        facts.sp = stackPointer
        facts.access.kind = access.kind.shim
        facts.access.length = access.length
        facts.access.address = access.address
        if let stack {
            facts.has_stack = true
            facts.stack_low = stack.low
            facts.stack_base = stack.base
            facts.stack_slot_low = stack.slotLow
            facts.stack_room_low = stack.roomLow
            facts.growth = stack.growth.shim
        }
        facts.zone = zone.shim
        facts.address_in_running_stack = addressIsInRunningStack
        facts.sp_in_running_stack = stackPointerIsInRunningStack
        facts.sp_below_running_slot = stackPointerIsBelowRunningSlot
        facts.nil_extent = nilExtent
        facts.signal_frame_size = signalFrameSize
        return facts
    }
}

extension FaultFacts.AccessKind {
    fileprivate var shim: fl_access_kind {
        switch self {
        case .unknown: .FL_ACCESS_UNKNOWN
        case .none: .FL_ACCESS_NONE
        case .memory: .FL_ACCESS_MEMORY
        case .push: .FL_ACCESS_PUSH
        case .pop: .FL_ACCESS_POP
        }
    }
}

extension FaultFacts.Zone {
    fileprivate var shim: fl_zone {
        switch self {
        case .outside: .FL_ZONE_OUTSIDE
        case .committed: .FL_ZONE_COMMITTED
        case .room: .FL_ZONE_ROOM
        case .beyond: .FL_ZONE_BEYOND
        case .oldRange: .FL_ZONE_OLD_RANGE
        case .free: .FL_ZONE_FREE
        case .hibernated: .FL_ZONE_HIBERNATED
        }
    }
}

extension FaultFacts.Growth {
    fileprivate var shim: fl_growth {
        switch self {
        case .never: .FL_GROWTH_NONE
        case .byTrap: .FL_GROWTH_TRAP
        case .byCheck: .FL_GROWTH_CHECK
        }
    }
}

/// Where the parts of a slot of one size lie, in bytes; CShim/README.md draws them.
@_spi(Experiments) public struct SlotGeometry: Sendable {
    /// The whole slot, and the guard at its end.
    public let size, guardSize: UInt
    /// From the start of an arena to its first slot.
    public let offset: UInt

    /// All sizes, the smallest first.
    public static let all = fl_slot_size.all.map {
        let geometry = fl_slot_geometry_of($0)
        return SlotGeometry(size: geometry.size, guardSize: geometry.guard, offset: geometry.offset)
    }
}
