// The list of claims, in the order in which they run and are listed: one file each, in `Discussion/`.

import Experiments
import Report

/// Every claim.
public enum Claims {
    /// In the order in which they run and are listed.
    public static let all: [any Claim] = [
        PrologueCensusClaim(),
        CheckCost(),
        CodeSize(),
        Inlining(),
        IndirectCalls(.indirectCalls),
        IndirectCalls(.deepChains),
        TrapCost(),
        FaultGrowth(),
        BreakEven(),
        Classification(),
        AddressSpace(),
        MinimumStack(),
        Overcommit(),
        Exhaustion(),
        HotSplit(),
        MoveCost(.doubles),
        MoveCost(.correctsPointers),
        MoveCost(.isExpensive),
        ShrinkFree(),
        PointersOnStack(),
        Ackermann(),
        NoSizeGuess(),
        StackPooling(),
        StackAllocator(),
        AllocatorTier(.cache),
        AllocatorTier(.pool),
        AllocatorTier(.heap),
        SpawnLock(.mcentral),
        SpawnLock(.mheap),
        FalseSharing(),
        InitialSize(.growthsFrom2KB),
        InitialSize(.growthsFrom8KB),
        InitialSize(.copying),
        InitialSize(.collections),
        Stackless(),
        StacklessGrowth(),
        Gateway(.memory),
        Gateway(.stackless),
        Gateway(.pause),
        Gateway(.pauseStackless),
        Gateway(.idle),
        Gateway(.idleStackless),
        ShortGoroutines(),
        StackDump(),
        GCStackScan(),
        Escape(),
        CompileFlags(),
        StripStart(),
        StripStartCold(),
        IndependentStart(),
        Contention(),
        Preemption(),
        Portability(),
        Shrink(),
        FramePrediction(),
    ]

    /// What claims measure in processes of their own.
    public static var samplers: [any Sampler] { all.flatMap(\.samplers) }

    /// The claim of that identifier.
    public static func named(_ identifier: String) -> (any Claim)? { all.first { $0.identifier == identifier } }

    /// The names that the plot of each claim reads, by identifier; claims without a plot are left out.
    public static var plotted: [String: PlottedNames] {
        Dictionary(uniqueKeysWithValues: all.map { ($0.identifier, $0.plotted) }).filter { $1 != PlottedNames() }
    }

    /// Every identifier, for messages and completion.
    public static var identifiers: [String] { all.map(\.identifier) }
}
