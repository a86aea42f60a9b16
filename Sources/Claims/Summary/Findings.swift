// What is said of each claim: the heading of its section, what came out in one plain sentence, and what would have to
// be measured for another verdict. A claim that is not listed, or lacks a figure, gets a sentence that any claim can
// have.

import Experiments
import Faultline
import Report

extension Summary {
    /// The words of one claim.
    struct FindingText: Sendable {
        let title: String
        var change: String?
        var sentence: (@Sendable (Readings) throws -> String)?
    }

    static let findings: [String: FindingText] = checks.merging(growth) { $1 }.merging(memory) { $1 }
        .merging(articles) { $1 }

    /// What the checks are and cost.
    private static let checks: [String: FindingText] = [
        "prologue-census": FindingText(title: "How many functions have a check") { run in
            let census = PrologueCensusClaim()
            return """
                In programs of \(run.newestGo(census)) \(try run.text(census, .shareOfGoFunctions)) of functions begin \
                with a check of \(try run.text(census, .instructionsOfCheck)) instructions, and \
                \(try run.text(census, .executedInstructionsOfCheck)) of those run when it passes.
                """
        },
        "check-cost": FindingText(title: "What a program gains without checks") { run in
            """
            Programs of \(run.newestGo(CheckCost())) that lose their checks and nothing else \
            \(try run.gain(CheckCost(), .gainOnRealPrograms, null: .gainFromNothing))\(run.claimedGain).\
            \(run.gainCompiledWithout) Against themselves they \(try run.gain(CheckCost(), .gainFromNothing)).
            """
        },
        "code-size": FindingText(
            title: "How much code the checks are",
            change:
                "Seven orders of each program's functions or more, with misses that lie wholly above or below those "
                + "without checks, beyond what another order shows."
        ) { run in
            """
            With checks the code of programs of \(run.newestGo(CodeSize())) is \
            \(try run.text(CodeSize(), .codeWithChecks)) times as large as compiled without, and a run misses a simulated \
            instruction cache \(try run.times(CodeSize(), .missesWithChecks, "often"))\
            \(try run.areMissesTold() ? "" : ", which cannot be told from no difference"); in another order of their \
            functions programs with checks miss it \(try run.times(CodeSize(), .missesOfAnotherLayout, "often")).
            """
        },
        "indirect-calls": FindingText(title: "Indirect calls") { run in
            """
            In \(run.newestGo(IndirectCalls(.indirectCalls))) checks cost a call by a closure or an interface, in the mean \
            of both, \(try run.further(.indirectCalls)) than a call by name\(run.furtherByClosures(.indirectCalls)).
            """
        },
        "deep-chains": FindingText(title: "Deep chains of calls") { run in
            """
            In \(run.newestGo(IndirectCalls(.deepChains))) checks cost a call in a chain of 1,000, in the mean of its \
            kinds, \(try run.further(.deepChains)) than one in a chain of 10\(run.furtherByClosures(.deepChains)).
            """
        },
        "inlining": FindingText(title: "What inlining leaves of the cost") { run in
            """
            Without checks programs in C and Swift that call much \
            \(try run.gain(Inlining(), .gainWithoutChecks(.standard))) where calls are inlined as usual, and \
            \(try run.gain(Inlining(), .gainWithoutChecks(.off))) where nothing is inlined.\(run.inliningInGo)
            """
        },
        "preemption": FindingText(
            title: "What else the check does",
            change: "A runtime that stops goroutines in its own code without a check, or keeps checks there."
        ) { run in
            try run.pauses()
        },
    ]

