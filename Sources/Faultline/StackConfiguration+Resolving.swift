// What a configuration comes to on this machine: what was left out is filled in, what contradicts itself is an error.
internal import CShim

#if canImport(Glibc)
    import Glibc
#endif

extension StackConfiguration {
    /// Room below the maximum on which no-abandon code finishes after an overflow (HACKING.md): 256 KiB.
    static let reserve = 256 << 10
    static let page = 4096

    /// The default of ``initial`` in bytes for a growing strategy.
    static func defaultInitial(of strategy: StackStrategy) -> Int {
        switch strategy {
        case .fault: 64 << 10
        case .faultMove: 16 << 10
        case .checkMove, .checkSegment: 192 << 10
        case .growsDown: 128 << 10
        case .automatic, .fixed, .demand, .checkFixed: 0
        }
    }

    /// Checks that a stack can be made from this configuration.
    /// - Throws: ``StackError/invalidConfiguration(_:option:)`` where none can; ``StackError/unavailable(_:)`` where
    ///   the fault handler cannot be installed.
    public func validate() throws(StackError) {
        try initializeShim()
        _ = try resolved()
    }

    /// The configuration of a stack that is made from this one now: `automatic` is replaced by the strategy that it
    /// stands for, every option that the strategy uses is filled in, sizes are rounded, and the kind of guard is chosen
    /// for this kernel. A mover that was left out stays so: it is chosen
    /// at each move, by the size of the stack and by what the kernel offers.
    ///
    /// - Throws: as ``validate()``.
    public func effective() throws(StackError) -> StackConfiguration {
        try initializeShim()
        try rejectUnused()
        var result = self
        result.strategy = strategy.chosen
        let resolved = try result.resolved()
        let strategy = result.strategy
        result.maximum = Int(resolved.maximum)
        if StackOption.initial.isUsed(by: strategy) { result.initial = Int(resolved.initial) }
        if StackOption.reservation.isUsed(by: strategy), let slot = fl_slot_size(rawValue: resolved.slot) {
            result.reservation = Int(fl_slot_geometry_of(slot).size)
        }
        if StackOption.guardKind.isUsed(by: strategy) {
            result.guardKind = resolved.guard == .FL_GUARD_PAGES ? .guardPages : .protNone
        }
        return result
    }

    /// What ``number`` is to be.
    var knownNumber: UInt64 {
        guard initial == nil && reservation == nil && guardKind == nil && mover == nil else { return 0 }
        let flags: UInt64 =
            (isIsolated ? 1 : 0) | (containsNilDereference ? 2 : 0) | (keepsFloatingPointControl ? 4 : 0)
        guard let maximum else { return Self.number(0, flags, strategy) }
        return Self.isInRange(maximum) ? Self.number(maximum, flags, strategy) : 0
    }

    /// The same for `StackConfiguration(maximum: maximum, isIsolated: true)`.
    @usableFromInline
    static func number(isolated maximum: Int) -> UInt64 { isInRange(maximum) ? number(maximum, 1, .automatic) : 0 }

    private static func number(_ maximum: Int, _ flags: UInt64, _ strategy: StackStrategy) -> UInt64 {
        UInt64(maximum) << 8 | flags << 4 | strategy.ordinal
    }

    // What is out of range is an error that has to be told.
    private static func isInRange(_ size: Int) -> Bool { size > 0 && size <= largestMaximum }

    /// The configuration as the shim takes it. The shim is initialized: what is legal depends on the kernel.
    func resolved() throws(StackError) -> fl_stack_configuration {
        if (isIsolated || containsNilDereference) && !fl_capabilities_get().pointee.unwinds { throw Self.cannotContain }
        // Without sizes and choices only a few flags vary. That case is worked out once, because making a coroutine
        // from the pool takes little longer than working this out.
        guard initial == nil && maximum == nil && reservation == nil && guardKind == nil && mover == nil else {
            try rejectUnused()
            var chosen = self
            chosen.strategy = strategy.chosen
            return try chosen.workedOut()
        }
        let ordinal = Int(strategy.shim.rawValue)
        var result = isIsolated ? Self.isolatedDefaults[ordinal] : Self.defaults[ordinal]
        result.contains_nil = containsNilDereference
        result.keeps_fp_control = keepsFloatingPointControl
        return result
    }

    /// Frames that may be abandoned cannot be told from those that may not.
    private static var cannotContain: StackError {
        let cause =
            dlsym(nil, "_dl_find_object") == nil
            ? "needs glibc 2.35 or later; use that"
            : "needs a Swift runtime apart from the executable; link without -static-stdlib"
        return .invalidConfiguration(
            "containing faults (isIsolated, containsNilDereference, withGrowableStack) \(cause), or make the stack "
                + "with withStack and neither option, so that a fault ends the process")
    }

    // The defaults of every strategy are valid everywhere: a test makes a stack of each.
    private static let defaults = StackStrategy.allCases.map {
        try! StackConfiguration(strategy: $0).workedOut()
    }
    private static let isolatedDefaults = StackStrategy.allCases.map {
        try! StackConfiguration(strategy: $0, isIsolated: true).workedOut()
    }

    // By the strategy that was asked for: what `automatic` does not use is an error on every machine.
    private func rejectUnused() throws(StackError) {
        try reject(.initial, if: initial != nil)
        try reject(.reservation, if: reservation != nil)
        try reject(.guardKind, if: guardKind != nil)
        try reject(.mover, if: mover != nil)
    }

