// The answer, decided from four verdicts: is there a gain, what does a growth cost instead, does the check do something
// else, and do faults tell growth from bugs.

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
        let isSlower = growth.low > 1
        let saved = Self.saved(gain, isTold: run.isTold(CheckCost()))
        let cost = "a stack that grows by a page fault takes \(ReaderNumber(growth).text) times as long to grow"
        sentence =
            switch (hasGain, isSlower) {
            case (false, true): "No: without their stack checks \(saved), and \(cost)."
            case (true, true): "Only for programs that seldom grow a stack: \(saved) without the checks, but \(cost)."
            case (false, false): "There is no reason to: without their stack checks \(saved)."
            case (true, false): "Yes, for speed: \(saved) without the checks, and a growth is not slower."
            }
        paragraphs = Self.paragraphs(run)
        keyFigures = Self.keyFigures(run)
    }

    private static func saved(_ gain: MeasuredFigure, isTold: Bool) -> String {
        guard isTold else { return "Go's programs are not measurably faster" }
        if gain.low > 0 { return "Go's programs are \(ReaderNumber(gain).text) faster" }
        return gain.high < 0 ? "Go's programs are slower" : "Go's programs are not measurably faster"
    }

    /// Sentences about what stands in the way and what does not; one whose figures are missing is left out.
    private static func paragraphs(_ run: Readings) -> [String] {
        let against: [(Readings) throws -> String] = [
            { run in
                """
                A check of \(run.newestGo(PrologueCensusClaim())) that passes executes \
                \(try run.text(PrologueCensusClaim(), .executedInstructionsOfCheck)) of its \
                \(try run.text(PrologueCensusClaim(), .instructionsOfCheck)) instructions.
                """
            },
            { run in
                """
                A growth by a page fault crosses between the program and the kernel \
                \(try run.text(TrapCost(), .crossingsOfGrowth)) times, whatever the language.
                """
            },
            { run in
                """
                The check does a second job: it stops a goroutine where signals do not, as in the runtime's own code. \
                Without it the longest wait of others was \(try run.longestWait()) times as long in \
                \(run.newestGo(Preemption())).
                """
            },
            { run in
                """
                Go's own growth can be started by a fault of a probe, an instruction that stays in each function. Then a \
                goroutine's first descent of 32 KiB takes \(try run.text(FaultGrowth(), .growthWithProbes)) times as \
                long as with checks, one that waits takes \(try run.text(FaultGrowth(), .memoryWithProbes)) times the \
                memory, and programs \(try run.gain(CheckCost(), .gainFromProbes, null: .gainFromNothing)).
                """
            },
        ]
        let inFavour: [(Readings) throws -> String] = [
            { run in
                """
                Not all that the discussion feared stands in the way. Addresses: 47 bits hold \
                \(try run.text(AddressSpace(), .stacksIn47Bits)) stacks of 8 MiB.
                """
            },
            { run in
                guard try run.confusions() == 0 else { throw MissingFigure() }
                return """
                    Faults can be told apart: in \(try run.text(Classification(), .faults(.synthetic))) that were made up and \
                    \(try run.text(Classification(), .faults(.real))) real ones no growth was taken for a bug, and no bug for \
                    growth.
                    """
            },
            { run in
                """
                Where code has no checks, as in C and Swift, stacks that grow by faults work; the library beside this \
                report has them.
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
        add(
            TrapCost(), try? run.figure(TrapCost(), .growthAgainstGo),
            "the time of a growth in Go is what one by a page fault takes")
        add(
            Preemption(), try? run.figure(Preemption(), .longestWait),
            "as long is the longest wait for a goroutine that \(run.newestGo(Preemption())) cannot stop at a check")
        let goroutine = (try? run.text(MinimumStack(), .smallGoroutine)).map { "; a goroutine takes \($0)" } ?? ""
        add(
            MinimumStack(), try? run.figure(MinimumStack(), .smallStack),
            "is the least that a stack made of pages takes\(goroutine)")
        return figures
    }
}
