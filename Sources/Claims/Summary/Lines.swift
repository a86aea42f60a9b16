// The ten lines, in the order in which a designer meets the questions: is there something to gain, what does it cost
// instead, when does that pay, what else can go wrong.

import Experiments
import Faultline
import Measurement
import Report

extension Summary {
    /// A line of the summary.
    struct Subject: Sendable {
        let name: String
        let claims: [any Claim]
        let text: @Sendable (Readings) throws -> String
    }

    static let subjects: [Subject] = [
        Subject(name: "The check", claims: [PrologueCensusClaim()]) { run in
            let census = PrologueCensusClaim()
            return """
                In programs of \(run.newestGo(census)) \(try run.text(census, .shareOfGoFunctions)) of all functions begin \
                with a check. It is \(try run.text(census, .instructionsOfCheck)) instructions long, of which \
                \(try run.text(census, .executedInstructionsOfCheck)) run when it passes.
                """
        },
        Subject(name: "The gain", claims: [CheckCost(), Inlining()]) { run in
            """
            Programs of \(run.newestGo(CheckCost())) that lose their checks and nothing else \
            \(try run.gain(CheckCost(), .gainOnRealPrograms, null: .gainFromNothing))\(run.claimedGainIsOpen).\
            \(run.gainCompiledWithout) Loops of small calls \(try run.gain(CheckCost(), .gainOnGoKernels)).
            """
        },
        Subject(name: "A growth", claims: [TrapCost()]) { run in
            """
            A growth by a fault that a signal handler serves crosses between program and kernel \
            \(try run.text(TrapCost(), .crossingsOfGrowth)) times at least. In place it takes \
            \(try run.between(TrapCost(), .growthAgainstGoFresh)) times as long as the smallest in \
            \(run.newestGo(TrapCost())), from 2 KiB, with fresh memory on both sides, and \
            \(try run.between(TrapCost(), .growthAgainstGo)) times with memory that is there on both.\
            \(run.growthOfLargerStacks)
            """
        },
        Subject(name: "When it pays", claims: [BreakEven()]) { run in
            if let nothing = run.nothingSaved { return nothing }
            return """
                A page fault pays for the checks that it saves while a program grows \(try run.growths("Go")) in a \
                second of its processor time in Go, and \(try run.growths("C")) in C, if C grew its stacks as Go does.
                """
        },
        Subject(name: "Making room", claims: [HotSplit(), MoveCost(.isExpensive)]) { run in
            """
            A call in a loop at the end of a stack takes at least \(try run.text(HotSplit(), .callWithSegments)) times \
            as long with segments and \(try run.text(HotSplit(), .callWithCopying)) times with copying, as Go copies. \
            A growth in \(run.newestGo(MoveCost(.isExpensive))) takes \
            \(try run.text(MoveCost(.isExpensive), .timeOfCopyPerKiB)) for each KiB that it copies.
            """
        },
        Subject(name: "A small stack", claims: [MinimumStack()]) { run in
            """
            A goroutine of \(run.newestGo(MinimumStack())) that waits takes \
            \(try run.text(MinimumStack(), .smallGoroutine)), and without checks, on a stack made of pages, \
            \(try run.text(MinimumStack(), .smallStack)): \(try run.text(MinimumStack(), .memoryAgainstGoroutines)) times \
            as much.
            """
        },
        Subject(name: "Addresses and memory", claims: [AddressSpace(), Overcommit()]) { run in
            """
            100,000 stacks of 8 MiB take \(try run.text(AddressSpace(), .spaceOf100000Stacks)) of addresses; by \
            arithmetic 47 bits hold \(try run.text(AddressSpace(), .stacksIn47Bits)), and 32 bits \
            \(try run.text(AddressSpace(), .stacksIn32Bits)). Where the kernel does not \
            overcommit, a stack with guard pages is charged \(try run.text(Overcommit(), .charge(.guardPages, inMode: 2))) \
            of the \(try run.text(Overcommit(), .reservedWithStack)) that are reserved with it.
            """
        },
        Subject(name: "Growth or bug", claims: [Classification(), Portability()]) { run in
            """
            Of \(try run.text(Classification(), .faults(.synthetic))) synthetic faults and \
            \(try run.text(Classification(), .faults(.real))) real ones \(try run.confused()) confused, a growing stack with \
            a bug or the other way round; \(try run.text(Classification(), .ambiguous(.synthetic))) were said to be \
            ambiguous.
            """
        },
        Subject(name: "Preemption", claims: [Preemption()]) { run in
            """
            The check is also where \(run.newestGo(Preemption())) stops a goroutine that signals do not stop, as in the \
            runtime's own code. \(try run.pauses())
            """
        },
        Subject(name: "Without stacks", claims: [Stackless()]) { run in
            """
            A coroutine of C++20, which has no stack, takes where it waits in a request that it has parsed \
            \(try run.text(Stackless(), .memoryOfStacklessCoroutine)) of the memory of a goroutine of \
            \(run.newestGo(Stackless())), whose stack was deeper before. To switch, it takes \
            \(try run.text(Stackless(), .coroutine20AgainstCoroutine(.switch))) times as long as a coroutine of this \
            library, and a task of Swift \(try run.text(Stackless(), .taskAgainstCoroutine(.switch))) times.
            """
        },
    ]
}

