// What is said of the claims of articles on Go's allocator and on its start.

import Experiments
import Faultline
import Measurement
import Report

extension Summary {
    static let articles: [String: FindingText] = allocator.merging(goroutines) { $1 }.merging(programs) { $1 }

    /// What serves stacks.
    private static let allocator: [String: FindingText] = [
        "stack-pool": FindingText(
            title: "A pool of free stacks",
            change: "Times since Go 1.22 of at most 0.24 (2 KB) and 0.22 (8 KB) of those before, give or take 25 %, "
                + "beyond what the same version shows against itself; where times are not told apart, sources of the "
                + "allocator that differ."
        ) { run in
            """
            To allocate a stack of 2 KB takes \(try run.times(StackPooling(), .step("2 KB"))) since Go 1.22 as before, and \
            one of 8 KB \(try run.times(StackPooling(), .step("8 KB"))).
            """
        },
        "allocator-cache": tier(.cache, "A stack from the free ones of a processor", of: "2 KiB"),
        "allocator-pool": tier(.pool, "A stack from those that processors share", of: "2 KiB"),
        "allocator-heap": tier(.heap, "A stack from the heap", of: "64 KiB"),
        "spawn-lock-mcentral": lock(.mcentral),
        "spawn-lock-mheap": lock(.mheap),
        "stack-allocator": FindingText(
            title: "The allocator that Go 1.23 is said to have",
            change:
                "A StackAllocator in the runtime of Go 1.23, and a share of stack memory that is no goroutine's of at "
                + "most 0.29 times that of Go 1.22 (9 of 31 %), give or take 25 %."
        ) { run in
            """
            The name StackAllocator is in \(try run.text(StackAllocator(), .filesWithAllocator, none: "none")) of the files of Go 1.23's \
            runtime, and of the memory that Go holds for stacks \
            \(try run.text(StackAllocator(), .fragmentationBefore)) is no goroutine's in Go 1.22 and \
            \(try run.text(StackAllocator(), .fragmentationSince)) in Go 1.23.
            """
        },
        "false-sharing": FindingText(title: "A cache line for the head of a pool") { run in
            """
            Two threads that do nothing else, with the heads in one cache line, take \
            \(try run.times(FalseSharing(), .sharedLine)) as two with the heads apart, and one thread alone \
            \(try run.times(FalseSharing(), .oneThread)) as those.
            """
        },
    ]

    private static func tier(_ tier: AllocatorTier.Tier, _ title: String, of size: String) -> FindingText {
        FindingText(title: title) { run in
            let claim = AllocatorTier(tier)
            return """
                \(run.newestGo(claim)) allocates a stack of \(size) from \(tier.rawValue) in \
                \(try run.between(claim, .tier(tier.rawValue))).
                """
        }
    }

    private static func lock(_ owner: SpawnLock.Owner) -> FindingText {
        FindingText(title: "Waits for the lock of \(owner.rawValue) in a storm of goroutines") { run in
            let claim = SpawnLock(owner)
            let lock = owner.rawValue
            let begin = """
                Of each 1,000 goroutines with stacks of \(owner.storm) that two processors start in \(run.newestGo(claim)), \
                \(try run.text(claim, .waits(lock), none: "none")) waited for the lock of \(lock)
                """
            return try run.figure(claim, .waits(lock)).median == 0
                ? "\(begin)." : "\(begin); a wait takes \(try run.between(claim, .wait(lock)))."
        }
    }

