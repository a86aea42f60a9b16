// Public types and their counterparts in the shim.
internal import CShim

extension StackStrategy {
    /// What `automatic` stands for now; every other strategy as it is. The shim is initialized.
    var chosen: StackStrategy {
        guard self == .automatic else { return self }
        return fl_capabilities_get().pointee.overcommit_mode == 2 || StackMemory.limit != nil ? .fault : .demand
    }

    /// 1 to 9.
    var ordinal: UInt64 { self == .automatic ? 1 : 2 + UInt64(shim.rawValue) }

    /// The shim's name of ``chosen``.
    var shim: fl_strategy {
        switch chosen {
        case .automatic: preconditionFailure("a chosen strategy is one that a stack can have")
        case .fixed: .FL_STRATEGY_FIXED
        case .demand: .FL_STRATEGY_DEMAND
        case .growsDown: .FL_STRATEGY_GROWS_DOWN
        case .fault: .FL_STRATEGY_FAULT
        case .faultMove: .FL_STRATEGY_FAULT_MOVE
        case .checkMove: .FL_STRATEGY_CHECK_MOVE
        case .checkSegment: .FL_STRATEGY_CHECK_SEGMENT
        case .checkFixed: .FL_STRATEGY_CHECK_FIXED
        }
    }
}

extension StackGuard {
    var shim: fl_guard {
        switch self {
        case .protNone: .FL_GUARD_PROT_NONE
        case .guardPages: .FL_GUARD_PAGES
        }
    }
}

extension PageMover {
    var shim: fl_mover {
        switch self {
        case .copy: .FL_MOVER_COPY
        case .uffdioMove: .FL_MOVER_UFFDIO_MOVE
        case .mremap: .FL_MOVER_MREMAP
        }
    }
}

extension fl_slot_size {
    static let all: [fl_slot_size] = (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).map { fl_slot_size(rawValue: $0)! }
}

extension StackError.Refusal {
    /// Nil where nothing failed.
    init?(_ failure: fl_failure, for purpose: Purpose) {
        guard failure.error != 0 else { return nil }
        guard let site = fl_site(rawValue: failure.site) else { preconditionFailure("a failure has a site") }
        self.init(.call(site), failure.error, for: purpose)
    }
}

extension StackError {
    /// The error of a step of the shim that failed.
    init(_ failure: fl_failure, for purpose: Refusal.Purpose) {
        guard let refusal = Refusal(failure, for: purpose) else { preconditionFailure("a step that failed says why") }
        self = .unavailable(refusal)
    }

    /// Throws when a step of the shim returned an error number.
    static func check(_ error: Int32, _ step: Refusal.Step) throws(StackError) {
        if error != 0 { throw StackError.unavailable(Refusal(step, error, for: .creation)) }
    }
}

/// Probes the kernel and installs the fault handler, once.
func initializeShim() throws(StackError) {
    if fl_is_initialized() { return }
    // The first time it takes about 50 KiB of stack in a debug build, and a recursion may make its first stack where
    // less is left.
    let initialize: @convention(c) () -> Int32 = {
        _ = TextWays.areGone
        let error = fl_initialize()
        // What types that needs is known from then on.
        if error == 0 { _ = try? StackConfiguration(maximum: 1 << 20, isIsolated: true).resolved() }
        return error
    }
    try StackError.check(fl_space_left() < 256 << 10 ? fl_run_apart(initialize) : initialize(), .initialization)
}
