internal import CShim

/// What many suspended coroutines take, worked out before any is made. `faultline plan` prints it.
///
/// The figures follow from the layout of slots and from how x86-64 maps pages. A test compares them with what 10,000
/// and 1,000,000 coroutines took.
public struct StackPlan: Sendable, Hashable {
    /// Coroutines alive at a time.
    public let coroutines: Int
    /// How the stacks grow: what `automatic` stands for now, or the strategy that was asked for.
    public let strategy: StackStrategy
    /// Bytes of a slot, guard included.
    public let reservation: Int
    /// The guard below each stack.
    public let guardKind: StackGuard
    /// The maximum number of bytes that each stack has used, in whole pages.
    public let touched: Int
    /// Bytes of all slots.
    public let slots: Int
    /// Bytes of address space that the arenas of these slots reserve. The first has 4 to 512 GiB, each further one
    /// twice as much as the one before.
    public let addressSpace: Int
    /// Mappings, which `vm.max_map_count` limits.
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

    /// The maximum number of coroutines that can be planned for. In 47 bits of addresses there is room for fewer,
    /// except in the smallest slots.
    public static let maximumCoroutines = 1_000_000_000

    private static let page = StackConfiguration.page
    /// Bytes that one page of the page table maps, by level from the lowest.
    private static let spans = [2 << 20, 1 << 30, 512 << 30]
    /// Bytes of a ``Coroutine`` on the heap: two words of every object, a property and malloc's word, in steps of 16.
    private static let object = 32

    /// A plan for coroutines that each have a stack made from `configuration`.
    ///
    /// - Parameters:
    ///   - coroutines: 1 to ``maximumCoroutines``.
    ///   - configuration: the stack of each.
    ///   - touched: bytes that each stack has used, 1 to its maximum; rounded up to pages.
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` where a parameter is out of range, no such stack can be
    ///   made here, or it has no slot (`grows-down`); ``StackError/unavailable(_:)`` where the fault handler cannot be
    ///   installed.
    public init(coroutines: Int, configuration: StackConfiguration = .init(), touched: Int = 4096) throws {
        try initializeShim()
        guard (1...Self.maximumCoroutines).contains(coroutines) else {
            throw StackError.invalidConfiguration(
                "\(coroutines) coroutines cannot be planned for; use 1 to \(Self.maximumCoroutines)")
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
        self.init(
            coroutines, configuration.strategy.chosen, Slot(size, stack),
            touched: (touched + Self.page - 1) & ~(Self.page - 1))
    }

    /// The plan for another number of the same stacks.
    func with(_ coroutines: Int) -> StackPlan { StackPlan(coroutines, strategy, slot, touched: touched) }

    private let slot: Slot

    private init(_ coroutines: Int, _ strategy: StackStrategy, _ slot: Slot, touched: Int) {
        self.coroutines = coroutines
        self.strategy = strategy
        self.slot = slot
        self.touched = touched
        reservation = slot.size
        guardKind = slot.isGuardedByPages ? .guardPages : .protNone
        slots = coroutines * slot.size
        let arenas = slot.arenas(for: coroutines)
        addressSpace = arenas.reduce(0, +)
        let whole = slot.touchedAtOnce ?? touched
        resident = coroutines * whole
        // A stack between pages without access splits the mapping of its arena twice.
        mappings = slot.isGuardedByPages ? arenas.count : 2 * coroutines + arenas.count
        bookkeeping = coroutines * (slot.bookkeeping + Self.object)
        pageTables = slot.pageTables(of: coroutines, touched: whole) + bookkeeping / 512
        charged = coroutines * (slot.isGuardedByPages ? slot.size : slot.usable(touched: touched))
    }

    /// One slot of the plan: where in it something is mapped.
    private struct Slot: Hashable {
        let kind: fl_slot_size
        let size, offset, bookkeeping: Int
        let initial, maximum: Int
        let isGuardedByPages, grows: Bool
        /// Bytes that are resident from the start; nil where they follow the use.
        let touchedAtOnce: Int?

        init(_ size: fl_slot_size, _ stack: fl_stack_configuration) {
            kind = size
            let geometry = fl_slot_geometry_of(size)
            self.size = Int(geometry.size)
            offset = Int(geometry.offset)
            bookkeeping = Int(fl_stack_bookkeeping())
            isGuardedByPages = stack.guard == .FL_GUARD_PAGES
            let isWhole = [.FL_STRATEGY_FIXED, .FL_STRATEGY_DEMAND, .FL_STRATEGY_CHECK_FIXED].contains(stack.strategy)
            grows = !isWhole
            maximum = Int(min(stack.maximum, fl_slot_room(size)))
            initial = isWhole ? maximum : Int(stack.initial)
            touchedAtOnce = stack.strategy == .FL_STRATEGY_FIXED ? maximum : nil
        }

        /// Bytes of each arena that `count` slots need.
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

        /// Bytes from the base to the low end of the guard band once `touched` are in use.
        private func band(touched: Int) -> Int { Int(fl_slot_band(kind, UInt(usable(touched: touched)))) }

        /// Bytes of page tables for `count` slots. Each page and each guard needs a page of the lowest level.
        func pageTables(of count: Int, touched: Int) -> Int {
            let span = spans[0]
            let tables: Int
            if offset == 0 {
                tables = (count * size + span - 1) / span
            } else {
                // The first slot ends at `offset` + `size`. Its upper part takes pages of the table, and so does the
                // guard at its low end, which shares a page with the upper part of the slot below.
                let base = offset + size
                let lowest = base - max(touched, isGuardedByPages && grows ? band(touched: touched) : 0)
                let upper = (base - 1) / span - lowest / span + 1
                let reachesEnd = lowest / span == offset / span
                tables = count * (upper - (reachesEnd ? 1 : 0)) + (reachesEnd || isGuardedByPages ? 1 : 0)
            }
            let above = spans.dropFirst().reduce(0) { $0 + (count * size + offset + $1 - 1) / $1 }
            return (tables + above) * page
        }
    }
}
