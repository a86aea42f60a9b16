import Experiments
import Measurement
import Report
import Testing

@testable import Claims

@Suite("ackermann") struct AckermannTests {
    /// Calls deep, of a stack of 256 KiB times `scale`; in proportion to it unless said otherwise.
    private static func depth(
        _ name: String, grows: Bool, _ ending: Recursion.Ending, scale: Int = 1, depth: Double = 8000,
        work: Recursion.Work = .ackermann
    ) -> Record {
        Record(
            suite: "ackermann", case: work.caseName(name), metric: .depth, exactly: depth * Double(scale),
            parameters: [.grows: .bool(grows), .ending: .string(ending.rawValue), .limit: .int(scale * 262_144)])
    }

    private func verdict(_ records: Record...) -> ClaimVerdict { Ackermann().verdict(on: records) }

    /// At three sizes; what takes room besides the recursion costs it that many calls.
    private static func fixed(_ name: String, _ ending: Recursion.Ending = .error, besides: Double = 0) -> [Record] {
        [1, 2, 4].map { scale in
            depth(name, grows: false, ending, scale: scale, depth: 8000 - besides / Double(scale))
        }
    }

    @Test func fixedStacksThatAllEndAtEachSizeConfirmItWhateverGrowingOnesDo() {
        let all =
            [Self.depth("fault", grows: true, .error, scale: 4)] + Self.fixed("fixed", besides: 2000)
            + Self.fixed("thread", .died)
        let verdict = Ackermann().verdict(on: all)
        #expect(verdict.verdict == .confirmed)
        #expect(
            verdict.reason.hasPrefix(
                "with 256KiB, 512KiB, 1MiB 3 of 6 fixed stacks ended with an error, 3 with the process, 0 finished, 0 "
                    + "were still running; of 1 that grow to the same size 0 finished; a further KiB of a large stack "
                    + "holds 1.0 times as many calls as of a small one; depths: fault 32000 in 1MiB, fixed 6000 in "))
        #expect(verdict.measured.map(\.median) == [32_000, 30_000, 32_000, 1_048_576, 1])
    }

    @Test func fewerSizesOrDepthsOutOfProportionDecideNothing() {
        let two = Ackermann().verdict(on: Array(Self.fixed("fixed").prefix(2)))
        #expect(two.verdict == .notMeasurable)
        #expect(two.reason.contains("of fewer than three sizes nothing follows for any"))
        let odd = Self.fixed("fixed").dropLast() + [Self.depth("fixed", grows: false, .error, scale: 4, depth: 6000)]
        #expect(Ackermann().verdict(on: Array(odd)).verdict == .notMeasurable)
        // A kind of which there are too few.
        let lone = Self.fixed("fixed") + [Self.depth("thread", grows: false, .died)]
        #expect(Ackermann().verdict(on: lone).verdict == .notMeasurable)
    }

    @Test func aFixedStackThatFinishesRefutesIt() {
        let finished = Self.depth("thread", grows: false, .finished)
        #expect(Ackermann().verdict(on: Self.fixed("fixed") + [finished]).verdict == .refuted)
    }

    @Test func oneThatIsStillRunningDecidesNothing() {
        #expect(Ackermann().verdict(on: Self.fixed("fixed", .running)).verdict == .notMeasurable)
    }

    @Test func withoutAFixedStackItIsNotMeasurable() {
        #expect(verdict(Self.depth("a", grows: true, .error)).verdict == .notMeasurable)
        #expect(verdict(Self.depth("a", grows: false, .error, work: .runaway)).verdict == .notMeasurable)
    }
}

@Suite("no-size-guess") struct NoSizeGuessTests {
    /// A recursion without an end: how it ended, and with how much memory of 24 GB that could be had.
    private func records(
        _ name: String, _ ending: Recursion.Ending = .died, _ process: String = "exited with 2", _ message: String = "",
        peak: Double? = 1.6e9, stack: Double? = nil, limit: Int = 1_000_000_000, grows: Bool = true,
        asGiven: Bool = true
    ) -> [Record] {
        let parameters: [ParameterName: ParameterValue] = [
            .grows: .bool(grows), .ending: .string(ending.rawValue), .limit: .int(limit), .asGiven: .bool(asGiven),
            .available: .int(24_000_000_000), .process: .string(process), .message: .string(message),
            .peer: name.hasPrefix("go") ? .string(name) : "faultline",
        ]
        return [(Metric.depth, 1e6), (.peakMemory, peak), (.lastStack, stack)].compactMap { metric, value in
            value.map {
                Record(
                    suite: "no-size-guess", case: "runaway \(name)", metric: metric, exactly: $0, parameters: parameters
                )
            }
        }
    }

