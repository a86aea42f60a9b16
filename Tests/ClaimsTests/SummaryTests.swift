import Experiments
import Measurement
import Report
import Testing
import Workloads

@testable import Claims

@Suite("Summary") struct SummaryTests {
    private static func measured(
        _ figure: Figure, _ median: Double, _ low: Double, _ high: Double
    ) -> MeasuredFigure {
        MeasuredFigure(figure, Estimate(median: median, low: low, high: high, samples: 8))
    }

    private static func verdict(
        _ claim: String, _ measured: [MeasuredFigure] = [], claimed: [ClaimedFigure] = [], _ verdict: Verdict = .depends
    ) -> ClaimVerdict {
        ClaimVerdict(
            claim: claim, saidBy: "a test", statement: "Something is.", verdict: verdict, claimed: claimed,
            measured: measured, reason: "it is so")
    }

    private static func article(_ verdicts: [ClaimVerdict]?, _ records: [Record] = []) -> Article {
        Summary.article(Document(machine: MachineFacts(), records: records, verdicts: verdicts))
    }

    private static func answer(_ gain: (Double, Double), _ growth: (Double, Double)) -> String {
        let gain = measured(.gainOnRealPrograms, (gain.0 + gain.1) / 2, gain.0, gain.1)
        let growth = measured(.growthAgainstGo, (growth.0 + growth.1) / 2, growth.0, growth.1)
        return article([verdict("check-cost", [gain]), verdict("trap-cost", [growth])]).answer
    }

    @Test func `there are ten lines of one subject each, whatever was run`() {
        let lines = Self.article([Self.verdict("shrink")]).lines
        #expect(lines.count == 10 && Set(lines.map(\.subject)).count == 10)
        #expect(lines.allSatisfy { $0.text == "Not measured in this run." && $0.claims.isEmpty })
        #expect(Self.article(nil).lines.isEmpty && Self.article([]).answer.isEmpty)
    }

