internal import CShim

extension StackConfiguration {
    /// The configuration with every option filled in that its strategy uses, as a stack made from it would have it: sizes
    /// rounded, the kind of guard chosen for this kernel. A mover that was left out stays so: it is chosen at each move, by its size and by what the kernel offers.
    ///
    /// - Throws: ``StackError/invalidConfiguration(_:)`` as ``validate()`` does, ``StackError/unavailable(call:errno:)``
    ///   where the fault handler cannot be installed.
    public func effective() throws -> StackConfiguration {
        // What is legal depends on the kernel, which is probed now.
        try StackError.check(fl_initialize(), "initialization")
        let resolved = try resolved()
        var result = self
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
}