    private func limited(_ name: String = "go1.27.3", to limit: Int, stack: Double? = nil) -> [Record] {
        records(name, .died, "exited with 2", "runtime: goroutine stack exceeds \(limit)-byte limit", stack: stack)
    }

    private func verdict(_ records: [Record]...) -> ClaimVerdict { NoSizeGuess().verdict(on: records.flatMap { $0 }) }

    private var thread: [Record] {
        records("thread", .died, "was killed by signal 11", peak: 9e6, limit: 8 << 20, grows: false)
    }

    @Test func aLimitThatGoNamesIsABoundary() {
        let verdict = verdict(limited("go1.19.8", to: 5), limited(to: 500_000_000), thread)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "holds up to 477 MiB, the limit at which go1.27.3 says that it ends the process; "
                    + "the process had 1.49 GiB"
            ))
        #expect(verdict.measured.first?.name == Figure.limitOfGrowingStack.name)
        #expect(verdict.measured.first?.median == 500_000_000)
        let names = verdict.measured.map(\.name)
        #expect(names.contains("memory at the end of a recursion on a goroutine's stack in go1.27.3, limit 954 MiB"))
        #expect(names.contains("memory at the end of a recursion on a thread's stack, limit 8 MiB"))
        // Another limit of the same runs is no evidence of what is given.
        let other = records("go1.27.3", .died, "exited with 2", "exceeds 4-byte limit", limit: 4, asGiven: false)
        #expect(self.verdict(other, thread).verdict == .notMeasurable)
    }

    @Test func theStackThatItHadIsAnotherNumberThanItsLimit() {
        let verdict = verdict(
            limited("go1.19.8", to: 500_000_000, stack: 0x1p28), limited(to: 1_000_000_000, stack: 0x1p29), thread)
        #expect(verdict.verdict == .depends)
        #expect(
            verdict.reason.hasPrefix(
                "holds up to a stack of 512 MiB, by 954 MiB, the limit at which go1.27.3 says that it ends the "
                    + "process; "
            ))
        #expect(
            verdict.measured.prefix(2).map(\.name)
                == [Figure.limitOfGrowingStack, .lastStackOfGoroutine].map(\.name))
        #expect(verdict.measured.prefix(2).map(\.median) == [1e9, 0x1p29])
        // Where Go did not say it there is no such number.
        let silent = self.verdict(limited(to: 1_000_000_000), thread)
        #expect(!silent.measured.contains { $0.name == Figure.lastStackOfGoroutine.name })
    }

    @Test func theStackIsReadFromTheAddressesThatGoPrints() {
        let said = """
            runtime: goroutine stack exceeds 1000000000-byte limit
            runtime: sp=0xc0200e0398 stack=[0xc0200e0000, 0xc0400e0000]
            fatal error: stack overflow
            """
        #expect(Recursion.lastStack(said) == 0x1p29)
        #expect(Recursion.lastStack("fatal error: stack overflow") == nil)
        #expect(Recursion.lastStack("stack=[0xc0400e0000, 0xc0200e0000]") == nil)
    }

    @Test(arguments: [
        ("exited with 2", "fatal error: runtime: out of memory", 1.6e9),
        ("exited with 2", "runtime: cannot allocate memory", 1.6e9), ("was killed by signal 9", "", 23e9),
    ])
    func memoryThatEndsItConfirmsIt(process: String, message: String, peak: Double) {
        let verdict = verdict(records("go1.27.3", .died, process, message, peak: peak), thread)
        #expect(verdict.verdict == .confirmed)
        #expect(!verdict.measured.contains { $0.name == Figure.limitOfGrowingStack.name })
    }

    @Test func noMoreThanAFixedStackRefutesIt() { #expect(verdict(limited(to: 4 << 20), thread).verdict == .refuted) }

    @Test func whatEndsItOtherwiseSaysNothingOfALimit() {
        let killed = verdict(records("go1.27.3", .died, "was killed by signal 9"), thread)
        #expect(killed.verdict == .notMeasurable)
        #expect(killed.reason.hasPrefix("what ends go1.27.3 is not known: the process was killed by signal 9; "))
        let late = verdict(records("go1.27.3", .running, "timed out", peak: nil), thread)
        #expect(late.verdict == .notMeasurable)
        #expect(late.reason.hasPrefix("what ends go1.27.3 is not known: its time was up; runaway thread died at 8 MiB"))
        let odd = verdict(records("go1.27.3", .died, "exited with 1", "no such file"))
        #expect(odd.reason.contains("the process exited with 1, saying \"no such file\""))
    }

    @Test func withoutGoItIsNotMeasurable() { #expect(verdict(records("fault"), thread).verdict == .notMeasurable) }
}
