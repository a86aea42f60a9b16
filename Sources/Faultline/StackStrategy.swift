/// How a stack makes room.
///
/// The first six run code as compilers make it by default. The last three make room where compiler-inserted prologue
/// checks ask for it, so they need code that was compiled with checks; other code stays within the initial size.
public enum StackStrategy: String, CaseIterable, Sendable, Codable {
    /// The default: `demand`, which needs no signal before the overflow, where the kernel may overcommit memory. Where
    /// `vm.overcommit_memory` is 2, or ``StackMemory/limit`` is set, `fault`: only a growth that asks can be refused.
    case automatic
    /// All memory is committed and populated at creation; no page fault afterwards. Overflow is an error.
    case fixed
    /// The kernel's demand paging inside the whole reservation.
    case demand
    /// The kernel's `MAP_GROWSDOWN`: how Linux grows the main thread's stack. Bounded by `RLIMIT_STACK`.
    case growsDown = "grows-down"
    /// A hit of the guard commits further down, in place.
    case fault
    /// A hit of the guard moves the stack to a larger reservation while it runs. Read its hazards first
    /// (docs/HAZARDS.md).
    case faultMove = "fault-move"
    /// A failed prologue check moves the stack to a larger reservation (as Go has done since 1.3).
    case checkMove = "check-move"
    /// A failed prologue check runs the function on a new segment, which is freed on return (as Go did until 1.2).
    case checkSegment = "check-segment"
    /// Prologue checks that always pass: isolates their cost. Overflow is an error.
    case checkFixed = "check-fixed"

    /// The strategies that a stack can have: all but `automatic`, which stands for one of two of them.
    public static let allCases: [StackStrategy] = [
        .fixed, .demand, .growsDown, .fault, .faultMove, .checkMove, .checkSegment, .checkFixed,
    ]

    /// Whether the strategy makes room only for code with compiler-inserted prologue checks.
    public var needsChecks: Bool {
        switch self {
        case .checkMove, .checkSegment, .checkFixed: true
        case .automatic, .fixed, .demand, .growsDown, .fault, .faultMove: false
        }
    }

    /// Whether the stack may continue at other addresses while it runs.
    public var moves: Bool { self == .faultMove || self == .checkMove }

    /// Whether a stack starts smaller than it may become, and can be told where it starts.
    public var grows: Bool {
        switch self {
        case .growsDown, .fault, .faultMove, .checkMove, .checkSegment: true
        case .automatic, .fixed, .demand, .checkFixed: false
        }
    }
}

/// What stands below the usable part of a stack.
public enum StackGuard: String, CaseIterable, Sendable, Codable {
    /// Pages without access. Each stack takes two mappings, of which `vm.max_map_count` allows 65,530 by default.
    case protNone = "prot-none"
    /// Guard pages in the page table (`MADV_GUARD_INSTALL`, Linux 6.13): any number of stacks in one mapping.
    case guardPages = "guard-pages"
}

/// How the pages of a moving stack get to their new place. Every choice falls back to `copy` where the kernel refuses.
public enum PageMover: String, CaseIterable, Sendable, Codable {
    /// Copying, which always works.
    case copy
    /// `UFFDIO_MOVE` (Linux 6.8) moves page-table entries; needs `StackGuard.guardPages`.
    case uffdioMove = "uffdio-move"
    /// `mremap` with `MREMAP_DONTUNMAP` (Linux 5.7); each move splits mappings for good.
    case mremap
}

/// A setting of ``StackConfiguration`` that not every strategy uses.
public enum StackOption: String, CaseIterable, Sendable {
    /// ``StackConfiguration/initial``
    case initial
    /// ``StackConfiguration/maximum``
    case maximum
    /// ``StackConfiguration/reservation``
    case reservation
    /// ``StackConfiguration/guardKind``
    case guardKind = "guard"
    /// ``StackConfiguration/mover``
    case mover

    /// Whether a stack of `strategy` looks at this option.
    public func isUsed(by strategy: StackStrategy) -> Bool {
        switch self {
        case .maximum: true
        case .initial: strategy.grows
        case .reservation: !strategy.grows || strategy == .fault
        case .guardKind: strategy != .growsDown
        case .mover: strategy.moves
        }
    }

    /// What the option means for `strategy`, in one phrase; nil where it is not used.
    public func meaning(for strategy: StackStrategy) -> String? {
        guard isUsed(by: strategy) else { return nil }
        return switch (self, strategy) {
        case (.initial, .growsDown): "mapped at creation"
        case (.initial, .fault): "committed at first"
        case (.initial, .checkSegment): "size of a segment"
        case (.initial, _): "usable in the first slot"
        case (.maximum, .fixed): "the whole stack"
        case (.maximum, .growsDown): "at most RLIMIT_STACK"
        case (.maximum, .checkSegment): "sum of all segments"
        case (.maximum, _): "usable at most"
        case (.reservation, _): "size of the slot"
        case (.guardKind, _): "kind of guard"
        case (.mover, _): "how pages move"
        }
    }
}
