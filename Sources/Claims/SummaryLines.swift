// What the summary says, in the order in which a designer meets the questions: is there something to gain, what does it
// cost instead, when does that pay, what else can go wrong.

import Faultline

extension Summary {
    /// What is said beside the gain on real programs.
    private static let gainsBeside: Template = """
        \(percent: .gainOnKernels) of that of kernels; no-ops of the same length in their place gain \
        \(percent: .gainFromNoOps), and the same code in another layout \(percent: .gainFromAnotherLayout)
        """

    /// From which number of calls on a trap pays.
    private static func calls(_ strategy: StackStrategy, _ size: Int) -> Template {
        "\(.callsPerGrowth(BreakEven.caseName(strategy, size)))"
    }

    /// A line each, of one part or more.
    static let parts: [[Part]] = [
        [
            Part(
                CheckCost(),
                """
                What checks cost: removing them gains \(percent: .gainOnRealPrograms) of the time of real programs, \
                \(percent: .gainOnGoPrograms) of those in Go, and \(gainsBeside)
                """,
                otherwise: """
                    What checks cost: removing them gains \(percent: .gainOnRealPrograms) of the time of real programs \
                    (none of them in Go) and \(gainsBeside)
                    """)
        ],
        [
            Part(
                PrologueCensusClaim(),
                """
                Where checks are: in \(percent: .shareOfFunctions) of functions, \(percent: .shareOfCode) of their code, \
                \(.instructionsOfCheck) instructions each, of which \(.executedInstructionsOfCheck) run when it passes
                """),
            Part(
                Inlining(),
                """
                Programs gain \(percent: .gainWithoutChecks(.off)) without checks where nothing is inlined, \
                \(percent: .gainWithoutChecks(.standard)) inlined as usual, \
                \(percent: .gainWithoutChecks(.aggressive)) inlined aggressively
                """),
        ],
        [
            Part(
                TrapCost(),
                """
                What a trap costs: a growth crosses between user and kernel \(.crossingsOfGrowth) times and takes \
                \(.growthAgainstGo) to \(.slowestGrowthAgainstGo) times as long as Go's
                """)
        ],
        [
            Part(
                BreakEven(),
                """
                When a trap pays for the checks it saves: in place from \(calls(.fault, 4 << 10)) calls per growth for \
                stacks of 4 KiB at first, \(calls(.fault, 16 << 10)) for 16 KiB, \(calls(.fault, 64 << 10)) for 64 KiB; \
                moving, from \(calls(.faultMove, 4 << 10)), \(calls(.faultMove, 16 << 10)) and \
                \(calls(.faultMove, 64 << 10))
                """,
                maximum: BreakEven.calls.last.map(Double.init))
        ],
        [
            Part(
                HotSplit(),
                """
                How to make room: a call in a loop at the boundary takes \(.callWithSegments) times a call that fits with \
                segments, and \(.callWithCopying) times with copying
                """),
            Part(MoveCost(), "A copy takes \(.timeOfCopyPerKiB) per KiB and \(.timeOfCopyPerPointer) per pointer"),
        ],
        [
            Part(
                MinimumStack(),
                """
                What a small stack takes: \(.smallStack) where it is made of pages, \
                \(.smallGoroutine) as a goroutine
                """),
            Part(
                InitialSize(),
                "A request grows its stack \(.growthsFrom2KB) times from 2 KB and \(.growthsFrom8KB) times from 8 KB"),
        ],
        [
            Part(
                AddressSpace(),
                """
                Address space: \(.stacksIn32Bits) stacks of 8 MiB fit 32 bits, \(.stacksIn47Bits) fit 47 bits; 100,000 \
                take \(.spaceOf100000Stacks)
                """),
            Part(
                Overcommit(),
                """
                Memory: a stack is charged at most \(.maximumCharge(inMode: 0)) with vm.overcommit_memory 0, \
                \(.maximumCharge(inMode: 1)) with 1, and \(.maximumCharge(inMode: 2)) with 2
                """),
        ],
        [
            Part(
                Classification(),
                """
                Telling growth from bugs: of \(.faults(.synthetic)) synthetic faults \(.ambiguous(.synthetic)) are said \
                to be ambiguous, and in a million \(.confusionsInAMillion(.synthetic)) are taken for growth or growth for \
                them; of \(.faults(.real)) real ones \(.confusionsInAMillion(.real)) in a million
                """)
        ],
        [
            Part(
                Contention(),
                """
                Threads and systems: a growth of a goroutine takes \(.growthOnOneProcessor) of processor time on one \
                processor and \(.growthOnManyProcessors) on many
                """),
            Part(
                Preemption(),
                """
                Beside a goroutine that does not stop others wait up to \(.longestWait) times as long without checks, and \
                \(.longestWaitWithRuntimesChecks) times where the runtime keeps its own
                """),
            Part(
                Portability(),
                """
                Of \(.hazards) hazards that depend on processor and system \(.hazardsWithTest) have a test here: \
                \(.passed) passed, \(.failed) failed, \(.notRunHere) were not run
                """),
        ],
        [
            Part(
                Stackless(),
                """
                Instead of stacks: a stackless task takes \(.memoryOfStacklessCoroutine) of the memory of a coroutine, \
                \(.taskAgainstCoroutine(.spawn)) of its time to create and \(.taskAgainstCoroutine(.switch)) of its time \
                to switch
                """)
        ],
    ]
}
