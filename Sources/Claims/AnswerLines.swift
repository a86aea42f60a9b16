// What the answer's lines say, in the order in which a designer meets the questions: is there something to gain, what
// does it cost instead, when does that pay, what else can go wrong.

extension Answer {
    /// What is said beside the gain on real programs.
    private static let gainsBeside =
        "{%gain on kernels} of that of kernels; no-ops of the same length in their place gain "
        + "{%gain from no-ops instead of checks}, and the same code in another layout {%gain from another layout}"

    /// A line each, of one part or more.
    static let parts: [[Part]] = [
        [
            Part(
                "check-cost",
                "What checks cost: removing them gains {%gain on real programs} of the time of real programs, "
                    + "{%gain on Go programs} of those in Go, and " + gainsBeside,
                otherwise:
                    "What checks cost: removing them gains {%gain on real programs} of the time of real programs "
                    + "(none of them in Go) and " + gainsBeside)
        ],
        [
            Part(
                "prologue-census",
                "Where checks are: in {%share of functions with a check} of functions, "
                    + "{%share of code that is checks} of their code, {instructions of a check} instructions each, of "
                    + "which {instructions of a check that are executed when it passes} run when it passes"),
            Part(
                "inlining",
                "Programs gain {%gain without checks, inlining off} without checks where nothing is inlined, "
                    + "{%gain without checks, inlined as usual} inlined as usual, "
                    + "{%gain without checks, inlining aggressive} inlined aggressively"),
        ],
        [
            Part(
                "trap-cost",
                "What a trap costs: a growth crosses between user and kernel {crossings of one growth} times and takes "
                    + "{growth by a trap against Go's} to {the slowest growth by a trap against Go's} times as long as "
                    + "Go's"
            )
        ],
        [
            Part(
                "break-even",
                "When a trap pays for the checks it saves: in place from {fault 4KiB: calls per growth} calls per "
                    + "growth for stacks of 4 KiB at first, {fault 16KiB: calls per growth} for 16 KiB, "
                    + "{fault 64KiB: calls per growth} for 64 KiB; moving, from {fault-move 4KiB: calls per growth}, "
                    + "{fault-move 16KiB: calls per growth} and {fault-move 64KiB: calls per growth}",
                most: BreakEven.calls.last.map(Double.init))
        ],
        [
            Part(
                "hot-split",
                "How to make room: a call in a loop at the boundary takes "
                    + "{a call at the boundary against one that fits, with segments} times a call that fits with "
                    + "segments, and {a call at the boundary against one that fits, with copying} times with copying"),
            Part(
                "move-cost",
                "A copy takes {time of a copy per KiB} per KiB and {time of a copy per pointer} per pointer"),
        ],
        [
            Part(
                "minimum-stack",
                "What a small stack takes: {a small stack made of pages} where it is made of pages, {a small "
                    + "goroutine} as a goroutine"),
            Part(
                "initial-size",
                "A request grows its stack {growths of a request from 2 KB} times from 2 KB and "
                    + "{growths of a request from 8 KB} times from 8 KB"),
        ],
        [
            Part(
                "address-space",
                "Address space: {stacks of 8 MiB in 32 bits} stacks of 8 MiB fit 32 bits, {stacks of 8 MiB in 47 bits} "
                    + "fit 47 bits; 100,000 take {address space of 100,000 stacks}"),
            Part(
                "overcommit",
                "Memory: the most that a stack is charged is {most charged for a stack in mode 0} with "
                    + "vm.overcommit_memory 0, {most charged for a stack in mode 1} with 1, and "
                    + "{most charged for a stack in mode 2} with 2"),
        ],
        [
            Part(
                "classification",
                "Telling growth from bugs: of {faults, made up} made-up faults {ambiguous, made up} are said to be "
                    + "ambiguous, and in a million {confusions in a million faults, made up} are taken for growth or "
                    + "growth for them; of {faults, real} real ones {confusions in a million faults, real} in a "
                    + "million")
        ],
        [
            Part(
                "contention",
                "Threads and systems: a growth of a goroutine takes {growth on one processor} of processor time on one "
                    + "processor and {growth on many processors} on many"),
            Part(
                "preemption",
                "Beside a goroutine that does not stop others wait up to {longest wait without checks} times as long "
                    + "without checks, and {longest wait with the runtime's checks} times where the runtime keeps its "
                    + "own"
            ),
            Part(
                "portability",
                "Of {hazards} hazards that depend on processor and system {hazards with a test} have a test here: "
                    + "{passed} passed, {failed} failed, {not run here} were not run"),
        ],
        [
            Part(
                "stackless",
                "Instead of stacks: a stackless task takes {memory of a stackless coroutine against one with a stack} "
                    + "of the memory of a coroutine, {spawn, task against coroutine} of its time to create and "
                    + "{switch, task against coroutine} of its time to switch")
        ],
    ]
}