    /// What growing costs.
    private static let growth: [String: FindingText] = [
        "trap-cost": FindingText(title: "What a growth by a page fault costs") { run in
            """
            A growth by a fault that a signal handler serves crosses between program and kernel \
            \(try run.text(TrapCost(), .crossingsOfGrowth)) times at least. In place it takes \
            \(try run.between(TrapCost(), .growthAgainstGoFresh)) times as long as the smallest of \
            \(run.newestGo(TrapCost())), from 2 KiB, with fresh memory on both sides, and \
            \(try run.between(TrapCost(), .growthAgainstGo)) times with memory that is there on both.\(run.growthByMoves)
            """
        },
        "break-even": FindingText(
            title: "When a page fault pays for the checks it saves",
            change: "Checks that cost more, or a growth that costs less: the boundary moves with both."
        ) { run in
            if let nothing = run.nothingSaved { return nothing }
            return """
                A program in Go gains from page faults when it grows \(try run.growths("Go")) in a second of its processor \
                time; if C grew its stacks as Go does, a program in C would when it grows \(try run.growths("C")).
                """
        },
        "fault-growth": FindingText(title: "Go's own growth, started by a fault") { run in
            """
            With probes in place of the checks outside the runtime, reflection and what calls assembly, \
            \(try run.text(FaultGrowth(), .programsAlike)) of \(try run.text(FaultGrowth(), .programsWithProbes)) programs \
            of \(run.newestGo(FaultGrowth())) answered as before, and grew stacks by \
            \(try run.text(FaultGrowth(), .faultsOfPrograms)) faults; a waiting goroutine takes \
            \(try run.text(FaultGrowth(), .memoryWithProbes)) times the memory.
            """
        },
        "hot-split": FindingText(title: "A loop at the end of a stack") { run in
            """
            A call at the end of a stack takes at least \(try run.text(HotSplit(), .callWithSegments)) times as long as one \
            that fits with segments, and \(try run.text(HotSplit(), .callWithCopying)) times as long with copying.
            """
        },
        "move-doubles": FindingText(title: "How large a moved stack becomes") { run in
            """
            A stack of \(run.newestGo(MoveCost(.doubles))) that is copied becomes \
            \(try run.text(MoveCost(.doubles), .growthOfGoroutinesStack)) times as large.
            """
        },
        "move-pointers": FindingText(title: "What pointers cost a move") { run in
            let claim = MoveCost(.correctsPointers)
            return """
                In \(run.newestGo(claim)) a growth of a stack of 4 MiB full of pointers takes \
                \(try run.between(claim, .pointersAgainstNumbers)) times as long as one full of numbers, which is \
                \(try run.text(claim, .timeOfCopyPerPointer)) for each pointer.
                """
        },
        "move-cost": FindingText(title: "What moving a large stack costs") { run in
            let claim = MoveCost(.isExpensive)
            return """
                In \(run.newestGo(claim)) a growth of a stack of 4 MiB takes \
                \(try run.between(claim, .largeAgainstSmallCopy)) times as long as one of 4 KiB, \
                \(try run.text(claim, .timeOfCopyPerKiB)) for each KiB, whose frames it also looks through.
                """
        },
        "shrink-free": FindingText(
            title: "Going down again", change: "A collection that leaves stacks as large as they became."
        ) { run in
            """
            Where a goroutine of \(run.newestGo(ShrinkFree())) goes down again, this takes \
            \(try run.times(ShrinkFree(), .descentAgain)) as where the stack had the room from the start, and after a \
            collection, which halves the stack, \(try run.times(ShrinkFree(), .descentAfterCollection)); the first \
            descent takes \(try run.times(ShrinkFree(), .firstDescent)) as a later one.
            """
        },
        "pointers-on-stack": FindingText(
            title: "Where pointers to a stack are",
            change: "A runtime without records that point to variables on the stack of a goroutine that waits."
        ) { run in
            let claim = PointersOnStack()
            return """
                \(run.newestGo(claim)) keeps \(try run.text(claim, .pointersOutside)) addresses of the stacks of \
                \(try run.text(claim, .waitingGoroutines)) waiting goroutines in records of its runtime, which it corrects \
                one by one, beside \(try run.text(claim, .pointersOnStack)) on the stacks themselves.
                """
        },
        "contention": FindingText(title: "Growth as threads are added") { run in
            """
            In processor time a growth of a goroutine takes \(try run.between(Contention(), .contendingGrowth)) times as \
            long on all processors of this machine as on one.\(run.contendingMoves)
            """
        },
        "shrink": FindingText(
            title: "Memory given back",
            change: "A stack that keeps more than half of its memory after it is given back."
        ) { run in
            let before = Figure("release with guard-pages, bytes before", .bytes)
            let after = Figure("release with guard-pages, bytes after", .bytes)
            let own = """
                An idle stack of this library takes \(try run.text(Shrink(), before)), and \(try run.text(Shrink(), after)) after \
                its memory is given back.
                """
            guard let (kept, left) = run.stackGivenBackByGo else { return own }
            return """
                An idle stack of \(run.newestGo(Shrink())) that was deep once takes \(kept), and \(left) after seven \
                collections, each of which halves it. \(own)
                """
        },
    ]