    private func workedOut() throws(StackError) -> fl_stack_configuration {
        let pages = try resolvedGuard()
        if mover == .uffdioMove && pages == .protNone {
            throw StackError.invalidConfiguration(
                "'uffdio-move' needs guard 'guard-pages', which is not what this stack has; choose 'copy' or 'mremap'",
                option: .mover)
        }
        var result = fl_stack_configuration()
        result.strategy = strategy.shim
        result.guard = pages.shim
        result.mover = mover.map { $0.shim } ?? .FL_MOVER_AUTOMATIC
        result.contains_overflow = isIsolated
        result.contains_nil = containsNilDereference
        result.keeps_fp_control = keepsFloatingPointControl
        // grows-down has no room of its own below its maximum, and without containment a reserve would be wasted.
        result.reserve = isIsolated && strategy != .growsDown ? UInt(Self.reserve) : 0
        try resolveSizes(into: &result)
        return result
    }

    private func reject(_ option: StackOption, if isSet: Bool) throws(StackError) {
        guard isSet && !option.isUsed(by: strategy) else { return }
        throw StackError.invalidConfiguration(
            "strategy '\(strategy.rawValue)' does not use '\(option.rawValue)'; leave it out")
    }

    private func resolvedGuard() throws(StackError) -> StackGuard {
        let capabilities = fl_capabilities_get().pointee
        switch guardKind {
        case .guardPages where !capabilities.guard_install:
            throw StackError.invalidConfiguration(
                "'guard-pages' needs MADV_GUARD_INSTALL, which this kernel lacks (Linux 6.13 has it); choose "
                    + "'prot-none'",
                option: .guardKind)
        case .some(let kind): return kind
        // Mode 2 charges a writable reservation in full, so that only pages without access can be reserved.
        case nil: return capabilities.guard_install && capabilities.overcommit_mode != 2 ? .guardPages : .protNone
        }
    }

    private func resolveSizes(into result: inout fl_stack_configuration) throws(StackError) {
        let first =
            try initial.map { size throws(StackError) in try Self.rounded(size, .initial) }
            ?? Self.defaultInitial(of: strategy)
        let asked = try maximum.map { size throws(StackError) in try Self.rounded(size, .maximum) }
        let (slot, maximum) = try slotAndMaximum(first: first, asked: asked, reserve: Int(result.reserve))
        guard slot != .FL_SLOT_SIZES else {
            throw StackError.invalidConfiguration("exceeds \(Self.largestMaximum) bytes", option: .maximum)
        }
        if strategy.grows && initial != nil && first > maximum {
            throw StackError.invalidConfiguration(
                "of \(first) bytes exceeds the maximum of \(maximum) bytes", option: .initial)
        }
        result.initial = UInt(min(first, maximum))
        result.maximum = UInt(maximum)
        result.slot = slot.rawValue
    }

    private static func rounded(_ size: Int, _ option: StackOption) throws(StackError) -> Int {
        guard isInRange(size) else {
            throw StackError.invalidConfiguration(
                "of \(size) bytes is out of range; use 1 to \(largestMaximum)", option: option)
        }
        return (size + page - 1) & ~(page - 1)
    }

    /// The size of the slot, `FL_SLOT_SIZES` where none is large enough, and the maximum in bytes, which was `asked` or
    /// left out.
    private func slotAndMaximum(first: Int, asked: Int?, reserve: Int) throws(StackError) -> (fl_slot_size, Int) {
        if strategy == .growsDown { return (.FL_SLOT_64KIB, try growsDownMaximum(asked)) }
        if strategy.moves || strategy == .checkSegment {
            let maximum = asked ?? Self.largestMaximum
            let usable = min(first, maximum)
            let needed = UInt(usable + (usable == maximum ? reserve : 0))
            let staysInSlot = usable == maximum || !strategy.moves
            return (staysInSlot ? fl_slot_for(needed, .FL_SLOT_64KIB) : fl_slot_for_moving(needed), maximum)
        }
        if let reservation { return try slotAndMaximum(reservation, asked, reserve) }
        let slot = asked.map { fl_slot_for(UInt($0 + reserve), .FL_SLOT_64KIB) } ?? .FL_SLOT_8MIB
        return (slot, asked ?? Int(fl_slot_room(slot)) - reserve)
    }

    private func growsDownMaximum(_ asked: Int?) throws(StackError) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(UInt32(RLIMIT_STACK.rawValue)), &limit)
        let allowed = Int(clamping: limit.rlim_cur)
        let maximum = asked ?? min(allowed, 8 << 20)
        guard maximum <= allowed else {
            throw StackError.invalidConfiguration(
                "of \(maximum) bytes exceeds RLIMIT_STACK (\(allowed) bytes), which bounds 'grows-down'; raise it with "
                    + "ulimit -s", option: .maximum)
        }
        return maximum
    }

    private func slotAndMaximum(_ reservation: Int, _ asked: Int?, _ reserve: Int) throws(StackError) -> (
        fl_slot_size, Int
    ) {
        guard let slot = fl_slot_size.all.first(where: { Int(fl_slot_geometry_of($0).size) == reservation }) else {
            throw StackError.invalidConfiguration(
                "of \(reservation) bytes is not a slot size; use a power of two from 64KiB to 1GiB",
                option: .reservation)
        }
        let room = Int(fl_slot_room(slot))
        let maximum = asked ?? room - reserve
        guard maximum > 0, maximum + reserve <= room else {
            let wanted = self.maximum.map { "a maximum of \($0)" } ?? "any maximum"
            throw StackError.invalidConfiguration(
                "of \(reservation) bytes has room for \(room), which \(wanted) and a reserve of \(reserve) exceed; "
                    + "choose a larger reservation", option: .reservation)
        }
        return (slot, maximum)
    }
}
