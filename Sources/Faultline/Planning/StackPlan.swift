internal import CShim

/// What many suspended coroutines take, worked out before any is made.
///
/// The figures follow from how slots are laid out and how x86-64 maps pages, and a test compares them with what 10,000 and
/// 1,000,000 coroutines took. `faultline plan` prints them.
public struct StackPlan: Sendable, Hashable {
    /// Coroutines alive at a time.
    public let coroutines: Int
    /// Bytes of a slot, guard included.
    public let reservation: Int
    /// What stands below each stack.
    public let guardKind: StackGuard
    /// Bytes that each stack has used at most, whole pages.
    public let touched: Int
    /// Bytes of all slots.
    public let slots: Int
    /// Bytes of address space that the arenas of these slots reserve: each is twice as large as the one
    /// before, the first 4 to 512 GiB.
    public let addressSpace: Int
    /// Mappings, of which `vm.max_map_count` allows a process so many.
    public let mappings: Int
    /// Bytes of touched pages of stacks.
    public let resident: Int
    /// Bytes of the tables of stacks and slots and of ``Coroutine`` objects, without what their bodies capture.
    public let bookkeeping: Int
    /// Bytes of page tables, which no limit on resident memory counts.
    public let pageTables: Int
    /// Bytes that `vm.overcommit_memory` 2 charges.
    public let charged: Int

    /// Bytes of memory in all.
    public var memory: Int { resident + bookkeeping + pageTables }

    /// As many coroutines as may be planned for. A library that addresses 47 bits has room for fewer of most sizes.
    public static let mostCoroutines = 1_000_000_000

    private static let page = StackConfiguration.page
    /// What one page of the page table's lowest level maps, and what one of each level above it does.
    private static let spans = [2 << 20, 1 << 30, 512 << 30]
    /// A ``Coroutine`` on the heap: two words of every object, one property, and malloc's word, in steps of 16.
    private static let object = 32

    /// A plan for `coroutines` with `configuration` each, of whose stacks `touched` bytes are used.
    ///
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` where no such stack can be made here, it has less room than
    ///   `touched`, or it has no slot (`grows-down`); ``StackError/unavailable(_:)`` where the fault handler
    ///   cannot be installed.
    public init(coroutines: Int, configuration: StackConfiguration = .init(), touched: Int = 4096) throws {
        try initializeShim()
        guard (1...Self.mostCoroutines).contains(coroutines) else {
            throw StackError.invalidConfiguration(
                "\(coroutines) coroutines cannot be planned for; use 1 to \(Self.mostCoroutines)")
        }
        guard configuration.strategy != .growsDown else {
            throw StackError.invalidConfiguration("strategy 'grows-down' has no slots to plan; choose another")
        }
        let stack = try configuration.resolved()
        guard let size = fl_slot_size(rawValue: stack.slot) else { preconditionFailure("a resolved stack has a slot") }
        guard touched >= 1, touched <= Int(min(stack.maximum, fl_slot_room(size))) else {
            throw StackError.invalidConfiguration(
                "\(touched) touched bytes do not fit a stack of \(min(stack.maximum, fl_slot_room(size))); "
                    + "use fewer, or a larger reservation")
        }
        self.init(coroutines, Slot(size, stack), touched: (touched + Self.page - 1) & ~(Self.page - 1))
    }

    /// The same stacks in another number.
    func with(_ coroutines: Int) -> StackPlan { StackPlan(coroutines, slot, touched: touched) }

    private let slot: Slot

    private init(_ coroutines: Int, _ slot: Slot, touched: Int) {
        self.coroutines = coroutines
        self.slot = slot
        self.touched = touched
        reservation = slot.size
        guardKind = slot.isGuardedByPages ? .guardPages : .protNone
        slots = coroutines * slot.size
        let arenas = slot.arenas(for: coroutines)
        addressSpace = arenas.reduce(0, +)
        let whole = slot.touchedAtOnce ?? touched
        resident = coroutines * whole
        // A stack behind pages without access splits its arena's mapping twice.
        mappings = slot.isGuardedByPages ? arenas.count : 2 * coroutines + arenas.count
        bookkeeping = coroutines * (slot.bookkeeping + Self.object)
        pageTables = slot.pageTables(of: coroutines, touched: whole) + bookkeeping / 512
        charged = coroutines * (slot.isGuardedByPages ? slot.size : slot.usable(touched: touched))
    }

    /// One slot of the plan: where in it something is mapped.
    private struct Slot: Hashable {
        let kind: fl_slot_size
        let size, bottomGuard, offset, bookkeeping: Int
        let initial, maximum: Int
        let isGuardedByPages, grows: Bool
        /// Bytes that are resident whatever is used, or nil.
        let touchedAtOnce: Int?

        init(_ size: fl_slot_size, _ stack: fl_stack_configuration) {
            kind = size
            let geometry = fl_slot_geometry_of(size)
            self.size = Int(geometry.size)
            bottomGuard = Int(geometry.guard)
            offset = Int(geometry.offset)
            bookkeeping = Int(fl_stack_bookkeeping())
            isGuardedByPages = stack.guard == .FL_GUARD_PAGES
            let isWhole = [.FL_STRATEGY_FIXED, .FL_STRATEGY_DEMAND, .FL_STRATEGY_CHECK_FIXED].contains(stack.strategy)
            grows = !isWhole
            maximum = Int(min(stack.maximum, fl_slot_room(size)))
            initial = isWhole ? maximum : Int(stack.initial)
            touchedAtOnce = stack.strategy == .FL_STRATEGY_FIXED ? maximum : nil
        }

        /// Bytes of each arena that so many slots need.
        func arenas(for count: Int) -> [Int] {
            var arenas: [Int] = []
            var slots = 0
            while slots < count {
                arenas.append(Int(fl_arena_size(kind, UInt32(arenas.count))))
                slots += (arenas[arenas.count - 1] - offset) / size
            }
            return arenas
        }

        /// Bytes that are usable once `touched` are in use: growth doubles.
        func usable(touched: Int) -> Int {
            var usable = initial
            while usable < touched { usable = min(2 * usable, maximum) }
            return usable
        }

        /// Bytes of page tables for `count` slots. A page of the lowest level is there where a page or a guard is.
        func pageTables(of count: Int, touched: Int) -> Int {
            let span = spans[0]
            let tables: Int
            if size < span {
                tables = (count * size + span - 1) / span
            } else {
                // In the first slot, whose end lies at `offset` + `size`: those of its upper part, and below it the guard
                // at its end, which shares a page with the upper part of the slot below.
                let base = offset + size
                let lowest = base - max(touched, isGuardedByPages ? lowestBand(touched: touched) : 0)
                let upper = (base - 1) / span - lowest / span + 1
                let reachesEnd = lowest / span == offset / span
                tables = count * (upper - (reachesEnd ? 1 : 0)) + (reachesEnd || isGuardedByPages ? 1 : 0)
            }
            let above = spans.dropFirst().reduce(0) { $0 + (count * size + offset + $1 - 1) / $1 }
            return (tables + above) * page
        }

        /// Bytes from the base to the lowest guard of the band (slot.c): the first reaches down to a multiple of
        /// 2 MiB, further ones are 64 KiB.
        private func lowestBand(touched: Int) -> Int {
            let band = 64 << 10
            let base = offset + size
            let floor = offset + bottomGuard
            func reaching(_ low: Int) -> Int { low <= floor ? base - offset : base - low }
            let first = reaching((base - initial - band) & ~(spans[0] - 1))
            let usable = usable(touched: touched)
            return usable + band > first ? reaching(base - usable - band) : first
        }
    }
}