    /// What stacks take of addresses and memory, and what faults mean.
    private static let memory: [String: FindingText] = [
        "classification": FindingText(
            title: "Telling growth from bugs",
            change: "One fault of a growing stack taken for a bug, or the other way round."
        ) { run in
            """
            Of \(try run.text(Classification(), .faults(.synthetic))) synthetic faults and \
            \(try run.text(Classification(), .faults(.real))) real ones \(try run.confused()) confused; \
            \(try run.text(Classification(), .ambiguous(.synthetic))) were said to be ambiguous.
            """
        },
        "address-space": FindingText(
            title: "Addresses for many stacks", change: "A system that gives a program fewer bits of addresses."
        ) { run in
            """
            100,000 stacks of 8 MiB take \(try run.text(AddressSpace(), .spaceOf100000Stacks)) of addresses; by \
            arithmetic 32 bits hold \(try run.text(AddressSpace(), .stacksIn32Bits)) of them, and the 47 bits of today's \
            Linux \(try run.text(AddressSpace(), .stacksIn47Bits)).
            """
        },
        "minimum-stack": FindingText(title: "The least that a stack takes") { run in
            """
            A goroutine of \(run.newestGo(MinimumStack())) that waits takes \
            \(try run.text(MinimumStack(), .smallGoroutine)), and without checks, on a stack of pages that never shrinks, \
            \(try run.text(MinimumStack(), .smallStack)): \(try run.text(MinimumStack(), .memoryAgainstGoroutines)) times \
            as much, and \(try run.text(MinimumStack(), .memoryOnceDeep)) times where it was deep once\(run.memoryWithProbes).
            """
        },
        "overcommit": FindingText(
            title: "Memory that is promised",
            change: "A kernel that charges reserved addresses without guard pages, or none with them."
        ) { run in
            func charge(_ kind: StackGuard, _ mode: Int) throws -> String {
                try run.text(Overcommit(), .charge(kind, inMode: mode), none: "nothing")
            }
            return """
                A stack that grows by faults and whose unused part is guard pages is charged \
                \(try charge(.guardPages, 0)) with vm.overcommit_memory 0, the default of Linux, \
                \(try charge(.guardPages, 1)) with 1, and with 2, where nothing is overcommitted, \
                \(try charge(.guardPages, 2)) of \(try run.text(Overcommit(), .reservedWithStack)) that are reserved with \
                it; where its unused part is protected pages, \(try charge(.protNone, 2)) with 2.
                """
        },
        "exhaustion": FindingText(
            title: "Where memory ends",
            change:
                "An error instead of the end where memory that was promised is used and cannot be had; or a process "
                + "that ends as well where the promise itself is refused."
        ) { run in
            func deaths(_ limit: Exhaustion.Limit) throws -> String {
                let deaths = try run.text(Exhaustion(), .deaths(at: limit), none: "none")
                return "\(deaths) of \(try run.text(Exhaustion(), .strategies(at: limit)))"
            }
            let (inGroup, byAddresses) = (try deaths(.group), try deaths(.addressSpace))
            // Of full runs only.
            let byCommitment =
                (try? deaths(.commit)).map { ", with \($0) where the kernel commits no more memory" } ?? ""
            return """
                The process ends with \(inGroup) of this library's ways to make stacks, those with checks among them, where \
                a control group has used up its memory, with \(byAddresses) that reached a limit of addresses\(byCommitment); \
                with the others an error tells.
                """
        },
        "ackermann": FindingText(
            title: "A recursion that is deeper than its stack",
            change: "A stack that finishes the recursion within the limit."
        ) { run in
            let fixed = try run.text(Ackermann(), Figure("depth of a(4,5) fixed", .count))
            let fault = try run.text(Ackermann(), Figure("depth of a(4,5) fault", .count))
            let limit = try run.text(Ackermann(), .limitOfStacks)
            let calls = try run.text(Ackermann(), .callsOfFurtherBytes)
            return """
                Within \(limit) a fixed stack gets \(fixed) calls deep, and one that grows by faults \(fault). A further \
                KiB of a large fixed stack holds \(calls) times as many calls as one of a small stack.
                """
        },
        "no-size-guess": FindingText(
            title: "A stack whose size nobody guesses",
            change: "A goroutine whose stack grows until memory is exhausted, or one that is ended at no more than a "
                + "thread's stack of 8 MiB."
        ) { run in
            """
            A goroutine's stack whose size nobody chose grew to \
            \(try run.text(NoSizeGuess(), .lastStackOfGoroutine)) in \(run.newestGo(NoSizeGuess())), whose usual limit is \
            \(try run.text(NoSizeGuess(), .limitOfGrowingStack)): where it would have doubled again the process ended, \
            having taken \(try run.text(NoSizeGuess(), .peakOfRecursion)).
            """
        },
        "portability": FindingText(
            title: "What depends on processor and system",
            change: "A hazard whose test fails, or one without a test that comes true."
        ) { run in
            """
            Of \(try run.text(Portability(), .hazards)) hazards \(try run.text(Portability(), .hazards(of: .processor))) \
            come from the processor and \(try run.text(Portability(), .hazards(of: .system))) from the system. \
            \(try run.text(Portability(), .hazardsWithTest)) have a test; \(try run.text(Portability(), .passed)) passed \
            and \(try run.text(Portability(), .failed)) failed, on x86-64 alone.
            """
        },
        "stackless": FindingText(title: "Tasks without a stack") { run in
            """
            A coroutine of C++20, which has no stack, takes where it waits in a request that it has parsed \
            \(try run.text(Stackless(), .memoryOfStacklessCoroutine)) of the memory of a goroutine of \
            \(run.newestGo(Stackless())), whose stack was deeper before. To switch it takes \
            \(try run.text(Stackless(), .coroutine20AgainstCoroutine(.switch))) times as long as a coroutine of this library.
            """
        },
        "stackless-growth": FindingText(title: "Whether tasks without a stack grow") { run in
            """
            Where coroutines of C++20 call each other and wait, each further call takes \
            \(try run.text(StacklessGrowth(), .memoryOfFrame)).
            """
        },
    ]

    /// Words for the names by which code calls its strategies and guards.
    static let words: [String: String] = [
        "fault-move": "page fault, moving", "check-move": "check, moving", "check-segment": "check, segments",
        "check-fixed": "check, fixed size", "grows-down": "the kernel's growing mapping", "guard-pages": "guard pages",
        "prot-none": "protected pages", "uffdio-move": "moving pages", "fault-guard-pages": "page fault, guard pages",
        "go1": "Go 1", "4KiB": "4 KiB", "16KiB": "16 KiB", "64KiB": "64 KiB", "256KiB": "256 KiB", "8MiB": "8 MiB",
        "libgcc-split-stack": "libgcc's split stacks", "UFFDIO_MOVE": "moving pages", "mremap": "remapping pages",
        "vm.overcommit_memory": "the kernel's setting for overcommit",
    ]
}
