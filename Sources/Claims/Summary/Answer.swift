// The answer, decided by what is gained and by what a growth costs instead; beside it stand what else the check does,
// and what the discussion feared.

import Measurement
import Report

/// What a run answers to the question.
struct Answer {
    let sentence: String
    let paragraphs: [String]
    let keyFigures: [Article.KeyFigure]

    init(_ run: Readings) {
        guard let gain = try? run.figure(CheckCost(), .gainOnRealPrograms),
            let growth = try? run.figure(TrapCost(), .growthAgainstGo)
        else {
            sentence = "This run does not answer that: it measured too little."
            paragraphs = [
                "The answer needs at least what Go's programs gain without their checks, and what a growth by a page "
                    + "fault costs beside a growth in Go."
            ]
            keyFigures = Self.keyFigures(run)
            return
        }
        let hasGain = gain.low > 0 && run.isTold(CheckCost())
        let fresh = try? run.figure(TrapCost(), .growthAgainstGoFresh)
        let isSlower = growth.low > 1 && fresh.map { $0.low > 1 } ?? true
        let compiled = try? run.figure(CheckCost(), .gainCompiledWithout)
        let saved = Self.saved(gain, compiled, isTold: run.isTold(CheckCost()))
        let cost = "a growth by a page fault takes \(run.growthAgainstGo(growth))"
        let isOpen = !run.claimedGainIsOpen.isEmpty
        sentence =
            switch (hasGain, isSlower) {
            case (false, true) where isOpen:
                "Nothing speaks for it here: what Go's programs gain without their stack checks cannot be told from "
                    + "zero, nor from what was claimed, and \(cost)."
            case (false, true): "No: without their stack checks \(saved), and \(cost)."
            case (true, true): "Only for programs that seldom grow a stack: \(saved) without the checks, but \(cost)."
            case (false, false): "There is no reason to: without their stack checks \(saved)."
            case (true, false): "For speed alone: \(saved) without the checks, and a growth is not slower."
            }
        paragraphs = Self.paragraphs(run)
        keyFigures = Self.keyFigures(run)
    }

    /// What programs save. Where that is not told from nothing, the most that intervals leave open is said, also of
    /// programs that are compiled without checks.
    private static func saved(_ gain: MeasuredFigure, _ compiled: MeasuredFigure?, isTold: Bool) -> String {
        if isTold, gain.low > 0 { return "Go's programs are \(ReaderNumber(gain).text) faster" }
        let most = max(gain.high, compiled?.high ?? gain.high)
        if most < 0 { return "Go's programs are slower" }
        return "Go's programs gain \(Estimate.percent((most * 1000).rounded(.up) / 1000))\u{A0}% at most"
    }

    /// Sentences about what stands in the way and what does not; one whose figures are missing is left out.
    private static func paragraphs(_ run: Readings) -> [String] {
        let against: [(Readings) throws -> String] = [
            { run in
                """
                Where checks are missing and nothing else is changed, programs of \(run.newestGo(CheckCost())) \
                \(try run.gain(CheckCost(), .gainOnRealPrograms, null: .gainFromNothing)); compiled without checks they \
                \(try run.gain(CheckCost(), .gainCompiledWithout, null: .gainFromNothing)).
                """
            },
            { run in
                """
                A check of \(run.newestGo(PrologueCensusClaim())) that passes executes \
                \(try run.text(PrologueCensusClaim(), .executedInstructionsOfCheck)) of its \
                \(try run.text(PrologueCensusClaim(), .instructionsOfCheck)) instructions.
                """
            },
            { run in
                """
                A growth by a fault that a signal handler serves crosses between the program and the kernel \
                \(try run.text(TrapCost(), .crossingsOfGrowth)) times at least.
                """
            },
            { run in
                """
                The check does a second job: it stops a goroutine where signals do not, as in the runtime's own code. \
                \(try run.pauses())
                """
            },
            { run in
                """
                Go's own growth can be started by a fault of a probe, an instruction in place of each check outside the \
                runtime, reflection and what calls assembly. Then a goroutine's first descent of 32 KiB takes \
                \(try run.times(FaultGrowth(), .growthWithProbes)) as with checks, one that waits takes \
                \(try run.text(FaultGrowth(), .memoryWithProbes)) times the memory, and programs \
                \(try run.gain(CheckCost(), .gainFromProbes, null: .gainFromAnotherLayoutInGo)).
                """
            },
        ]
        let inFavour: [(Readings) throws -> String] = [
            { run in
                """
                Not all that the discussion feared stands in the way. Addresses: 100,000 stacks of 8 MiB take \
                \(try run.text(AddressSpace(), .spaceOf100000Stacks)), and 47 bits would hold \
                \(try run.text(AddressSpace(), .stacksIn47Bits)).
                """
            },
            { run in
                guard try run.confusions() == 0 else { throw MissingFigure() }
                return """
                    Growth and bugs: of \(try run.text(Classification(), .faults(.synthetic))) synthetic faults and \
                    \(try run.text(Classification(), .faults(.real))) real ones this library's handler took none for the \
                    other, and called \(try run.text(Classification(), .ambiguous(.synthetic))) synthetic ones ambiguous.
                    """
            },
            { run in
                """
                For code that has no checks, as in C and Swift, the library beside this report has stacks that grow by \
                faults.
                """
            },
        ]
        return [against, inFavour].map { part in
            part.compactMap { try? $0(run) }.joined(separator: " ")
        }.filter { !$0.isEmpty }
    }

    private static func keyFigures(_ run: Readings) -> [Article.KeyFigure] {
        var figures: [Article.KeyFigure] = []
        func add(_ claim: any Claim, _ figure: MeasuredFigure?, isTold: Bool = true, _ text: String) {
            guard let figure else { return }
            let number = ReaderNumber(figure)
            // One number would say what is not known.
            figures.append(
                Article.KeyFigure(isTold ? number.marked : number.interval, text, claim: claim.identifier))
        }
        let gain = try? run.figure(CheckCost(), .gainOnRealPrograms)
        let isTold = run.isTold(CheckCost()) && gain.map { !ReaderNumber($0).spansZero } ?? false
        add(
            CheckCost(), gain, isTold: isTold,
            "is what Go's programs gain without their checks\(isTold ? "" : ": it cannot be told from zero")")
        let fresh =
            (try? run.figure(TrapCost(), .growthAgainstGoFresh)).map {
                "; \(ReaderNumber($0).marked) with fresh memory"
            } ?? ""
        add(
            TrapCost(), try? run.figure(TrapCost(), .growthAgainstGo),
            "the time of Go's smallest growth is what one by a page fault takes, with memory that is there "
                + "on both sides\(fresh)"
        )
        let kept =
            (try? run.figure(Preemption(), .pauseWithRuntimesChecks)).map {
                "; where the runtime keeps its own, \(ReaderNumber($0).marked)"
            } ?? ""
        add(
            Preemption(), try? run.figure(Preemption(), .pauseWithoutChecks),
            "as long a collection pauses beside a goroutine that iterates a map, where \(run.newestGo(Preemption())) "
                + "has lost its checks\(kept)")
        let goroutine = (try? run.text(MinimumStack(), .smallGoroutine)).map { "; with checks it takes \($0)" } ?? ""
        add(
            MinimumStack(), try? run.figure(MinimumStack(), .smallStack),
            "is what a waiting goroutine without checks takes on pages\(goroutine)")
        return figures
    }
}