extension Readings {
    /// How many times as long a growth by a page fault takes: "2.5 times as long as Go's smallest with fresh memory,
    /// and 10.8 times with memory that is there".
    func growthAgainstGo(_ warm: MeasuredFigure) -> String {
        let warm = ReaderNumber(warm).text
        guard let fresh = try? text(TrapCost(), .growthAgainstGoFresh) else {
            return "\(warm) times as long as Go's smallest"
        }
        return "\(fresh) times as long as Go's smallest with fresh memory, and \(warm) times with memory that is there"
    }

    /// " Go's takes 286 ns longer for each KiB of a larger stack, which it copies; one in place copies nothing.";
    /// nothing where that was not measured.
    var growthOfLargerStacks: String {
        guard let perKiB = try? text(MoveCost(.isExpensive), .timeOfCopyPerKiB) else { return "" }
        return
            " Go's takes \(perKiB) longer for each KiB of a larger stack, which it copies; one in place copies nothing."
    }

    /// " Compiled without checks they gain 1.3 %."; nothing where that was not measured.
    var gainCompiledWithout: String {
        guard let gain = try? gain(CheckCost(), .gainCompiledWithout, null: .gainFromNothing) else { return "" }
        return " Compiled without checks they \(gain)."
    }

    /// "Without checks a collection beside a goroutine that iterates a map pauses 104 times as long (66 to 208) in
    /// Go 1.27.3. Where the runtime keeps its own, it pauses 0.8 to 1.1 times as long, and with probes beside these
    /// 1.2 times as long."
    func pauses() throws(MissingFigure) -> String {
        let kept = try times(Preemption(), .pauseWithRuntimesChecks)
        let probes = (try? times(Preemption(), .pauseWithProbes)).map { ", and with probes beside these \($0)" } ?? ""
        return """
            Without checks a collection beside a goroutine that iterates a map pauses \(try pauseWithoutChecks()) in \
            \(newestGo(Preemption())). Where the runtime keeps its own, it pauses \(kept)\(probes).
            """
    }

    /// "104 times as long (66 to 208)", "at least 104 times as long".
    func pauseWithoutChecks() throws(MissingFigure) -> String {
        let number = ReaderNumber(try figure(Preemption(), .pauseWithoutChecks))
        let ends = number.isAtLeast ? "" : number.interval
        return "\(number.text) times as long\(ends.isEmpty ? "" : " (\(ends))")"
    }

    /// What is said in place of rates at which a fault pays, where checks are not told from none.
    var nothingSaved: String? {
        guard let verdict = verdict(BreakEven().identifier), verdict.verdict == .notDistinguishable else { return nil }
        let nothing = "What programs save without checks cannot be told from nothing"
        guard
            let figure = try? figure(BreakEven(), .breakEven("Go", GrowthCostSampler.inPlace, isFresh: true)),
            case let programs = verdict.measured.filter({
                $0.name.contains(" go1.") && $0.name.hasSuffix(Figure.ownGrowths("").name)
            }), let most = programs.max(by: { $0.median < $1.median })
        else { return "\(nothing), so that no number of growths can be named at which a page fault pays for them." }
        let bound = ReaderNumber(MeasuredFigure(.ownGrowths(""), Estimate(exactly: figure.high)))
        let answer = most.median < figure.high ? "whether that is few enough is not known" : "which is too often"
        return """
            \(nothing): a page fault pays for them, if at all, where a program in \(newestGo(BreakEven())) grows fewer \
            than \(bound.text) stacks in a second of its processor time. Of \(programs.count) programs, run without \
            collections, \(most.name.prefix { $0 != " " }) grows most often, \(ReaderNumber(most).text) stacks: \(answer).
            """
    }

    /// "fewer than 1,000 stacks": how many growths a second cost what the checks do, in place and with fresh memory.
    func growths(_ language: String) throws(MissingFigure) -> String {
        let figure = try self.figure(
            BreakEven(), .breakEven(language, GrowthCostSampler.inPlace, isFresh: true))
        let number = ReaderNumber(figure)
        return number.isAtLeast ? "fewer than N stacks (N is \(number.text))" : "fewer than \(number.text) stacks"
    }
}