    /// What goroutines take, and what stops them.
    private static let goroutines: [String: FindingText] = [
        "initial-2kb": growths(.growthsFrom2KB, .growthsFrom2KB, "2 KB"),
        "initial-8kb": growths(.growthsFrom8KB, .growthsFrom8KB, "8 KB"),
        "initial-copying": FindingText(
            title: "What stacks of 8 KB at first save of copying", change: requestsOfTheArticle
        ) { run in
            let claim = InitialSize(.copying)
            return """
                By the growths that were counted in requests of ours, and by what one of each size takes, all copying of \
                \(run.newestGo(claim)) with stacks of 8 KB at first takes \(try run.times(claim, .copyingChange)) as with \
                stacks of 2 KB; with 2 KB twice it takes \(try run.times(claim, .sameStacks)).
                """
        },
        "initial-collections": FindingText(
            title: "What stacks of 8 KB at first save of collections", change: requestsOfTheArticle
        ) { run in
            let claim = InitialSize(.collections)
            return """
                With stacks of 8 KB at first \(run.newestGo(claim)) collects in requests of ours \
                \(try run.times(claim, .collectionsChange, "often")) as with stacks of 2 KB; with 2 KB twice it does \
                \(try run.times(claim, .sameStacks, "often")).
                """
        },
        "gateway-memory": waiting(
            .memory, .memoryOfConnections, "Memory of millions that wait", "2.3 million goroutines that wait take"),
        "gateway-stackless": waiting(
            .stackless, .memoryOfStackless, "Memory of millions without stacks",
            "2.3 million coroutines of C++20 that wait take"),
        "gateway-pause": waiting(
            .pause, .pauseOfCollection, "A collection beside millions of goroutines",
            "Beside 2.3 million goroutines that wait a collection pauses for"),
        "gateway-pause-stackless": waiting(
            .pauseStackless, .pauseBesideRecords, "A collection beside millions without goroutines",
            "Beside 2.3 million connections that no goroutine waits for a collection pauses for"),
        "idle-goroutines": waiting(
            .idle, .memoryOf100000, "Memory of idle goroutines", "100,000 goroutines that wait take"),
        "idle-stackless": waiting(
            .idleStackless, .memoryOf100000Stackless, "Memory of idle connections without stacks",
            "100,000 coroutines of C++20 that wait take"),
        "stack-dump": FindingText(
            title: "Printing stacks from many goroutines",
            change:
                "A call of 6 to 24 µs with GOMAXPROCS 1, and on machines with 8 and 64 processors 3.5 and 15.8 times "
                + "that, give or take a third."
        ) { run in
            func all(_ figure: (Int) -> Figure) throws -> String {
                Readings.list(try StackDump.processors.map { try run.text(StackDump(), figure($0)) })
            }
            return """
                With GOMAXPROCS \(Readings.list(StackDump.processors.map(String.init))) a call of runtime.Stack in 512 goroutines takes \
                \(try all(Figure.dump)) in \(run.newestGo(StackDump())), and \(try all(Figure.processorTimeOfDump)) of \
                processor time.
                """
        },
        "short-goroutines": FindingText(title: "How deep short goroutines go") { run in
            let shares = try ShortGoroutines.bounds.map { bytes in
                let share = try run.text(ShortGoroutines(), .shareOfGoroutines(within: bytes))
                return "\(share) used at most \(QuantityFormatter.grouped(Double(bytes), decimals: 0)) bytes"
            }
            return """
                In \(run.newestGo(ShortGoroutines())), of the goroutines of a server and its clients \(Readings.list(shares)).
                """
        },
        "gc-stack-scan": FindingText(title: "Pauses while stacks are scanned") { run in
            var (told, open): ([String], [String]) = ([], [])
            for depth in GCStackScan.depths.dropFirst() {
                let figure = try run.figure(GCStackScan(), .scan(depth))
                let frames = QuantityFormatter.grouped(Double(depth), decimals: 0)
                if ReaderNumber(figure).spansZero {
                    open.append(frames)
                } else {
                    let word = figure.median > 0 ? "longer" : "shorter"
                    told.append("\(ReaderNumber(figure.magnitude).text) \(word) with \(frames) frames")
                }
            }
            if !open.isEmpty { told.append("not measurably longer with \(Readings.list(open)) frames") }
            return """
                Beside a collection a goroutine of \(run.newestGo(GCStackScan())) stands still, against one with a flat \
                stack, \(Readings.list(told)).
                """
        },
    ]

    private static let requestsOfTheArticle = "The requests of the article: how deep each goes, and what it allocates."

    private static func growths(_ number: InitialSize.Number, _ figure: Figure, _ size: String) -> FindingText {
        FindingText(title: "Growths of a request from \(size)", change: requestsOfTheArticle) { run in
            let claim = InitialSize(number)
            return """
                A request of ours, of 14 depths in turn, grows the stack of a goroutine of \(run.newestGo(claim)), which has \
                \(size) at first, \(try run.between(claim, figure)) times.
                """
        }
    }

    private static func waiting(
        _ number: Gateway.Number, _ figure: Figure, _ title: String, _ beginning: String
    ) -> FindingText {
        FindingText(title: title) { run in
            let claim = Gateway(number)
            let version = number == .stackless || number == .idleStackless ? "" : " in \(run.newestGo(claim))"
            return "\(beginning) \(try run.between(claim, figure))\(version)."
        }
    }

    /// What a compiler and a linker make.
    private static let programs: [String: FindingText] = [
        "escape": FindingText(title: "Closures that stay on the stack") { run in
            """
            In \(run.newestGo(Escape())) the closure that a goroutine runs takes \
            \(try run.text(Escape(), .closureOfGoroutine, none: "nothing")) of the heap, and one that is called \
            \(try run.text(Escape(), .closureThatIsCalled, none: "nothing")).
            """
        },
        "compile-flags": FindingText(title: "Flags that shrink a frame") { run in
            """
            The smallest frame that the flags make is \(try run.times(CompileFlags(), .smallestFrame, "large")) as \
            the one without flags in \(run.newestGo(CompileFlags())), which has \
            \(try run.text(CompileFlags(), .frame(CompileFlags.name([])))).
            """
        },
        "strip-start": FindingText(title: "Starting stripped programs") { run in
            """
            To start, stripped programs of \(run.newestGo(StripStart())) take \
            \(try run.times(StripStart(), .startOfStripped)) as usual ones, and usual ones against themselves \
            \(try run.times(StripStart(), .startOfSame)).
            """
        },
        "strip-start-cold": FindingText(
            title: "Starting stripped programs that are not in memory",
            change: "More programs, so that the whole interval of their mean lies below 0.83 or above it."
        ) { run in
            """
            With their files dropped from memory, stripped programs of \(run.newestGo(StripStartCold())) take \
            \(try run.times(StripStartCold(), .startOfStrippedCold)) as usual ones to start, and usual ones against \
            themselves \(try run.times(StripStartCold(), .startOfSame)).
            """
        },
        "independent-start": FindingText(title: "Starting position-independent programs") { run in
            """
            To start, position-independent programs of \(run.newestGo(IndependentStart())) take \
            \(try run.times(IndependentStart(), .startOfIndependent)) as usual ones, and usual ones against themselves \
            \(try run.times(IndependentStart(), .startOfSame)).
            """
        },
        "frame-prediction": FindingText(title: "Stack need known beforehand") { run in
            """
            In programs of \(run.newestGo(FramePrediction())) \(try run.text(FramePrediction(), .shareOfBoundedTrees)) of \
            call trees have a bound; calls were followed for \(try run.text(FramePrediction(), .boundsTried)) of the bounds \
            and exceeded \(try run.text(FramePrediction(), .boundsExceeded, none: "none")).
            """
        },
    ]
}