    @Test func `the answer follows from what is gained and what a growth costs`() {
        #expect(
            Self.answer((-0.02, 0.016), (10.4, 11)).hasPrefix(
                "No: without their stack checks Go's programs gain 1.6\u{A0}% at most, and a growth"))
        #expect(
            Self.answer((0.01, 0.03), (10.4, 11)).hasPrefix(
                "Only for programs that seldom grow a stack: Go's programs are 2.0"))
        #expect(
            Self.answer((-0.03, -0.01), (0.5, 0.9))
                == "There is no reason to: without their stack checks Go's programs are slower.")
        #expect(Self.answer((0.01, 0.03), (0.5, 0.9)).hasPrefix("For speed alone: "))
        #expect(Self.article([Self.verdict("trap-cost")]).answer.hasPrefix("This run does not answer that"))
    }

    @Test func `a key figure is one that was measured`() {
        let growth = Self.measured(.growthAgainstGo, 10.77, 10.42, 10.95)
        let figures = Self.article([Self.verdict("trap-cost", [growth])]).keyFigures
        #expect(figures.map(\.number) == ["10.8\u{A0}×"])
        #expect(figures.map(\.claim) == ["trap-cost"])
    }

    @Test func `a sentence names the versions of Go that were measured`() {
        let figures = [
            Self.measured(.gainOnRealPrograms, 0, -0.01, 0.01),
            Self.measured(.gainOnGoKernels, 0.03, 0.03, 0.04),
        ]
        let records = ["go1.27.3", "fib go1.9.2", "go1"].map {
            Record(suite: "check-cost", case: $0, metric: .time, exactly: 1)
        }
        let line = Self.article([Self.verdict("check-cost", figures)], records).lines[1]
        #expect(line.text.hasPrefix("Programs of Go 1.27.3 that lose their checks"))
        #expect(line.claims == ["check-cost"])
    }

    @Test func `what was stopped by a limit is at least so long in every sentence`() throws {
        func texts(_ isAtLeast: Bool) -> String {
            func figure(_ figure: Figure, _ median: Double) -> MeasuredFigure {
                MeasuredFigure(
                    figure, Estimate(median: median, low: median, high: median, samples: 7), isAtLeast: isAtLeast)
            }
            let waits = [
                figure(.pauseWithoutChecks, 55), figure(.pauseWithRuntimesChecks, 1.5),
                figure(.pauseWithProbes, 1.2),
            ]
            let boundaries = ["C", "Go"].map {
                figure(.breakEven($0, GrowthCostSampler.inPlace, isFresh: true), 500)
            }
            let article = Self.article([Self.verdict("preemption", waits), Self.verdict("break-even", boundaries)])
            return
                ([article.answer] + article.paragraphs + article.lines.map(\.text)
                + article.findings.values.map(\.sentence) + article.keyFigures.map(\.number)).joined(separator: "\n")
                .replacing("\u{A0}", with: " ")
        }
        let (bounds, exact) = (texts(true), texts(false))
        for text in [
            "iterates a map pauses 55.0 times as long in Go", "55.0 ×",
            "Where the runtime keeps its own, it pauses 1.50 times as long, and with probes beside "
                + "these 1.20 times as long",
            "fewer than 500 stacks",
        ] {
            #expect(exact.contains(text), "\(text)")
        }
        #expect(!exact.contains("at least 5"))
        #expect(!bounds.contains("up to at least"))
        for text in [
            "iterates a map pauses at least 55.0 times as long in Go", "at least 55.0 ×",
            "fewer than N stacks (N is at least 500)",
        ] {
            #expect(bounds.contains(text), "\(text)")
        }
    }

    private static let plain: [([ClaimedFigure], [MeasuredFigure], Verdict, String)] = [
        (
            [ClaimedFigure(Figure("gain here", .ratio), low: 0.03, high: 0.05)],
            [measured(Figure("gain here", .ratio), 0.02, 0.01, 0.03)], .refuted,
            "Gain here: 2.0 %, where 3 to 5 % was claimed."
        ),
        (
            [ClaimedFigure(Figure("cost here", .ratio), low: 2, high: nil, isOurReading: true)],
            [measured(Figure("cost here", .ratio), 3, 3, 3)], .confirmed,
            "Cost here: 3.00 ×, where our reading of the claim is at least 2 ×."
        ),
        ([], [], .confirmed, "What was claimed was found."), ([], [], .notMeasurable, "This run does not tell."),
    ]

    @Test(arguments: plain)
    func `a claim without a sentence of its own gets a plain one`(
        claimed: [ClaimedFigure], measured: [MeasuredFigure], verdict: Verdict, sentence: String
    ) {
        let own = Self.verdict("unheard-of", measured, claimed: claimed, verdict)
        let finding = Self.article([own]).findings["unheard-of"]
        #expect(finding?.title == "Unheard of")
        #expect(finding?.sentence.replacing("\u{A0}", with: " ") == sentence)
    }

    /// A claim, figures with their ends, and the sentence that is computed from them.
    private static let sentences: [(any Claim, [(Figure, Double, Double)], String)] = [
        (
            IndirectCalls(.indirectCalls),
            [
                (.furtherInIndirectCalls, 0.1, 0.14),
                (.nullControl(of: .furtherInIndirectCalls), -0.02, 0.02),
            ],
            """
            In Go 1.27.3 checks cost a call by a closure or an interface, in the mean of both, 0.120 ns more (0.100 to 0.140 \
            ns) than a call by name.
            """
        ),
        (
            IndirectCalls(.deepChains),
            [(.furtherInDeepChains, -0.3, -0.3), (.nullControl(of: .furtherInDeepChains), -0.02, 0.02)],
            """
            In Go 1.27.3 checks cost a call in a chain of 1,000, in the mean of its kinds, 0.300 ns less than one in a chain \
            of 10.
            """
        ),
        (
            IndirectCalls(.deepChains),
            [(.furtherInDeepChains, 0.1, 0.1), (.nullControl(of: .furtherInDeepChains), -0.2, 0.2)],
            """
            In Go 1.27.3 checks cost a call in a chain of 1,000, in the mean of its kinds, not measurably more than one in a \
            chain of 10.
            """
        ),
        (
            CodeSize(),
            [(.codeWithChecks, 1.09, 1.09), (.missesWithChecks, 1.1, 1.1), (.missesOfAnotherLayout, 0.9, 1.1)],
            """
            With checks the code of programs of Go 1.27.3 is 1.09 times as large as compiled without, and a run misses \
            a simulated instruction cache 1.10 times as often, which cannot be told from no difference; in another order \
            of their functions programs with checks miss it 0.90 to 1.10 times as often.
            """
        ),
        (
            CodeSize(),
            [(.codeWithChecks, 1.09, 1.09), (.missesWithChecks, 1.2, 1.2), (.missesOfAnotherLayout, 0.9, 1.1)],
            """
            With checks the code of programs of Go 1.27.3 is 1.09 times as large as compiled without, and a run misses \
            a simulated instruction cache 1.20 times as often; in another order of their functions programs with checks \
            miss it 0.90 to 1.10 times as often.
            """
        ),
        (
            Overcommit(),
            [
                (.charge(.guardPages, inMode: 0), 0, 0), (.charge(.guardPages, inMode: 1), 0, 0),
                (.charge(.guardPages, inMode: 2), 0x1p33, 0x1p33), (.reservedWithStack, 0x1p33, 0x1p33),
                (.charge(.protNone, inMode: 2), 1_642_496, 1_642_496),
            ],
            """
            A stack that grows by faults and whose unused part is guard pages is charged nothing with \
            vm.overcommit_memory 0, the default of Linux, nothing with 1, and with 2, where nothing is overcommitted, \
            8 GiB of 8 GiB that are reserved with it; where its unused part is protected pages, 1.57 MiB with 2.
            """
        ),
        (
            ShrinkFree(),
            [(.descentAgain, 0.8, 1.1), (.descentAfterCollection, 1.7, 1.7), (.firstDescent, 11.4, 11.4)],
            """
            Where a goroutine of Go 1.27.3 goes down again, this takes 0.80 to 1.10 times as long as where the stack had the \
            room from the start, and after a collection, which halves the stack, 1.70 times as long; the first descent \
            takes 11.4 times as long as a later one.
            """
        ),
        (
            Exhaustion(),
            [
                (.deaths(at: .group), 8, 8), (.strategies(at: .group), 8, 8), (.deaths(at: .addressSpace), 0, 0),
                (.strategies(at: .addressSpace), 5, 5),
            ],
            """
            The process ends with 8 of 8 of this library's ways to make stacks, those with checks among them, where a \
            control group has used up its memory, with none of 5 that reached a limit of addresses; with the others an error \
            tells.
            """
        ),
        (
            NoSizeGuess(),
            [
                (.limitOfGrowingStack, 1e9, 1e9), (.lastStackOfGoroutine, 0x1p29, 0x1p29),
                (.peakOfRecursion, 9.433e8, 9.433e8),
            ],
            """
            A goroutine's stack whose size nobody chose grew to 512 MiB in Go 1.27.3, whose usual limit is 954 MiB: where \
            it would have doubled again the process ended, having taken 900 MiB.
            """
        ),
        (
            StackPooling(), [(.step("2 KB"), 0.7, 2.2), (.step("8 KB"), 0.61, 0.61)],
            """
            To allocate a stack of 2 KB takes 0.7 to 2.2 times as long since Go 1.22 as before, and one of 8 KB 0.610 times \
            as long.
            """
        ),
        (
            AllocatorTier(.cache), [(.tier(AllocatorTier.Tier.cache.rawValue), 11.4, 12)],
            "Go 1.27.3 allocates a stack of 2 KiB from the processor's cache in 11.7 ns (11.4 to 12.0 ns)."
        ),
        (
            AllocatorTier(.heap), [(.tier(AllocatorTier.Tier.heap.rawValue), 391, 391)],
            "Go 1.27.3 allocates a stack of 64 KiB from the heap in 391 ns."
        ),
        (
            SpawnLock(.mcentral), [(.waits("mcentral"), 0, 0)],
            """
            Of each 1,000 goroutines with stacks of 2 KB that two processors start in Go 1.27.3, none waited for the lock of \
            mcentral.
            """
        ),
        (
            SpawnLock(.mheap), [(.waits("mheap"), 1.29, 1.29), (.wait("mheap"), 20_000, 20_400)],
            """
            Of each 1,000 goroutines with stacks of 128 KB that two processors start in Go 1.27.3, 1.29 waited for the lock \
            of mheap; a wait takes 20.2 µs (20.0 to 20.4 µs).
            """
        ),
        (
            StackAllocator(),
            [(.filesWithAllocator, 0, 0), (.fragmentationBefore, 0.574, 0.574), (.fragmentationSince, 0.579, 0.579)],
            """
            The name StackAllocator is in none of the files of Go 1.23's runtime, and of the memory that Go holds for \
            stacks 57.4 % is no goroutine's in Go 1.22 and 57.9 % in Go 1.23.
            """
        ),
        (
            FalseSharing(), [(.sharedLine, 2.84, 2.88), (.oneThread, 1, 1)],
            """
            Two threads that do nothing else, with the heads in one cache line, take 2.86 times as long as two with the \
            heads apart, and one thread alone as long as those.
            """
        ),
        (
            InitialSize(.growthsFrom2KB), [(.growthsFrom2KB, 2.3, 2.5)],
            """
            A request of ours, of 14 depths in turn, grows the stack of a goroutine of Go 1.27.3, which has 2 KB at first, \
            2.40 (2.30 to 2.50) times.
            """
        ),
        (
            InitialSize(.copying), [(.copyingChange, 0.21, 0.21), (.sameStacks, 0.9, 1.1)],
            """
            By the growths that were counted in requests of ours, and by what one of each size takes, all copying of Go \
            1.27.3 with stacks of 8 KB at first takes 0.210 times as long as with stacks of 2 KB; with 2 KB twice it takes \
            0.90 to 1.10 times as long.
            """
        ),
        (
            InitialSize(.collections), [(.collectionsChange, 0.9, 1.1), (.sameStacks, 1, 1)],
            """
            With stacks of 8 KB at first Go 1.27.3 collects in requests of ours 0.90 to 1.10 times as often as with stacks \
            of 2 KB; with 2 KB twice it does as often.
            """
        ),
        (
            Gateway(.memory), [(.memoryOfConnections, 6.4e9, 6.4e9)],
            "2.3 million goroutines that wait take 5.96 GiB in Go 1.27.3."
        ),
        (
            Gateway(.idleStackless), [(.memoryOf100000Stackless, 0x1p26, 0x1p26)],
            "100,000 coroutines of C++20 that wait take 64 MiB."
        ),
        (
            Gateway(.pause), [(.pauseOfCollection, 67_000, 68_000)],
            """
            Beside 2.3 million goroutines that wait a collection pauses for 67.5 µs (67.0 to 68.0 µs) in Go 1.27.3.
            """
        ),
        (
            StackDump(),
            [
                (.dump(1), 1934, 1934), (.dump(8), 12_200, 12_200), (.dump(64), 59_200, 59_200),
                (.processorTimeOfDump(1), 2100, 2100), (.processorTimeOfDump(8), 2520, 2520),
                (.processorTimeOfDump(64), 3630, 3630),
            ],
            """
            With GOMAXPROCS 1, 8 and 64 a call of runtime.Stack in 512 goroutines takes 1.93 µs, 12.2 µs and 59.2 µs in Go \
            1.27.3, and 2.10 µs, 2.52 µs and 3.63 µs of processor time.
            """
        ),
        (
            ShortGoroutines(), [128: 0, 512: 0.0103, 2048: 0.0709].map { (.shareOfGoroutines(within: $0), $1, $1) },
            """
            In Go 1.27.3, of the goroutines of a server and its clients 0 % used at most 128 bytes, 1.03 % used at most 512 \
            bytes and 7.09 % used at most 2,048 bytes.
            """
        ),
        (
            GCStackScan(),
            [
                (.scan(10), -9_000, 9_000), (.scan(100), -4_500, -4_500), (.scan(1_000), 0, 9_000),
                (.scan(10_000), 1.18e6, 1.18e6),
            ],
            """
            Beside a collection a goroutine of Go 1.27.3 stands still, against one with a flat stack, 4.50 µs shorter with \
            100 frames, 1.18 ms longer with 10,000 frames and not measurably longer with 10 and 1,000 frames.
            """
        ),
        (
            Escape(), [(.closureOfGoroutine, 32, 32), (.closureThatIsCalled, 0, 0)],
            """
            In Go 1.27.3 the closure that a goroutine runs takes 32 bytes of the heap, and one that is called nothing.
            """
        ),
        (
            CompileFlags(), [(.smallestFrame, 1.154, 1.154), (.frame("no flags"), 104, 104)],
            """
            The smallest frame that the flags make is 1.15 times as large as the one without flags in Go 1.27.3, which \
            has 104 bytes.
            """
        ),
        (
            StripStart(), [(.startOfStripped, 0.985, 0.985), (.startOfSame, 0.99, 1.01)],
            """
            To start, stripped programs of Go 1.27.3 take 0.985 times as long as usual ones, and usual ones against \
            themselves 0.99 to 1.01 times as long.
            """
        ),
        (
            StripStartCold(), [(.startOfStrippedCold, 0.62, 0.62), (.startOfSame, 1.1, 1.1)],
            """
            With their files dropped from memory, stripped programs of Go 1.27.3 take 0.620 times as long as usual ones \
            to start, and usual ones against themselves 1.10 times as long.
            """
        ),
        (
            IndependentStart(), [(.startOfIndependent, 0.9, 1.8), (.startOfSame, 1.1, 1.1)],
            """
            To start, position-independent programs of Go 1.27.3 take 0.9 to 1.8 times as long as usual ones, and usual \
            ones against themselves 1.10 times as long.
            """
        ),
        (
            FramePrediction(), [(.shareOfBoundedTrees, 0.34, 0.34), (.boundsTried, 100, 100), (.boundsExceeded, 0, 0)],
            """
            In programs of Go 1.27.3 34.0 % of call trees have a bound; calls were followed for 100 of the bounds and \
            exceeded none.
            """
        ),
    ]

    @Test(arguments: sentences.indices)
    func `what is said of a claim is computed from its figures, and is a plain sentence where one is missing`(
        index: Int
    ) {
        let (claim, ends, sentence) = Self.sentences[index]
        let figures = ends.map { Self.measured($0, ($1 + $2) / 2, $1, $2) }
        let record = Record(suite: claim.identifier, case: "go1.27.3", metric: .time, exactly: 1)
        func said(_ figures: [MeasuredFigure]) -> String? {
            let verdict = Self.verdict(claim.identifier, figures, .notMeasurable)
            return Self.article([verdict], [record]).findings[claim.identifier]?.sentence
                .replacing("\u{A0}", with: " ")
        }
        #expect(said(figures) == sentence)
        for place in figures.indices {
            var others = figures
            others.remove(at: place)
            #expect(said(others) == "This run does not tell.", "without \(figures[place].name)")
        }
    }

    @Test func `a pause stands with its interval, and without probes nothing is said of them`() {
        let figures = [
            Self.measured(.pauseWithoutChecks, 103.6, 66, 208), Self.measured(.pauseWithRuntimesChecks, 1, 0.8, 1.1),
        ]
        let sentence = Self.article([Self.verdict("preemption", figures)]).findings["preemption"]?.sentence
        #expect(
            sentence?.replacing("\u{A0}", with: " ") == """
                Without checks a collection beside a goroutine that iterates a map pauses 100 times as long (70 to 210) \
                in Go. Where the runtime keeps its own, it pauses 0.80 to 1.10 times as long.
                """)
    }

    /// What is said of a claim whose figures were measured with Go 1.27.3.
    private static func said(_ claim: any Claim, _ figures: [(Figure, Double)]) -> String? {
        let verdict = Self.verdict(claim.identifier, figures.map { Self.measured($0, $1, $1, $1) })
        let record = Record(suite: claim.identifier, case: "go1.27.3", metric: .time, exactly: 1)
        return Self.article([verdict], [record]).findings[claim.identifier]?.sentence
            .replacing("\u{A0}", with: " ")
    }

    @Test func `what stands beside a number is said where it was measured`() {
        let growth: [(Figure, Double)] = [
            (.crossingsOfGrowth, 6), (.growthAgainstGoFresh, 1.93), (.growthAgainstGo, 10.2),
        ]
        let trap = """
            A growth by a fault that a signal handler serves crosses between program and kernel 6 times at least. In place \
            it takes 1.93 times as long as the smallest of Go 1.27.3, from 2 KiB, with fresh memory on both sides, and 10.2 \
            times with memory that is there on both.
            """
        #expect(Self.said(TrapCost(), growth) == trap)
        #expect(
            Self.said(TrapCost(), growth + [(.moveAgainstGoFresh, 2.82), (.remappingAgainstGoFresh, 4.27)])
                == trap
                + " By a move it takes 2.82 times as long with fresh memory, and by remapping pages 4.27 times.")
        let contention = """
            In processor time a growth of a goroutine takes 1.09 times as long on all processors of this machine as on one.
            """
        #expect(Self.said(Contention(), [(.contendingGrowth, 1.09)]) == contention)
        let moves = Contention.Way.moves.map { (Figure.contendingMove($0), 1.7) }
        #expect(
            Self.said(Contention(), [(.contendingGrowth, 1.09)] + moves)
                == contention
                + " In this library a move by copying takes 1.70 times as long. One by moving pages takes 1.70 times "
                + "as long, and one by remapping them 1.70 times.")
        let given: [(Figure, Double)] = [
            (Figure("release with guard-pages, bytes before", .bytes), 0x1p18),
            (Figure("release with guard-pages, bytes after", .bytes), 0x1p12),
        ]
        let own = "An idle stack of this library takes 256 KiB, and 4 KiB after its memory is given back."
        #expect(Self.said(Shrink(), given) == own)
        let go = [("before", 0x1p18), ("after", 0x1p11)].map {
            (Figure("go1.27.3 collection, bytes \($0)", .bytes), $1)
        }
        #expect(
            Self.said(Shrink(), go + given)
                == "An idle stack of Go 1.27.3 that was deep once takes 256 KiB, and 2 KiB after seven "
                + "collections, each of which halves it. " + own)
    }

    @Test func `of programs in Go the one that grows most often is named where checks are not told from none`() {
        let figures = [
            Self.measured(.breakEven("Go", GrowthCostSampler.inPlace, isFresh: true), 1_000, 0, 6_090),
            Self.measured(.ownGrowths("compile go1.27.3"), 57, 57, 57),
            Self.measured(.ownGrowths("gofmt go1.27.3"), 1_355, 1_355, 1_355),
            // Of another language.
            Self.measured(.ownGrowths("lisp"), 4_000, 4_000, 4_000),
        ]
        let article = Self.article([Self.verdict("break-even", figures, .notDistinguishable)])
        #expect(
            article.findings["break-even"]?.sentence.hasSuffix(
                "in a second of its processor time. Of 2 programs, run without collections, gofmt grows most often, "
                    + "1,355 stacks: whether that is few enough is not known.") == true)
        let often = [figures[0], Self.measured(.ownGrowths("gofmt go1.27.3"), 7_000, 7_000, 7_000)]
        #expect(
            Self.article([Self.verdict("break-even", often, .notDistinguishable)]).findings["break-even"]?.sentence
                .hasSuffix("gofmt grows most often, 7,000 stacks: which is too often.") == true)
    }

    @Test func `what is told of closures and of kernels in Go stands behind the means`() {
        let (indirect, deep) = (IndirectCalls(.indirectCalls), IndirectCalls(.deepChains))
        func null(_ claim: IndirectCalls) -> (Figure, Double) { (.nullControl(of: claim.figure), 0) }
        let closures = [10, 1_000].map { (indirect.further(of: IndirectCalls.closure, chains: $0), 4 / Double($0)) }
        #expect(
            Self.said(indirect, [(indirect.figure, 0.1), null(indirect)] + closures)?.hasSuffix(
                "than a call by name; by a closure alone 0.400 ns more in chains of 10, and 0.00400 ns more in chains "
                    + "of 1,000.") == true)
        #expect(
            Self.said(
                deep, [(deep.figure, 0.1), null(deep), (deep.further(of: IndirectCalls.closure, chains: nil), -0.31)])?
                .hasSuffix("than one in a chain of 10; by a closure alone 0.310 ns less.") == true)
        let gains = [CodeInlining.standard, .off].map { (Figure.gainWithoutChecks($0), 0.01) }
        #expect(
            Self.said(Inlining(), gains + [(.inliningSavesInGo, 1.2)])?.hasSuffix(
                "where nothing is inlined. Kernels in Go 1.27.3 slow down by checks 1.20 times as much where nothing "
                    + "is inlined as inlined as usual.") == true)
    }

    @Test func `what programs compiled without checks gain is said beside the others`() {
        let figures = [
            Self.measured(.gainOnRealPrograms, 0.004, -0.01, 0.014), Self.measured(.gainFromNothing, 0, -0.005, 0.005),
            Self.measured(.gainCompiledWithout, 0.013, 0.005, 0.0204),
        ]
        let growth = Self.verdict("trap-cost", [Self.measured(.growthAgainstGo, 10, 9, 11)])
        let article = Self.article([Self.verdict("check-cost", figures, .notDistinguishable), growth])
        #expect(article.answer.hasPrefix("No: without their stack checks Go's programs gain 2.1\u{A0}% at most, and"))
        #expect(
            article.findings["check-cost"]?.sentence.contains("Compiled without checks they gain 1.3\u{A0}%. ") == true)
    }

    @Test func `the commit limit is named where it was met`() {
        let limits: [(Exhaustion.Limit, Double, Double)] = [(.group, 8, 8), (.addressSpace, 0, 5), (.commit, 1, 8)]
        let figures = limits.flatMap { limit, deaths, all in
            [
                Self.measured(.deaths(at: limit), deaths, deaths, deaths),
                Self.measured(.strategies(at: limit), all, all, all),
            ]
        }
        let article = Self.article([Self.verdict("exhaustion", figures)])
        #expect(
            article.findings["exhaustion"]?.sentence.contains(
                "a limit of addresses, with one of 8 where the kernel commits no more memory; with the others") == true)
    }

    @Test func `a gain that is not told from zero excludes what was claimed only where it lies below`() {
        func line(_ high: Double) -> String {
            let figures = [
                Self.measured(.gainOnRealPrograms, 0, -0.01, high), Self.measured(.gainFromNothing, 0, -0.01, high),
                Self.measured(.gainOnGoKernels, 0.03, 0.03, 0.04),
            ]
            let growth = Self.verdict("trap-cost", [Self.measured(.growthAgainstGo, 10, 9, 11)])
            let article = Self.article([Self.verdict("check-cost", figures, .notDistinguishable), growth])
            return "\(article.lines[1].text) \(article.answer)".replacing("\u{A0}", with: " ")
        }
        #expect(line(0.05).contains("; 3 to 5 % cannot be excluded. Loops of small calls"))
        #expect(line(0.05).contains("Nothing speaks for it here: "))
        #expect(!line(0.02).contains("excluded") && line(0.02).contains("No: without their stack checks"))
    }

    @Test func `confusions are weighed by how many faults there were`() {
        func sentence(_ synthetic: Double, _ real: Double) -> String? {
            let figures: [(Figure, Double)] = [
                (.faults(.synthetic), 1_997_250), (.faults(.real), 2_750), (.ambiguous(.synthetic), 5),
                (.confusionsInAMillion(.synthetic), synthetic), (.confusionsInAMillion(.real), real),
            ]
            let verdict = Self.verdict("classification", figures.map { Self.measured($0, $1, $1, $1) })
            return Self.article([verdict]).findings["classification"]?.sentence
        }
        #expect(sentence(0, 0)?.contains("real ones none was confused; ") == true)
        // One of the real ones, of two million in all.
        #expect(sentence(0, 1e6 / 2_750)?.contains("real ones one in a million was confused; ") == true)
        #expect(sentence(11.5, 0)?.contains("real ones 12 in a million were confused; ") == true)
    }

    @Test func `claims have a sentence of their own`() {
        let without = Claims.identifiers.filter { Summary.findings[$0]?.sentence == nil }
        #expect(without.isEmpty, "\(without)")
    }

    @Test func `every claim has a heading in words, and each is another`() {
        let titles = Claims.identifiers.map { Summary.findings[$0]?.title }
        for (claim, title) in zip(Claims.identifiers, titles) { #expect(title != nil, "\(claim)") }
        #expect(Set(titles).count == titles.count)
    }

    @Test func `the work of others stands beside what was measured, or is said to have nothing beside it`() {
        let with = Self.article([Self.verdict("trap-cost", [])]).related
        #expect(with.count >= 9 && with.allSatisfy { !$0.ours.contains("{") && $0.address.hasPrefix("https://") })
        #expect(with.contains { $0.ours == "not measured in this run." })
        #expect(
            with.contains {
                $0.ours == "This run does not tell." || $0.ours == "The claim holds in a part of what was measured."
            })
    }
}
